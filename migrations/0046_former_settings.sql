-- +goose Up
SET LOCAL lock_timeout = '500ms';
-- Of settings with several values: until when those after the first count.
ALTER TABLE providers ADD COLUMN former_until jsonb NOT NULL DEFAULT '{}';

-- +goose Down
ALTER TABLE providers DROP COLUMN former_until;
