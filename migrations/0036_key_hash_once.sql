-- +goose NO TRANSACTION
-- +goose Up
-- One operation for each app's key, also where only the key's hash is known. A
-- build that broke off leaves an invalid index behind.
DROP INDEX CONCURRENTLY IF EXISTS operations_key_hash_once;
CREATE UNIQUE INDEX CONCURRENTLY operations_key_hash_once ON operations (app_id, key_hash) WHERE key_hash IS NOT NULL;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS operations_key_hash_once;
