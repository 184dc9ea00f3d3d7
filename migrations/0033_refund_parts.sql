-- +goose Up
-- A refund over several captures is carried out in parts, one capture each: a
-- part names the refund that was asked for, and its own key at the provider.
-- asked is what the hub asked for, while the provider did something else.
SET LOCAL lock_timeout = '500ms';
ALTER TABLE refunds
    ADD COLUMN part_of  text,
    ADD COLUMN part_key text,
    ADD COLUMN asked    bigint;

-- +goose Down
ALTER TABLE refunds DROP COLUMN part_of, DROP COLUMN part_key, DROP COLUMN asked;
