-- +goose Up
SET LOCAL lock_timeout = '500ms';
-- Why a pending capture waits, in the provider's word; NULL: it does not, or the
-- provider did not say.
ALTER TABLE captures ADD COLUMN pending_reason text;

-- +goose Down
ALTER TABLE captures DROP COLUMN pending_reason;
