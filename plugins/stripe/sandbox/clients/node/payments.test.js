import assert from 'node:assert/strict';
import test from 'node:test';
import { charge, stripe } from './client.js';

const checkout = {
  success_url: 'https://example.com/success',
  line_items: [{ price_data: { currency: 'usd', unit_amount: 2000, product_data: { name: 'T-shirt' } }, quantity: 2 }],
  mode: 'payment',
};

test('Checkout Session: create, retrieve, list, expire', async () => {
  const session = await stripe.checkout.sessions.create(checkout);
  assert.equal(session.status, 'open');
  assert.equal(session.amount_total, 4000);
  assert.match(session.url, /^http/);
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).id, session.id);
  const items = await stripe.checkout.sessions.listLineItems(session.id);
  assert.equal(items.data[0].description, 'T-shirt');
  const open = await stripe.checkout.sessions.list({ limit: 3, status: 'open' });
  assert.ok(open.data.some((one) => one.id === session.id));
  assert.equal((await stripe.checkout.sessions.expire(session.id)).status, 'expired');
});

test('PaymentIntent: create, confirm, capture, cancel', async () => {
  const intent = { amount: 2000, currency: 'usd', payment_method_types: ['card'], metadata: { order_id: '6735' } };
  const made = await stripe.paymentIntents.create({ ...intent, capture_method: 'manual' });
  assert.equal(made.status, 'requires_payment_method');
  const held = await stripe.paymentIntents.confirm(made.id, {
    payment_method: 'pm_card_visa',
    return_url: 'https://www.example.com',
  });
  assert.equal(held.status, 'requires_capture');
  const taken = await stripe.paymentIntents.capture(made.id, { amount_to_capture: 750 });
  assert.equal(taken.status, 'succeeded');
  assert.equal(taken.amount_received, 750);
  assert.equal(taken.metadata.order_id, '6735');

  const other = await stripe.paymentIntents.create(intent);
  const canceled = await stripe.paymentIntents.cancel(other.id, { cancellation_reason: 'abandoned' });
  assert.equal(canceled.status, 'canceled');
  assert.equal((await stripe.paymentIntents.retrieve(other.id)).cancellation_reason, 'abandoned');
});

test('Charge: a token, then a capture', async () => {
  const token = await stripe.tokens.create({ card: { number: '4242424242424242', exp_month: '5', exp_year: '2030', cvc: '314' } });
  const paid = await charge(token.id);
  assert.ok(paid.paid && paid.captured);
  assert.equal(paid.payment_method_details.card.last4, '4242');
  const held = await charge('tok_visa', { capture: false });
  assert.equal(held.captured, false);
  assert.equal((await stripe.charges.capture(held.id)).captured, true);
});

test('Refund: create, retrieve, list page after page', async () => {
  const paid = await charge('tok_visa');
  const made = [];
  for (let i = 0; i < 5; i++) {
    const refund = await stripe.refunds.create({ charge: paid.id, amount: 100 });
    assert.equal((await stripe.refunds.retrieve(refund.id)).status, 'succeeded');
    made.unshift(refund.id);
  }
  const listed = [];
  for await (const refund of stripe.refunds.list({ charge: paid.id, limit: 2 })) listed.push(refund.id);
  assert.deepEqual(listed, made);
  const array = await stripe.refunds.list({ charge: paid.id, limit: 2 }).autoPagingToArray({ limit: 4 });
  assert.deepEqual(array.map((refund) => refund.id), made.slice(0, 4));
});

test('Balance transactions: list and retrieve', async () => {
  const paid = await charge('tok_visa');
  const lines = await stripe.balanceTransactions.list({ source: paid.id });
  assert.equal(lines.data.length, 1);
  const line = await stripe.balanceTransactions.retrieve(lines.data[0].id);
  assert.equal(line.amount, 1099);
  assert.ok(line.fee > 0);
  assert.equal(line.net, line.amount - line.fee);
});

test('Disputes: list and retrieve', async () => {
  const paid = await charge('tok_createDispute');
  const list = await stripe.disputes.list({ charge: paid.id });
  const dispute = await stripe.disputes.retrieve(list.data[0].id);
  assert.equal(dispute.status, 'needs_response');
  assert.equal(dispute.balance_transactions[0].amount, -1099);
});
