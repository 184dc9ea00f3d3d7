-- +goose Up
-- Upkeep: what each try of a notification brought, reads that do not wander
-- through what is done, keys that expire, orders whose payer was forgotten.

ALTER TABLE deliveries
    ADD COLUMN url     text NOT NULL DEFAULT '',
    ADD COLUMN answer  text, -- the first bytes of it; dropped when it is old
    ADD COLUMN next_at timestamptz;
CREATE INDEX deliveries_with_answer ON deliveries (id) WHERE answer IS NOT NULL;

-- What is due is claimed endpoint by endpoint: what waits for a disabled or a
-- slow one is not walked through to find the others'.
DROP INDEX notifications_due;
CREATE INDEX notifications_due ON notifications (endpoint_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notifications_by_endpoint ON notifications (endpoint_id, id DESC);
CREATE INDEX notifications_not_delivered ON notifications (state, id DESC) WHERE state <> 'delivered';

ALTER TABLE api_keys
    ADD COLUMN scope        text NOT NULL DEFAULT 'full' CONSTRAINT api_keys_scope CHECK (scope IN ('full', 'read')),
    ADD COLUMN expires_at   timestamptz,
    ADD COLUMN last_used_at timestamptz; -- to about ten minutes
CREATE INDEX api_keys_by_app ON api_keys (app_id);

-- Set: the payer's personal data was erased, and is not taken in again.
ALTER TABLE orders ADD COLUMN erased_at timestamptz;

-- +goose Down
ALTER TABLE orders DROP COLUMN erased_at;
DROP INDEX api_keys_by_app;
ALTER TABLE api_keys DROP COLUMN scope, DROP COLUMN expires_at, DROP COLUMN last_used_at;
DROP INDEX notifications_not_delivered, notifications_by_endpoint, notifications_due;
CREATE INDEX notifications_due ON notifications (due_at) WHERE due_at IS NOT NULL;
DROP INDEX deliveries_with_answer;
ALTER TABLE deliveries DROP COLUMN url, DROP COLUMN answer, DROP COLUMN next_at;
