-- +goose Up
SET LOCAL lock_timeout = '500ms';
-- How a movement stands in the merchant's balance at the provider: by how much it rose
-- before the fee (gross, in fee_currency; NULL: not told), and from when that can be
-- paid out. A refund has a fee too: PayPal gives some of the payment's back. Of a dispute
-- also how many lines of the balance were told: what tells of fewer is older.
-- Of an attempt until when the provider is sure to pay what is authorised (NULL: it did not
-- say), and when its status last changed by what the provider said: a read that shows an
-- earlier one soon after that may just lag.
--
-- A hub of before takes a movement back without what is posted here, so it must not go on
-- beside this one; `hub ledger verify` names what it left. The tables come in the order in
-- which a commit locks them.
ALTER TABLE attempts ADD COLUMN honored_until timestamptz, ADD COLUMN moved_at timestamptz;
ALTER TABLE captures ADD COLUMN gross bigint, ADD COLUMN available_at timestamptz;
ALTER TABLE refunds
    ADD COLUMN fee          bigint NOT NULL DEFAULT 0,
    ADD COLUMN fee_currency text   NOT NULL DEFAULT '',
    ADD COLUMN fee_exponent int    NOT NULL DEFAULT 0,
    ADD COLUMN gross        bigint,
    ADD COLUMN available_at timestamptz;
ALTER TABLE disputes ADD COLUMN gross bigint, ADD COLUMN available_at timestamptz, ADD COLUMN lines int NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE disputes DROP COLUMN gross, DROP COLUMN available_at, DROP COLUMN lines;
ALTER TABLE refunds DROP COLUMN fee, DROP COLUMN fee_currency, DROP COLUMN fee_exponent, DROP COLUMN gross, DROP COLUMN available_at;
ALTER TABLE captures DROP COLUMN gross, DROP COLUMN available_at;
ALTER TABLE attempts DROP COLUMN honored_until, DROP COLUMN moved_at;
