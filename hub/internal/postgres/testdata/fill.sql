-- Fills the ledger with :n orders of two years, with everything that hangs on
-- them in the proportions of a real house. fill.n says how many.
-- Some things are old, or never go together, on purpose: that is where a
-- search is slow if its plan is wrong.

-- The ten characters of time that a ULID begins with.
CREATE FUNCTION pg_temp.ulid_time(ms bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE out text := ''; BEGIN
    FOR k IN REVERSE 9..0 LOOP out := out || substr('0123456789abcdefghjkmnpqrstvwxyz', ((ms >> (5 * k)) & 31)::int + 1, 1); END LOOP;
    RETURN out;
END $$;
-- A prefix and a ULID of that time; the rest looks random.
CREATE FUNCTION pg_temp.id(prefix text, t text, seed text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT prefix || '_' || t || substr(md5(prefix || seed), 1, 16) $$;

INSERT INTO apps (id, name, created_at) SELECT 'app_' || k, (ARRAY['Bookshop', 'Travel', 'Old shop'])[k], '2024-11-01Z' FROM generate_series(1, 3) k;
INSERT INTO webhook_endpoints (id, app_id, url, secret, created_at) SELECT 'we_' || k, 'app_' || k, 'https://app.example/' || k, '', '2024-11-01Z' FROM generate_series(1, 3) k;

CREATE TEMP TABLE filled AS
SELECT i, n, at, t, pg_temp.id('ord', t, i::text) AS id, pg_temp.id('att', t, i::text) AS attempt_id,
    -- The old shop is closed; old dinars; authorisations that nobody took are old, and few are new.
    CASE WHEN i < n / 10 AND h % 3 = 0 THEN 'app_3' WHEN h % 4 = 0 THEN 'app_2' ELSE 'app_1' END AS app_id,
    CASE WHEN i < n / 50 AND h % 5 = 0 THEN 'KWD' WHEN h % 17 = 0 THEN 'JPY' WHEN h % 3 = 0 THEN 'USD' ELSE 'EUR' END AS currency,
    CASE WHEN i < n / 50 AND h % 5 = 0 THEN 3 WHEN h % 17 = 0 THEN 0 ELSE 2 END AS exponent,
    CASE WHEN h % 10 < 6 THEN 'stripe' WHEN h % 997 = 1 THEN 'stripe_eu' ELSE 'paypal' END AS provider,
    CASE WHEN h % 10 < 4 THEN 'checkout_session' WHEN h % 10 < 5 THEN 'charge' WHEN h % 10 < 6 OR h % 997 = 1 THEN 'apple_pay' WHEN h % 10 < 9 THEN 'server' ELSE 'client' END AS flow,
    CASE WHEN h % 200 = 7 THEN 'test' ELSE 'live' END AS mode,
    CASE WHEN n - i < greatest(n / 500, 20) THEN (ARRAY['open', 'paid', 'pending', 'paid'])[1 + h % 4]
        WHEN i < n / 4 AND h % 20 = 1 OR h % 5000 = 1 THEN 'authorized' WHEN h % 100 < 12 THEN 'expired' WHEN h % 100 < 17 THEN 'canceled'
        WHEN h % 100 < 23 THEN 'refunded' WHEN h % 100 < 27 THEN 'partially_refunded' ELSE 'paid' END AS status,
    CASE WHEN h % 50 = 0 THEN 999 ELSE 100 + (h * 7919) % 50000 END AS amount,
    h
FROM (SELECT *, pg_temp.ulid_time((extract(epoch FROM at) * 1000)::bigint) AS t, ('x' || substr(md5(i::text), 1, 7))::bit(28)::bigint AS h
    FROM (SELECT i, n, timestamptz '2024-11-20Z' + (i::float8 / n) * interval '730 days' AS at
        FROM (SELECT current_setting('fill.n')::bigint AS n) one, generate_series(1, n) i) x) y;

INSERT INTO orders (id, app_id, reference, amount, currency, exponent, status, attention, needs_attention, authorized, captured, refunded,
    disputed, refundable, description, line_items, customer, metadata, return_url, cancel_url, expires_at, created_at, updated_at, version, provider, flow, mode)
SELECT id, app_id, 'INV-' || i, amount, currency, exponent, status,
    CASE WHEN h % 2000 = 3 THEN jsonb_build_array(jsonb_build_object('reason', 'second_payment', 'attempt_id', attempt_id, 'at', at)) ELSE '[]' END, h % 2000 = 3,
    CASE status WHEN 'authorized' THEN amount ELSE 0 END, CASE WHEN status IN ('paid', 'refunded', 'partially_refunded') THEN amount ELSE 0 END,
    CASE status WHEN 'refunded' THEN amount WHEN 'partially_refunded' THEN amount / 2 ELSE 0 END,
    CASE WHEN h % 3000 = 35 AND status = 'paid' THEN amount ELSE 0 END, CASE status WHEN 'paid' THEN amount WHEN 'partially_refunded' THEN amount - amount / 2 ELSE 0 END,
    'Order of goods ' || i, jsonb_build_array(jsonb_build_object('name', 'A thing', 'quantity', 1, 'amount', amount)),
    jsonb_build_object('email', 'payer' || h % 300000 || '@example.com', 'name', 'Payer ' || h % 300000), '{"cart": "1"}',
    'https://shop.example/thanks', 'https://shop.example/cart', at + interval '1 day', at, at + interval '1 minute', 3, provider, flow, mode
FROM filled ORDER BY i;

INSERT INTO attempts (id, order_id, provider, plugin, flow, mode, capture_mode, status, failure, authorized, captured, refunded, reserved, disputed,
    abandoned, refs, candidates, approved, continues, payer, due_at, read_wanted, tries, created_at, updated_at)
SELECT CASE k WHEN 1 THEN attempt_id ELSE pg_temp.id('att', t, 'b' || i) END, id, provider, split_part(provider, '_', 1), flow, mode, 'automatic',
    CASE WHEN k = 2 OR status IN ('canceled', 'expired') THEN 'canceled' WHEN status = 'open' THEN 'requires_action' WHEN status = 'pending' THEN 'pending'
        WHEN status = 'authorized' THEN 'requires_capture' ELSE 'succeeded' END,
    NULL, 0, CASE WHEN k = 1 AND status IN ('paid', 'refunded', 'partially_refunded') THEN amount ELSE 0 END, 0, 0, 0, false,
    '[]', '[]', false, 0, CASE WHEN provider = 'paypal' THEN jsonb_build_object('email', 'Buyer' || h % 200000 || '@example.org') END, NULL, false, 0, at, at
FROM filled, generate_series(1, CASE WHEN h % 7 = 0 THEN 2 ELSE 1 END) k ORDER BY i;

INSERT INTO refs SELECT provider, k, CASE k WHEN 'payment' THEN 'pi_' ELSE 'ch_' END || md5(i::text), attempt_id, id FROM filled, unnest(ARRAY['payment', 'charge']) k;

INSERT INTO captures SELECT pg_temp.id('cap', t, i::text), id, attempt_id, provider, 'ch_' || md5(i::text), 'succeeded', amount, currency, exponent, 1, at, at
FROM filled WHERE status IN ('paid', 'refunded', 'partially_refunded') ORDER BY i;

INSERT INTO refunds SELECT pg_temp.id('ref', t, i::text), id, attempt_id, provider, 're_' || md5(i::text), 'ch_' || md5(i::text), 'hub',
    CASE WHEN h % 1000 = 20 THEN 'failed' ELSE 'succeeded' END, amount / 2, currency, exponent, '', NULL, 1, at, at
FROM filled WHERE status IN ('refunded', 'partially_refunded') ORDER BY i;

INSERT INTO disputes SELECT pg_temp.id('dis', t, i::text), id, attempt_id, provider, 'dp_' || md5(i::text), 'ch_' || md5(i::text), 'open', true, amount, currency, exponent, '', at, 1, at, at
FROM filled WHERE h % 3000 = 35 AND status = 'paid' ORDER BY i;

INSERT INTO operations (id, app_id, order_id, attempt_id, kind, idempotency_key, request_hash, outcome, rejected, first_sent_at, deadline, sends, plugin_version, created_at, updated_at)
SELECT pg_temp.id('op', t, i::text), app_id, id, attempt_id, 'create', 'key-' || i, md5(i::text),
    CASE WHEN status = 'pending' AND h % 3 = 0 THEN 'unknown' ELSE 'succeeded' END, false, at, at, 1, '1.0', at, at FROM filled ORDER BY i;

INSERT INTO callbacks (id, provider, event_id, type, order_id, outcome, note, tries, received_at, updated_at, raw)
SELECT pg_temp.id('cb', t, i || k), provider, 'evt_' || md5(i || k), 'payment_intent.succeeded', id, 'applied', '', 0, at, at, decode(repeat(md5(i::text), 20), 'hex')
FROM filled, unnest(ARRAY['a', 'b']) k ORDER BY i;

INSERT INTO events SELECT 'evt_' || t || lpad(k::text, 2, '0') || substr(md5(i::text), 1, 14), id, attempt_id, at + k * interval '1 second',
    (ARRAY['order.created', 'create.started', 'payment.requires_action', 'operation.succeeded', 'payment.succeeded', 'capture.succeeded', 'order.paid', 'attention.second_payment'])[k],
    'app', 'req_' || i, jsonb_build_object('amount', amount, 'currency', currency)
FROM filled, generate_series(1, 8) k ORDER BY i;

INSERT INTO postings SELECT pg_temp.id('pst', t, i || a), id, provider, 'cap_' || i, '1.capture', a, CASE WHEN a LIKE 'app%' THEN -amount ELSE amount END, currency, exponent, at
FROM filled, LATERAL (VALUES ('app:' || app_id), ('provider:' || provider)) x (a) WHERE status IN ('paid', 'refunded', 'partially_refunded') ORDER BY i;

INSERT INTO notifications (id, app_id, endpoint_id, order_id, type, version, payload, state, tries, last_status, created_at, delivered_at)
SELECT pg_temp.id('ntf', t, i || k), app_id, 'we_' || right(app_id, 1), id, 'order.' || status, 3, repeat('{"a": "b"}', 40), 'delivered', 1, 200, at, at
FROM filled, unnest(ARRAY['a', 'b']) k ORDER BY i;

INSERT INTO deliveries SELECT pg_temp.id('dlv', t, i || k), pg_temp.id('ntf', t, i || k), at, 200, '', 12
FROM filled, unnest(ARRAY['a', 'b']) k ORDER BY i;

DROP TABLE filled;
