-- +goose Up
SET LOCAL lock_timeout = '500ms';

-- The secrets that sign for an endpoint: the newest, and former ones until they end.
-- webhook_endpoints.secret is the newest, too, for hubs from before this table.
CREATE TABLE webhook_secrets (
    id              text PRIMARY KEY,
    endpoint_id     text NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    app_id          text NOT NULL,
    secret          bytea NOT NULL, -- sealed as webhook_endpoints.secret of its endpoint
    idempotency_key text,           -- of the request that made it
    request_hash    bytea,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz,    -- NULL: it is the newest
    CONSTRAINT webhook_secrets_key_once UNIQUE (app_id, idempotency_key)
);
CREATE INDEX webhook_secrets_by_endpoint ON webhook_secrets (endpoint_id, id DESC);
INSERT INTO webhook_secrets (id, endpoint_id, app_id, secret, created_at)
    SELECT id || '_1', id, app_id, secret, created_at FROM webhook_endpoints;
INSERT INTO webhook_secrets (id, endpoint_id, app_id, secret, created_at, expires_at)
    SELECT id || '_0', id, app_id, previous_secret, created_at, previous_until FROM webhook_endpoints WHERE previous_secret IS NOT NULL AND previous_until > now();

ALTER TABLE webhook_endpoints
    ADD COLUMN url_key text,            -- the address as it is compared; NULL: another of the app had it first, before this column
    ADD COLUMN gone_since timestamptz,  -- since when each answer is 410
    ADD COLUMN missed_from timestamptz, -- orders that changed since, after missed_id, are still to be told; NULL: none
    ADD COLUMN missed_id text NOT NULL DEFAULT '',
    ADD COLUMN missed_until timestamptz;
UPDATE webhook_endpoints e SET url_key = url
    WHERE NOT EXISTS (SELECT FROM webhook_endpoints x WHERE x.app_id = e.app_id AND x.url = e.url AND x.id < e.id);
CREATE UNIQUE INDEX webhook_endpoints_url_once ON webhook_endpoints (app_id, url_key);
CREATE INDEX webhook_endpoints_behind ON webhook_endpoints (id) WHERE missed_from IS NOT NULL;

-- +goose Down
DROP TABLE webhook_secrets;
DROP INDEX webhook_endpoints_url_once;
DROP INDEX webhook_endpoints_behind;
ALTER TABLE webhook_endpoints DROP COLUMN url_key, DROP COLUMN gone_since, DROP COLUMN missed_from, DROP COLUMN missed_id, DROP COLUMN missed_until;
