-- +goose Up
-- Providers that were set up in the console. Those of the file and the
-- environment are not here.

CREATE TABLE providers (
    id         text PRIMARY KEY, -- its name: it stands in addresses, and never changes
    plugin     text NOT NULL,
    settings   bytea NOT NULL,   -- by field name, secrets among them
    set_at     jsonb NOT NULL,   -- when each of them was last set
    enabled    boolean NOT NULL,
    version    bigint NOT NULL,  -- hubs take what is newer than what they run with
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL
);

-- When somebody last asked all hubs to restart a provider, wherever it is set up.
CREATE TABLE provider_restarts (
    provider text PRIMARY KEY,
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL
);

-- +goose Down
DROP TABLE provider_restarts, providers;
