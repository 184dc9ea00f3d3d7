-- +goose Up
SET LOCAL lock_timeout = '500ms';

-- A third kind of list, of what a provider knows since the mark of a fence.
ALTER TABLE schedules DROP CONSTRAINT schedules_kind,
    ADD CONSTRAINT schedules_kind CHECK (kind IN ('daily', 'outage', 'fence')) NOT VALID;

-- +goose Down
DELETE FROM schedules WHERE kind = 'fence';
ALTER TABLE schedules DROP CONSTRAINT schedules_kind,
    ADD CONSTRAINT schedules_kind CHECK (kind IN ('daily', 'outage'));
