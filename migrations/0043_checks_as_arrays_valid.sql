-- +goose Up
SET LOCAL lock_timeout = '500ms';

-- Reads the tables once, beside hubs that write.
ALTER TABLE orders VALIDATE CONSTRAINT orders_status;
ALTER TABLE orders VALIDATE CONSTRAINT orders_mode;
ALTER TABLE attempts VALIDATE CONSTRAINT attempts_status;
ALTER TABLE attempts VALIDATE CONSTRAINT attempts_mode;
ALTER TABLE attempts VALIDATE CONSTRAINT attempts_capture_mode;
ALTER TABLE captures VALIDATE CONSTRAINT captures_status;
ALTER TABLE refunds VALIDATE CONSTRAINT refunds_status;
ALTER TABLE refunds VALIDATE CONSTRAINT refunds_origin;
ALTER TABLE operations VALIDATE CONSTRAINT operations_outcome;
ALTER TABLE operations VALIDATE CONSTRAINT operations_kind;
ALTER TABLE events VALIDATE CONSTRAINT events_source;
ALTER TABLE callbacks VALIDATE CONSTRAINT callbacks_outcome;
ALTER TABLE callbacks VALIDATE CONSTRAINT callbacks_verdict;
ALTER TABLE notifications VALIDATE CONSTRAINT notifications_state;

-- +goose Down
SELECT 1;
