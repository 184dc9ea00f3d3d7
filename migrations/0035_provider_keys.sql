-- +goose Up
-- What has to survive a database that is restored from a backup: the key under
-- which a provider knows what an app asked for derives from a secret of the hub
-- and the app's own key, so the same request is known again.
SET LOCAL lock_timeout = '500ms';
ALTER TABLE hub
    ADD COLUMN secret        bytea, -- encrypted; made once, by the first hub that finds none
    -- Added to the versions of orders that apps see: unix milliseconds of the
    -- last time that the database was known to have gone back; 0 if it never did.
    ADD COLUMN version_floor bigint NOT NULL DEFAULT 0;
ALTER TABLE operations
    ADD COLUMN provider_key text,    -- written once; NULL: the id (the hub's own operations, and those from before this column)
    ADD COLUMN key_hash     text,    -- in place of the app's key, where only the provider's metadata told of it
    ADD COLUMN arrived      boolean; -- the provider said that it knows the key: it never ends as never having arrived

-- +goose Down
ALTER TABLE operations DROP COLUMN provider_key, DROP COLUMN key_hash, DROP COLUMN arrived;
ALTER TABLE hub DROP COLUMN secret, DROP COLUMN version_floor;
