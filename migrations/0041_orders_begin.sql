-- +goose Up
-- An order begins at version 1. Where the database went back to before an order,
-- a later change of it must not make it anew, for all but the change would be
-- missing. AFTER INSERT, since a row that meets its order becomes an UPDATE.
SET LOCAL lock_timeout = '500ms';
-- +goose StatementBegin
CREATE FUNCTION orders_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'order % is not on record, so version % of it is not written', NEW.id, NEW.version
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'orders_begin';
END $$;
-- +goose StatementEnd
CREATE TRIGGER orders_begin AFTER INSERT ON orders FOR EACH ROW WHEN (NEW.version > 1) EXECUTE FUNCTION orders_begin();

-- +goose Down
DROP TRIGGER orders_begin ON orders;
DROP FUNCTION orders_begin();
