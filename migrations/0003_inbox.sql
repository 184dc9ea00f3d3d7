-- +goose Up
-- The inbox: what came of each callback can be seen, found and repaired.

ALTER TABLE callbacks
    -- What the plugin last said of it. Only what was genuine is ever stored.
    ADD COLUMN verdict text NOT NULL DEFAULT 'genuine',
    -- Who had it replayed, when and why: the last few.
    ADD COLUMN replays jsonb,
    ADD CONSTRAINT callbacks_outcome CHECK (outcome IN
        ('applied', 'no_news', 'ignored', 'unmatched', 'foreign', 'failed', 'parked'));

-- Ids grow with time, so each of these lists the newest first.
CREATE INDEX callbacks_by_provider ON callbacks (provider, id DESC);
CREATE INDEX callbacks_by_type ON callbacks (type, id DESC);
-- The few that went wrong. The many that went well are found without an index.
CREATE INDEX callbacks_in_trouble ON callbacks (outcome, id DESC) WHERE outcome IN ('unmatched', 'foreign', 'failed', 'parked');
-- Those whose body is still to be erased, the oldest first.
CREATE INDEX callbacks_with_body ON callbacks (received_at) WHERE raw IS NOT NULL;

-- Until when a worker has the attempt to itself, apart from when it is due: a
-- callback that comes meanwhile makes it due once more, and is not worked on
-- beside the first.
ALTER TABLE attempts ADD COLUMN leased_until timestamptz;

-- +goose Down
ALTER TABLE attempts DROP COLUMN leased_until;
DROP INDEX callbacks_by_provider, callbacks_by_type, callbacks_in_trouble, callbacks_with_body;
ALTER TABLE callbacks DROP COLUMN verdict, DROP COLUMN replays, DROP CONSTRAINT callbacks_outcome;
