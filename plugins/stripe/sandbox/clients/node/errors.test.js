import assert from 'node:assert/strict';
import test from 'node:test';
import { charge, newClient, served, stripe } from './client.js';

const declined = (method) =>
  stripe.paymentIntents.create({
    amount: 2000,
    currency: 'usd',
    payment_method_types: ['card'],
    payment_method: method,
    confirm: true,
  });

test('errors: a declined card', async () => {
  await assert.rejects(declined('pm_card_visa_chargeDeclinedInsufficientFunds'), (problem) => {
    assert.equal(problem.type, 'StripeCardError');
    assert.equal(problem.code, 'card_declined');
    assert.equal(problem.decline_code, 'insufficient_funds');
    assert.equal(problem.payment_intent.status, 'requires_payment_method');
    return true;
  });
});

test('errors: blocked by Radar', async () => {
  const problem = await declined('pm_card_radarBlock').catch((error) => error);
  assert.equal(problem.type, 'StripeCardError');
  assert.equal((await stripe.charges.retrieve(problem.charge)).outcome.type, 'blocked');
});

test('errors: an invalid request', async () => {
  const session = { mode: 'payment', success_url: 'https://example.com', customer_email: 'jenny@' };
  const item = { price_data: { currency: 'usd', unit_amount: 2000, product_data: { name: 'T-shirt' } }, quantity: 1 };
  await assert.rejects(stripe.checkout.sessions.create({ ...session, line_items: [item] }), {
    type: 'StripeInvalidRequestError',
    code: 'email_invalid',
    param: 'customer_email',
  });
  await assert.rejects(stripe.refunds.retrieve('re_none'), { type: 'StripeInvalidRequestError', code: 'resource_missing' });
});

test('errors: authentication', async () => {
  const stranger = newClient('sk_test_of_somebody_else', { apiVersion: served });
  await assert.rejects(stranger.charges.list(), { type: 'StripeAuthenticationError', statusCode: 401 });
});

test('errors: an account that is not connected', async () => {
  await assert.rejects(stripe.charges.list({}, { stripeAccount: 'acct_other' }), {
    type: 'StripePermissionError',
    code: 'account_invalid',
  });
});

test('API version: the one of the library is told which is served', async () => {
  await assert.rejects(newClient(process.env.SANDBOX_KEY).charges.list(), (problem) => {
    assert.equal(problem.type, 'StripeInvalidRequestError');
    assert.match(problem.message, new RegExp(`serves ${served} only`));
    assert.equal(problem.headers['stripe-version'], served);
    return true;
  });
});

test('idempotency: a replay, and a conflict', async () => {
  const paid = await charge('tok_visa');
  const key = { idempotencyKey: `refund-of-${paid.id}` };
  const first = await stripe.refunds.create({ charge: paid.id, amount: 100 }, key);
  const again = await stripe.refunds.create({ charge: paid.id, amount: 100 }, key);
  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true');
  await assert.rejects(stripe.refunds.create({ charge: paid.id, amount: 200 }, key), { type: 'StripeIdempotencyError' });
});
