-- +goose Up
-- What the overview shows, counted by the hour in which orders were made. The
-- worker counts an hour anew when an order of it changed; nothing on the way of
-- a payment writes here, and all of it can be made again from the orders.

CREATE TABLE order_hours (
    hour     timestamptz NOT NULL,
    mode     text NOT NULL,
    provider text NOT NULL,
    flow     text NOT NULL,
    currency text NOT NULL,
    exponent int NOT NULL,
    orders   bigint NOT NULL,
    paid     bigint NOT NULL, -- of them, that took money
    returned bigint NOT NULL, -- of them, that gave some back
    captured numeric NOT NULL,
    refunded numeric NOT NULL,
    disputed numeric NOT NULL,
    journal  numeric NOT NULL,  -- what the postings say remains at the provider, fees included
    settled  bigint[] NOT NULL, -- of the paid, by how long it took: see settleSteps
    PRIMARY KEY (mode, hour, provider, flow, currency)
);

CREATE TABLE order_hours_known (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    as_of   timestamptz NOT NULL, -- what changed before that is counted
    back_to timestamptz NOT NULL  -- hours from then on were counted at least once
);

-- +goose Down
DROP TABLE order_hours, order_hours_known;
