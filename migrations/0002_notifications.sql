-- +goose Up
-- Notifications: our signed calls to apps (Standard Webhooks). They are written
-- in the statement of the change that they tell of.

CREATE TABLE webhook_endpoints (
    id              text PRIMARY KEY,
    app_id          text NOT NULL REFERENCES apps,
    url             text NOT NULL,
    secret          bytea NOT NULL,
    previous_secret bytea, -- signs beside the new one until previous_until
    previous_until  timestamptz,
    failing_since   timestamptz,
    disabled_at     timestamptz,
    disabled_reason text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL
);
CREATE INDEX webhook_endpoints_by_app ON webhook_endpoints (app_id);

CREATE TABLE notifications (
    id           text PRIMARY KEY,
    app_id       text NOT NULL,
    endpoint_id  text NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    order_id     text NOT NULL,
    type         text NOT NULL,
    version      bigint NOT NULL,
    payload      text NOT NULL, -- the whole order as it stood: JSON, no secrets
    state        text NOT NULL CONSTRAINT notifications_state CHECK (state IN ('pending', 'delivered', 'failed')),
    due_at       timestamptz,
    tries        int NOT NULL,
    last_status  int NOT NULL DEFAULT 0,
    last_error   text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL,
    delivered_at timestamptz
);
CREATE INDEX notifications_due ON notifications (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notifications_by_app ON notifications (app_id, id DESC);
CREATE INDEX notifications_by_order ON notifications (order_id);

-- Each try of a notification.
CREATE TABLE deliveries (
    id              text PRIMARY KEY,
    notification_id text NOT NULL REFERENCES notifications ON DELETE CASCADE,
    at              timestamptz NOT NULL,
    status          int NOT NULL, -- 0: no answer
    error           text NOT NULL,
    took_ms         int NOT NULL
);
CREATE INDEX deliveries_by_notification ON deliveries (notification_id);

-- +goose Down
DROP TABLE deliveries, notifications, webhook_endpoints;
