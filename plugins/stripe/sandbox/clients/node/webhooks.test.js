import assert from 'node:assert/strict';
import test from 'node:test';
import { charge, served, stripe, webhook } from './client.js';

test('webhook endpoint: create, list, update, delete', async () => {
  const made = await stripe.webhookEndpoints.create({
    enabled_events: ['charge.succeeded', 'charge.failed'],
    url: 'https://example.com/my/webhook/endpoint',
  });
  assert.match(made.secret, /^whsec_/);
  const list = await stripe.webhookEndpoints.list({ limit: 3 });
  assert.ok(list.data.some((one) => one.id === made.id));
  const changed = await stripe.webhookEndpoints.update(made.id, { url: 'https://example.com/new_endpoint' });
  assert.equal(changed.url, 'https://example.com/new_endpoint');
  assert.equal((await stripe.webhookEndpoints.del(made.id)).deleted, true);
});

test('webhook: constructEvent', async (t) => {
  const hook = await webhook();
  t.after(hook.close);
  const endpoint = await stripe.webhookEndpoints.create({
    enabled_events: ['charge.succeeded'],
    url: hook.url,
    api_version: served,
  });
  t.after(() => stripe.webhookEndpoints.del(endpoint.id));
  const paid = await charge('tok_visa');
  const { body, signature } = await hook.call;
  const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
  assert.equal(event.api_version, served);
  assert.equal(event.type, 'charge.succeeded');
  assert.equal(event.data.object.id, paid.id);
  assert.equal((await stripe.events.retrieve(event.id)).id, event.id);
  assert.throws(() => stripe.webhooks.constructEvent(body, signature, 'whsec_of_another'), {
    type: 'StripeSignatureVerificationError',
  });
});

test('thin event: parseEventNotification', async (t) => {
  const hook = await webhook();
  t.after(hook.close);
  const destination = await stripe.v2.core.eventDestinations.create({
    name: 'My destination',
    type: 'webhook_endpoint',
    event_payload: 'thin',
    enabled_events: ['v1.charge.succeeded'],
    webhook_endpoint: { url: hook.url },
    include: ['webhook_endpoint.signing_secret'],
  });
  t.after(() => stripe.v2.core.eventDestinations.del(destination.id));
  const paid = await charge('tok_visa');
  const { body, signature } = await hook.call;
  const notification = stripe.parseEventNotification(body, signature, destination.webhook_endpoint.signing_secret);
  assert.equal(notification.type, 'v1.charge.succeeded');
  assert.equal(notification.related_object.id, paid.id);
  assert.equal((await notification.fetchRelatedObject()).amount, 1099);
  assert.equal((await notification.fetchEvent()).id, notification.id);
});
