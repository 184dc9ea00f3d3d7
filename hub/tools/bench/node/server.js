// What a shop writes that needs no hub, in Node: Express, stripe-node, pg; a
// transaction before the call of the provider and one after it.
const express = require('express');
const http = require('http');
const { randomUUID } = require('crypto');
const { Pool } = require('pg');
const Stripe = require('stripe');

const provider = new URL(process.env.PLAIN_STRIPE_URL);
const stripe = new Stripe('sk_test_plain', {
  apiVersion: '2023-10-16', host: provider.hostname, port: provider.port, protocol: 'http', maxNetworkRetries: 0, telemetry: false,
  httpAgent: new http.Agent({ keepAlive: true, maxSockets: 256 }),
});
const pool = new Pool({ connectionString: process.env.PLAIN_DATABASE_URL, max: 16 });
const app = express();

async function within(f) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await f(client);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

const handle = (f) => (req, res) => f(req).then((body) => res.json(body), (error) => res.status(500).json({ error: error.message }));
const columns = 'id, reference, amount, currency, status, url, refunded, created_at';

app.post('/callback', express.raw({ type: '*/*' }), handle(async (req) => {
  const event = stripe.webhooks.constructEvent(req.body, req.headers['stripe-signature'], process.env.PLAIN_SECRET);
  const intent = event.data.object;
  await within(async (db) => {
    await db.query('INSERT INTO seen (event_id) VALUES ($1)', [event.id]);
    await db.query("UPDATE orders SET status = 'paid', payment = $2, updated_at = now() WHERE id = $1", [intent.metadata.superpay_attempt, intent.id]);
  });
  return { received: true };
}));

app.use(express.json());

app.post('/checkouts', handle(async (req) => {
  const { reference, amount, currency } = req.body;
  const key = req.headers['idempotency-key'];
  const order = { id: randomUUID(), reference, amount, currency, status: 'open', created_at: new Date() };
  await within(async (db) => {
    await db.query('INSERT INTO idempotency (key, request) VALUES ($1, $2)', [key, JSON.stringify(req.body)]);
    await db.query("INSERT INTO orders (id, reference, amount, currency, status) VALUES ($1, $2, $3, $4, 'created')", [order.id, reference, amount, currency]);
  });
  const session = await stripe.checkout.sessions.create({
    mode: 'payment', success_url: 'https://shop.example/thanks', client_reference_id: order.id, metadata: { order: order.id },
    payment_intent_data: { metadata: { order: order.id } },
    line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: amount, product_data: { name: 'Two tickets' } } }],
  }, { idempotencyKey: key });
  order.url = session.url;
  await within(async (db) => {
    await db.query("UPDATE orders SET session_id = $2, url = $3, status = 'open', updated_at = now() WHERE id = $1", [order.id, session.id, session.url]);
    await db.query('UPDATE idempotency SET answer = $2 WHERE key = $1', [key, JSON.stringify(order)]);
  });
  return order;
}));

app.post('/orders/:id/refunds', handle(async (req) => {
  const { id } = req.params;
  const key = req.headers['idempotency-key'];
  await within(async (db) => {
    await db.query('INSERT INTO idempotency (key, request) VALUES ($1, $2)', [key, id]);
    await db.query('UPDATE orders SET refunded = refunded + $2, updated_at = now() WHERE id = $1 AND refunded + $2 <= amount', [id, 100]);
  });
  const refund = await stripe.refunds.create({ charge: 'ch_' + id, amount: 100 }, { idempotencyKey: key });
  const answer = { id: refund.id, amount: 100, status: refund.status };
  await within((db) => db.query('UPDATE idempotency SET answer = $2 WHERE key = $1', [key, JSON.stringify(answer)]));
  return answer;
}));

app.get('/orders/:id', handle(async (req) => (await pool.query(`SELECT ${columns} FROM orders WHERE id = $1`, [req.params.id])).rows[0]));
app.get('/orders', handle(async (req) => (await pool.query(`SELECT ${columns} FROM orders ORDER BY created_at DESC LIMIT $1`, [req.query.limit])).rows));

const server = app.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`));
