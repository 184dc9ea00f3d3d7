-- +goose Up
SET LOCAL lock_timeout = '500ms';

-- The ledger is checked in the background, in small slices that several hubs
-- share: a row for each kind of check, leased by pushing its due time ahead.
CREATE TABLE ledger_checks (
    kind       text PRIMARY KEY CONSTRAINT ledger_checks_kind CHECK (kind IN ('changed', 'all')),
    due_at     timestamptz NOT NULL,
    cursor     text NOT NULL,        -- where the next slice begins
    began_at   timestamptz,          -- of the pass under way; null between passes
    checked_to timestamptz NOT NULL, -- everything that was recorded before this was checked
    orders     bigint NOT NULL,      -- checked by the pass under way, or by the last one
    error      text NOT NULL         -- why the last slice failed
);
INSERT INTO ledger_checks (kind, due_at, cursor, checked_to, orders, error)
    VALUES ('changed', 'epoch', '', 'epoch', 0, ''), ('all', 'epoch', '', 'epoch', 0, '');

-- Values that differ from what the rest of the record implies, seen twice.
-- Dropped when a later check finds them consistent.
CREATE TABLE ledger_doubts (
    part       text NOT NULL, -- of the check that found it
    order_id   text NOT NULL,
    law        text NOT NULL,
    row_name   text NOT NULL,
    field      text NOT NULL,
    expected   text NOT NULL,
    found      text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen  timestamptz NOT NULL,
    PRIMARY KEY (order_id, part, law, row_name, field)
);

-- What the hub itself gives. What only a provider says, as the status of a
-- dispute, stays text: it must be recordable whatever it is. The tables come in
-- the order in which commits take them.
ALTER TABLE orders ADD CONSTRAINT orders_mode CHECK (mode IN ('', 'live', 'test')) NOT VALID;
ALTER TABLE attempts
    ADD CONSTRAINT attempts_mode CHECK (mode IN ('', 'live', 'test')) NOT VALID,
    ADD CONSTRAINT attempts_capture_mode CHECK (capture_mode IN ('automatic', 'manual')) NOT VALID;
ALTER TABLE captures ADD CONSTRAINT captures_status CHECK (status IN ('pending', 'succeeded', 'failed')) NOT VALID;
ALTER TABLE refunds
    ADD CONSTRAINT refunds_status CHECK (status IN ('pending', 'succeeded', 'failed', 'unknown')) NOT VALID,
    ADD CONSTRAINT refunds_origin CHECK (origin IN ('hub', 'provider')) NOT VALID;
ALTER TABLE operations ADD CONSTRAINT operations_kind CHECK (kind IN ('create', 'confirm', 'capture', 'cancel', 'refund')) NOT VALID;
ALTER TABLE events ADD CONSTRAINT events_source CHECK (source IN ('app', 'callback', 'read', 'operation', 'hub', 'operator')) NOT VALID;
ALTER TABLE callbacks ADD CONSTRAINT callbacks_verdict CHECK (verdict IN ('genuine', 'forged', 'cannot_check', 'not_ours')) NOT VALID;

-- +goose Down
ALTER TABLE callbacks DROP CONSTRAINT callbacks_verdict;
ALTER TABLE events DROP CONSTRAINT events_source;
ALTER TABLE operations DROP CONSTRAINT operations_kind;
ALTER TABLE refunds DROP CONSTRAINT refunds_status, DROP CONSTRAINT refunds_origin;
ALTER TABLE captures DROP CONSTRAINT captures_status;
ALTER TABLE attempts DROP CONSTRAINT attempts_mode, DROP CONSTRAINT attempts_capture_mode;
ALTER TABLE orders DROP CONSTRAINT orders_mode;
DROP TABLE ledger_doubts, ledger_checks;
