-- +goose Up
-- What a plugin last found at its provider: credentials, permissions, endpoint.
CREATE TABLE provider_checks (
    provider   text PRIMARY KEY,
    checked_at timestamptz NOT NULL,
    checked_by text NOT NULL, -- a person, or "hub"
    findings   jsonb NOT NULL,
    error      text NOT NULL  -- why the provider could not be asked; empty: it was
);
-- Callbacks that were refused as not the provider's, by the reason for it: how many,
-- when first and last. Their content is not kept.
CREATE TABLE forged_callbacks (
    provider text NOT NULL,
    reason   text NOT NULL,
    n        bigint NOT NULL CHECK (n > 0),
    first_at timestamptz NOT NULL,
    last_at  timestamptz NOT NULL,
    PRIMARY KEY (provider, reason)
);

-- +goose Down
DROP TABLE forged_callbacks;
DROP TABLE provider_checks;
