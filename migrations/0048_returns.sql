-- +goose Up
SET LOCAL lock_timeout = '500ms';
-- What a payer's browser brought back from the provider, until it is confirmed with.
CREATE TABLE returns (
	attempt_id text PRIMARY KEY REFERENCES attempts (id) ON DELETE CASCADE,
	brought    bytea NOT NULL, -- encrypted
	at         timestamptz NOT NULL
);

-- +goose Down
DROP TABLE returns;
