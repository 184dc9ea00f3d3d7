-- +goose Up
-- What is due is claimed by provider: those of one that is not to be asked now
-- may be many, and are not walked over for those of the others.
CREATE INDEX attempts_due_by_provider ON attempts (provider, due_at) WHERE due_at IS NOT NULL;
DROP INDEX attempts_due;

-- +goose Down
CREATE INDEX attempts_due ON attempts (due_at) WHERE due_at IS NOT NULL;
DROP INDEX attempts_due_by_provider;
