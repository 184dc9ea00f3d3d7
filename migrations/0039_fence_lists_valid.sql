-- +goose Up
SET LOCAL lock_timeout = '500ms';
ALTER TABLE schedules VALIDATE CONSTRAINT schedules_kind;

-- +goose Down
SELECT 1;
