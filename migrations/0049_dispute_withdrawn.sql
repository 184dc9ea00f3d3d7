-- +goose Up
SET LOCAL lock_timeout = '500ms';
-- How much of a dispute's amount is withdrawn; NULL: all of it, where funds_withdrawn.
ALTER TABLE disputes ADD COLUMN withdrawn bigint CHECK (withdrawn >= 0);

-- +goose Down
ALTER TABLE disputes DROP COLUMN withdrawn;
