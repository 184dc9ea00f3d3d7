-- +goose Up
-- What the provider keeps for a dispute, in a currency of its own choice.
ALTER TABLE disputes
    ADD COLUMN fee          bigint NOT NULL DEFAULT 0, -- 0: it did not say
    ADD COLUMN fee_currency text   NOT NULL DEFAULT '',
    ADD COLUMN fee_exponent int    NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE disputes DROP COLUMN fee, DROP COLUMN fee_currency, DROP COLUMN fee_exponent;
