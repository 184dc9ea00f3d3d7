-- +goose Up
-- The console's lists and searches, which go over the orders of all apps.
--
-- An order's id begins with the time it was made at, so every index that ends
-- with the id gives its orders newest first, and a range of time is a range of
-- ids. Lists can be narrowed by several things at once: the planner walks down
-- the ids where much fits, and intersects indexes where little does.

ALTER TABLE orders
    -- Of the order's current attempt: beside it, a list needs no join.
    ADD COLUMN provider text NOT NULL DEFAULT '',
    ADD COLUMN flow     text NOT NULL DEFAULT '',
    ADD COLUMN mode     text NOT NULL DEFAULT '',
    -- Byte order lets the index of references also find by their beginning.
    ALTER COLUMN reference TYPE text COLLATE "C",
    -- Room on each page for the first changes of an order, which move no index.
    SET (fillfactor = 80);

UPDATE orders o SET provider = a.provider, flow = a.flow, mode = a.mode FROM (
    SELECT DISTINCT ON (order_id) order_id, provider, flow, mode FROM attempts
    ORDER BY order_id, captured DESC, status IN ('failed', 'canceled'), id DESC) a
WHERE a.order_id = o.id;

-- Serves an app's list by status as well: one index less to keep.
CREATE INDEX orders_by_status ON orders (status, id DESC);
DROP INDEX orders_by_app_status;
CREATE INDEX orders_by_flow ON orders (provider, flow, id DESC);
CREATE INDEX orders_by_currency ON orders (currency, id DESC);
CREATE INDEX orders_in_test ON orders (id DESC) WHERE mode = 'test';
CREATE INDEX orders_by_amount ON orders (amount, id DESC);
CREATE INDEX orders_disputed ON orders (id DESC) WHERE disputed > 0;
CREATE INDEX orders_by_email ON orders (lower(customer->>'email'), id DESC) WHERE customer->>'email' <> '';
CREATE INDEX attempts_by_payer ON attempts (lower(payer->>'email'), order_id DESC) WHERE payer->>'email' <> '';
CREATE INDEX refunds_in_doubt ON refunds (status, order_id DESC) WHERE status IN ('failed', 'unknown');

-- Which of these go together: without it the planner takes them for independent.
CREATE STATISTICS orders_together (mcv) ON status, provider, flow, mode, currency, app_id FROM orders;
ALTER STATISTICS orders_together SET STATISTICS 500;

-- +goose Down
DROP STATISTICS orders_together;
DROP INDEX orders_by_status, orders_by_flow, orders_by_currency, orders_in_test, orders_by_amount, orders_disputed, orders_by_email, attempts_by_payer, refunds_in_doubt;
ALTER TABLE orders DROP COLUMN provider, DROP COLUMN flow, DROP COLUMN mode, RESET (fillfactor), ALTER COLUMN reference TYPE text;
CREATE INDEX orders_by_app_status ON orders (app_id, status, id DESC);
