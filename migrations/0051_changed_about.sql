-- +goose Up
-- The hub writes changed_about, which is updated_at rounded down to ten seconds:
-- PostgreSQL parses the expression of a generated column anew for each statement
-- that writes the table.
SET LOCAL lock_timeout = '500ms';
ALTER TABLE orders ALTER changed_about DROP EXPRESSION IF EXISTS;

-- +goose Down
SET LOCAL lock_timeout = '500ms';
ALTER TABLE orders DROP COLUMN changed_about;
ALTER TABLE orders ADD COLUMN changed_about timestamptz
    GENERATED ALWAYS AS (date_bin('10 seconds', updated_at, timestamptz '2000-01-01 00:00:00+00')) STORED;
CREATE INDEX orders_by_change ON orders (app_id, changed_about);
