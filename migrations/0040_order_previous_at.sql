-- +goose Up
-- A change is written only over the version that it was decided on. The number of
-- that version tells it from all others, except where the database went back in
-- time and the order has changed anew: there the time of the version does.
SET LOCAL lock_timeout = '500ms';
ALTER TABLE orders ADD COLUMN previous_at timestamptz; -- updated_at of the version before; NULL: there is none, or it is from before this column

-- +goose Down
ALTER TABLE orders DROP COLUMN previous_at;
