-- +goose NO TRANSACTION
-- +goose Up
-- Room on each page for the changes of orders that are made at the same moment: where
-- it is full, a change writes into all of the table's indexes. With a fifth of the page
-- free that was a third of the changes in a busy hub, with a third one in six.
ALTER TABLE orders SET (fillfactor = 65);
-- Each line of the journal was written into four indexes; nobody read by account, and
-- what finds the lines of an order can also hold that each is there once: a movement
-- has one order.
DROP INDEX CONCURRENTLY IF EXISTS postings_by_account;
DROP INDEX CONCURRENTLY IF EXISTS postings_once_of_order; -- what a migration that was cut off left
CREATE UNIQUE INDEX CONCURRENTLY postings_once_of_order ON postings (order_id, movement_id, stage, account);
-- +goose StatementBegin
DO $$ BEGIN
    SET LOCAL lock_timeout = '500ms';
    ALTER TABLE postings DROP CONSTRAINT postings_once, ADD CONSTRAINT postings_once UNIQUE USING INDEX postings_once_of_order;
END $$;
-- +goose StatementEnd
DROP INDEX CONCURRENTLY IF EXISTS postings_by_order;

-- +goose Down
ALTER TABLE orders SET (fillfactor = 80);
CREATE INDEX CONCURRENTLY IF NOT EXISTS postings_by_order ON postings (order_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS postings_by_account ON postings (account, currency);
