-- +goose Up
-- The id of the last change of an order, if that change left no other row that
-- only it writes: a hub that lost the answer of its commit knows it again.
SET LOCAL lock_timeout = '500ms';
ALTER TABLE orders ADD COLUMN write_id text;

-- +goose Down
ALTER TABLE orders DROP COLUMN write_id;
