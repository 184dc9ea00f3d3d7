-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE callbacks VALIDATE CONSTRAINT callbacks_outcome;
-- The few whose events no read shows, the newest first.
DROP INDEX CONCURRENTLY IF EXISTS callbacks_owed; -- what a migration that was cut off left
CREATE INDEX CONCURRENTLY callbacks_owed ON callbacks (outcome, id DESC) WHERE outcome IN ('owed', 'unconfirmed');

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS callbacks_owed;
