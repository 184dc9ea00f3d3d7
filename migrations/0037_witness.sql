-- +goose Up
SET LOCAL lock_timeout = '500ms';

-- Each running hub counts a row of its own up once a second and remembers the
-- last number that was acknowledged. A smaller number, or no row, says that the
-- database went back in time: a backup was restored under the hub, or a standby
-- was promoted that had not got everything.
CREATE TABLE witness (
    process    text PRIMARY KEY, -- one run of a hub; a new one after each alarm
    n          bigint NOT NULL,
    at         timestamptz NOT NULL, -- when it was counted up last, by the hub's clock
    started_at timestamptz NOT NULL,
    system     text NOT NULL, -- of the PostgreSQL that it was started on: the system identifier and the timeline
    timeline   text NOT NULL
);

-- Providers whose money-out is closed, because history was lost, or was closed
-- once. What is about to move money is not committed while the row says closed.
CREATE TABLE fences (
    provider  text PRIMARY KEY,
    id        text NOT NULL, -- of this closing
    state     text NOT NULL CONSTRAINT fences_state CHECK (state IN ('closed', 'each', 'open')), -- each: an order after a read of its own
    mark      timestamptz NOT NULL, -- what was acknowledged before this is on record
    reason    text NOT NULL,
    who       text NOT NULL,   -- closed it: the hub, or a person
    at        timestamptz NOT NULL,
    checked   bigint NOT NULL, -- reads of payments since then
    found     bigint NOT NULL, -- payments of the list that carry this hub's name and were on no record
    error     text NOT NULL,   -- why the list cannot be read
    opened_at timestamptz,
    opened    text NOT NULL    -- who or what opened it, and what was not checked
);

-- +goose Down
DROP TABLE fences, witness;
