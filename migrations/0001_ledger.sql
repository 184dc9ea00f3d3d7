-- +goose Up
-- The ledger: what apps want paid, every try at a provider, every cent that
-- moved, everything that was asked and everything that was heard.
--
-- Amounts are integers in minor units of the row's currency. Ids are prefixed
-- ULIDs made by the hub. No statement of the ledger uses now(): time comes from
-- the hub's clock. Columns of type bytea are encrypted with the hub's key.

CREATE TABLE hub (
    -- One row. The instance id travels in providers' metadata, so that two hubs
    -- on one provider account do not take each other's payments for their own.
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    instance_id text NOT NULL,
    key_check   bytea NOT NULL -- a known text under the hub's key: a wrong key is found at start
);

CREATE TABLE apps (
    id         text PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);

CREATE TABLE api_keys (
    id         text PRIMARY KEY,
    app_id     text NOT NULL REFERENCES apps,
    hash       bytea NOT NULL UNIQUE, -- SHA-256 of a 256-bit random secret: needs no salt
    hint       text NOT NULL,         -- the first characters, to tell keys apart
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

-- The providers an app may use. '*' grants all.
CREATE TABLE app_providers (
    app_id   text NOT NULL REFERENCES apps,
    provider text NOT NULL,
    PRIMARY KEY (app_id, provider)
);

CREATE TABLE orders (
    id              text PRIMARY KEY,
    app_id          text NOT NULL REFERENCES apps,
    reference       text NOT NULL,
    amount          bigint NOT NULL CONSTRAINT orders_amount_positive CHECK (amount > 0),
    currency        text NOT NULL,
    exponent        int NOT NULL,
    status          text NOT NULL CONSTRAINT orders_status CHECK (status IN
        ('open', 'pending', 'authorized', 'paid', 'partially_refunded', 'refunded', 'canceled', 'expired')),
    attention       jsonb NOT NULL,
    needs_attention boolean NOT NULL,
    authorized      bigint NOT NULL,
    captured        bigint NOT NULL,
    refunded        bigint NOT NULL,
    disputed        bigint NOT NULL,
    refundable      bigint NOT NULL CONSTRAINT orders_refundable CHECK (refundable >= 0),
    description     text NOT NULL,
    line_items      jsonb,
    customer        jsonb NOT NULL,
    metadata        jsonb,
    return_url      text NOT NULL,
    cancel_url      text NOT NULL,
    cancel_asked_at timestamptz,
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    -- Guards the order and everything below it: written only at the version read.
    version         bigint NOT NULL,
    CONSTRAINT orders_reference_once UNIQUE (app_id, reference)
);
CREATE INDEX orders_by_app ON orders (app_id, id DESC);
CREATE INDEX orders_by_app_status ON orders (app_id, status, id DESC);
CREATE INDEX orders_needing_attention ON orders (id DESC) WHERE needs_attention;

CREATE TABLE attempts (
    id             text PRIMARY KEY,
    order_id       text NOT NULL REFERENCES orders,
    provider       text NOT NULL,
    plugin         text NOT NULL,
    flow           text NOT NULL,
    mode           text NOT NULL,
    capture_mode   text NOT NULL,
    status         text NOT NULL CONSTRAINT attempts_status CHECK (status IN
        ('created', 'unknown', 'requires_action', 'requires_confirmation', 'pending', 'requires_capture', 'succeeded', 'failed', 'canceled')),
    failure        jsonb,
    authorized     bigint NOT NULL,
    captured       bigint NOT NULL,
    refunded       bigint NOT NULL,
    reserved       bigint NOT NULL,
    disputed       bigint NOT NULL,
    abandoned      boolean NOT NULL,
    capture_before timestamptz,
    expires_at     timestamptz,
    refs           jsonb NOT NULL,
    candidates     jsonb NOT NULL, -- names that might be its payment: read and checked before they count
    approved       boolean NOT NULL, -- the payer approved, and nothing was done about it yet
    continues      int NOT NULL, -- how often the hub confirmed by itself
    payer          jsonb,
    due_at         timestamptz, -- when the hub has to look at it again
    read_wanted    boolean NOT NULL, -- something was said that only a fresh read can settle
    tries          int NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    next_action    bytea,
    opaque         bytea
) WITH (fillfactor = 85);
CREATE INDEX attempts_by_order ON attempts (order_id);
CREATE INDEX attempts_due ON attempts (due_at) WHERE due_at IS NOT NULL;

-- What a provider calls a payment. One name never means two attempts: one
-- payment at a provider cannot settle two orders.
CREATE TABLE refs (
    provider   text NOT NULL,
    kind       text NOT NULL,
    value      text NOT NULL,
    attempt_id text NOT NULL REFERENCES attempts,
    order_id   text NOT NULL,
    CONSTRAINT refs_one_attempt PRIMARY KEY (provider, kind, value)
);

CREATE TABLE captures (
    id          text PRIMARY KEY,
    order_id    text NOT NULL REFERENCES orders,
    attempt_id  text NOT NULL REFERENCES attempts,
    provider    text NOT NULL,
    provider_id text NOT NULL,
    status      text NOT NULL,
    amount      bigint NOT NULL,
    currency    text NOT NULL,
    exponent    int NOT NULL,
    posted      int NOT NULL, -- how many groups of postings it caused
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT captures_once UNIQUE (provider, provider_id)
);
CREATE INDEX captures_by_order ON captures (order_id);

CREATE TABLE refunds (
    id          text PRIMARY KEY,
    order_id    text NOT NULL REFERENCES orders,
    attempt_id  text NOT NULL REFERENCES attempts,
    provider    text NOT NULL,
    provider_id text,
    capture_id  text NOT NULL,
    origin      text NOT NULL,
    status      text NOT NULL,
    amount      bigint NOT NULL,
    currency    text NOT NULL,
    exponent    int NOT NULL,
    reason      text NOT NULL,
    failure     jsonb,
    posted      int NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT refunds_once UNIQUE (provider, provider_id)
);
CREATE INDEX refunds_by_order ON refunds (order_id);

CREATE TABLE disputes (
    id              text PRIMARY KEY,
    order_id        text NOT NULL REFERENCES orders,
    attempt_id      text NOT NULL REFERENCES attempts,
    provider        text NOT NULL,
    provider_id     text NOT NULL,
    capture_id      text NOT NULL,
    status          text NOT NULL,
    funds_withdrawn boolean NOT NULL,
    amount          bigint NOT NULL,
    currency        text NOT NULL,
    exponent        int NOT NULL,
    reason          text NOT NULL,
    due_by          timestamptz,
    posted          int NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT disputes_once UNIQUE (provider, provider_id)
);
CREATE INDEX disputes_by_order ON disputes (order_id);

CREATE TABLE operations (
    id              text PRIMARY KEY,
    app_id          text NOT NULL,
    order_id        text NOT NULL REFERENCES orders,
    attempt_id      text REFERENCES attempts,
    refund_id       text REFERENCES refunds,
    kind            text NOT NULL,
    idempotency_key text,
    request_hash    text NOT NULL,
    outcome         text NOT NULL CONSTRAINT operations_outcome CHECK (outcome IN
        ('pending', 'succeeded', 'declined', 'not_sent', 'unknown')),
    rejected        boolean NOT NULL,
    failure         jsonb,
    first_sent_at   timestamptz NOT NULL,
    deadline        timestamptz NOT NULL,
    sends           int NOT NULL,
    plugin_version  text NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    request         bytea,
    CONSTRAINT operations_key_once UNIQUE (app_id, idempotency_key)
);
CREATE INDEX operations_by_order ON operations (order_id);
-- At most one open operation of an attempt: nothing else is asked of a
-- provider while an answer is missing.
CREATE UNIQUE INDEX operations_one_open ON operations (attempt_id) WHERE outcome IN ('pending', 'unknown');

CREATE TABLE callbacks (
    id          text PRIMARY KEY,
    provider    text NOT NULL,
    event_id    text NOT NULL,
    type        text NOT NULL,
    order_id    text,
    outcome     text NOT NULL,
    note        text NOT NULL,
    due_at      timestamptz,
    tries       int NOT NULL,
    received_at timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    raw         bytea,
    CONSTRAINT callbacks_once UNIQUE (provider, event_id)
);
CREATE INDEX callbacks_by_order ON callbacks (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX callbacks_due ON callbacks (due_at) WHERE due_at IS NOT NULL;

-- The timeline. Only ever added to.
CREATE TABLE events (
    id         text PRIMARY KEY,
    order_id   text NOT NULL,
    attempt_id text,
    at         timestamptz NOT NULL,
    kind       text NOT NULL,
    source     text NOT NULL,
    request_id text NOT NULL,
    data       jsonb NOT NULL
);
CREATE INDEX events_by_order ON events (order_id, id);

-- The double-entry journal. Only ever added to. A group of lines belongs to
-- one stage of one movement and sums to zero in each currency. Positive is
-- debit: what a provider holds for us; negative is credit: what is owed.
-- Nothing is posted for what is only authorised, pending or reserved.
CREATE TABLE postings (
    id          text PRIMARY KEY,
    order_id    text NOT NULL,
    provider    text NOT NULL,
    movement_id text NOT NULL, -- the hub's id of the capture, refund or dispute
    stage       text NOT NULL,
    account     text NOT NULL,
    amount      bigint NOT NULL CONSTRAINT postings_not_zero CHECK (amount <> 0),
    currency    text NOT NULL,
    exponent    int NOT NULL,
    at          timestamptz NOT NULL,
    CONSTRAINT postings_once UNIQUE (movement_id, stage, account)
);
CREATE INDEX postings_by_order ON postings (order_id);
CREATE INDEX postings_by_account ON postings (account, currency);

-- +goose Down
DROP TABLE postings, events, callbacks, operations, disputes, refunds, captures, refs, attempts, orders, app_providers, api_keys, apps, hub;
