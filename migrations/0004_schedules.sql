-- +goose Up
-- What is looked at by the clock. Attempts count how often in a row the provider
-- could not be read, apart from how often it was; and remember of which
-- authorisation's end their app was warned.

ALTER TABLE attempts ADD COLUMN failures int NOT NULL DEFAULT 0, ADD COLUMN warned_for timestamptz;

-- Work that comes round, a row for each provider and kind. A run lists what the
-- provider knows since a time, page by page; the cursor is kept, so that another
-- hub goes on where one died.
CREATE TABLE schedules (
    provider  text NOT NULL,
    kind      text NOT NULL CONSTRAINT schedules_kind CHECK (kind IN ('daily', 'outage')),
    due_at    timestamptz,
    tries     int NOT NULL,         -- looks in a row that failed, the one under way included
    since     timestamptz,          -- of the run under way; null between runs
    began_at  timestamptz,          -- likewise, when it began
    cursor    text NOT NULL,        -- likewise, of its next page
    known_to  timestamptz NOT NULL, -- everything before this was listed; of an outage: when the provider was last seen up
    listed    bigint NOT NULL,      -- payments of the last run, or of the one under way
    news      bigint NOT NULL,      -- of them those that told something new
    not_ours  bigint NOT NULL,      -- of them those that are no business of this hub
    error     text NOT NULL,        -- why the last look failed
    PRIMARY KEY (provider, kind)
);

-- Payments at a provider that carry this hub's name and belong to no attempt of
-- it: somebody has to look. There is no order that they could be posted to.
CREATE TABLE unmatched (
    provider    text NOT NULL,
    ref         text NOT NULL, -- the provider's own name of the payment, kind and value
    attempt_id  text NOT NULL, -- that the provider's metadata name
    certain     boolean NOT NULL, -- they name this hub, too; else it may be another hub's on the same account
    status      text NOT NULL,
    amount      bigint NOT NULL,
    captured    bigint NOT NULL,
    refunded    bigint NOT NULL,
    currency    text NOT NULL,
    exponent    int NOT NULL,
    first_seen  timestamptz NOT NULL,
    last_seen   timestamptz NOT NULL,
    resolved_at timestamptz,
    resolution  text NOT NULL DEFAULT '', -- who, and why
    PRIMARY KEY (provider, ref)
);
CREATE INDEX unmatched_open ON unmatched (provider, first_seen) WHERE resolved_at IS NULL;

-- +goose Down
DROP TABLE unmatched, schedules;
ALTER TABLE attempts DROP COLUMN failures, DROP COLUMN warned_for;
