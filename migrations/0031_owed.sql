-- +goose Up
SET LOCAL lock_timeout = '500ms';

-- What events said of an attempt and no read has shown yet: a list, with the
-- steps of the reads that are made for it. NULL: nothing.
ALTER TABLE attempts ADD COLUMN owed jsonb;

-- A callback stays owed until a source agrees with it, or is unconfirmed.
ALTER TABLE callbacks DROP CONSTRAINT callbacks_outcome,
    ADD CONSTRAINT callbacks_outcome CHECK (outcome IN
        ('applied', 'no_news', 'ignored', 'unmatched', 'foreign', 'failed', 'parked', 'owed', 'unconfirmed')) NOT VALID;

-- +goose Down
SET LOCAL lock_timeout = '500ms';
UPDATE callbacks SET outcome = 'no_news' WHERE outcome IN ('owed', 'unconfirmed');
ALTER TABLE callbacks DROP CONSTRAINT callbacks_outcome,
    ADD CONSTRAINT callbacks_outcome CHECK (outcome IN
        ('applied', 'no_news', 'ignored', 'unmatched', 'foreign', 'failed', 'parked'));
ALTER TABLE attempts DROP COLUMN owed;
