// The samples of PayPal's library (doc/controllers of @paypal/paypal-server-sdk),
// with the values that a shop would fill in. One line of JSON tells of each.
import assert from 'node:assert/strict';
import {
  ApiError, CheckoutPaymentIntent, CustomError, OrdersController, PatchOp, PaymentsController,
  PaypalExperienceUserAction,
} from '@paypal/paypal-server-sdk';
import { approve, newClient, setClock } from './client.js';

const client = newClient();
const ordersController = new OrdersController(client);
const paymentsController = new PaymentsController(client);
const usd = (value) => ({ currencyCode: 'USD', value });
let keys = 0;
const newKey = () => `key-${++keys}`;

async function create(intent, value, more = {}) {
  const { result } = await ordersController.createOrder({
    body: { intent, purchaseUnits: [{ amount: usd(value), customId: 'att_1' }] }, paypalRequestId: newKey(), prefer: 'return=minimal', ...more,
  });
  return result;
}

async function captured(value) {
  const order = await create(CheckoutPaymentIntent.Capture, value);
  await approve(order.id);
  const { result } = await ordersController.captureOrder({ id: order.id, prefer: 'return=minimal' });
  return result.purchaseUnits[0].payments.captures[0];
}

async function authorized(value) {
  const order = await create(CheckoutPaymentIntent.Authorize, value);
  await approve(order.id);
  const { result } = await ordersController.authorizeOrder({ id: order.id, prefer: 'return=minimal' });
  return result.purchaseUnits[0].payments.authorizations[0];
}

// refused expects PayPal's error object, and returns it.
async function refused(status, issue, call) {
  try {
    await call();
  } catch (error) {
    assert(error instanceof ApiError, String(error));
    assert(error instanceof CustomError, `${error.statusCode} ${error.body}`);
    assert.equal(error.statusCode, status, error.body);
    assert.equal(error.result.details?.[0].issue, issue, error.body);
    assert.equal(error.headers['paypal-debug-id'], error.result.debug_id);
    return error.result;
  }
  assert.fail(`${issue} was not refused`);
}

const samples = {
  async 'orders: create, get and patch'() {
    const response = await ordersController.createOrder({
      body: {
        intent: CheckoutPaymentIntent.Capture,
        purchaseUnits: [{ amount: usd('100.00') }],
        paymentSource: {
          paypal: {
            experienceContext: {
              returnUrl: 'https://example.com/returnUrl', cancelUrl: 'https://example.com/cancelUrl', userAction: PaypalExperienceUserAction.PayNow,
            },
          },
        },
      },
      paypalRequestId: 'the-first',
      prefer: 'return=minimal',
    });
    assert.equal(response.statusCode, 201);
    assert.equal(response.result.status, 'PAYER_ACTION_REQUIRED');
    assert(response.result.links.some((link) => link.rel === 'payer-action'));
    const { id } = await create(CheckoutPaymentIntent.Capture, '10.00');
    await ordersController.patchOrder({
      id, body: [{ op: PatchOp.Replace, path: "/purchase_units/@reference_id=='default'/amount", value: { currency_code: 'USD', value: '12.00' } }],
    });
    const { result } = await ordersController.getOrder({ id });
    assert.equal(result.purchaseUnits[0].amount.value, '12.00');
    assert.equal(result.purchaseUnits[0].customId, 'att_1');
    assert.equal(result.intent, 'CAPTURE');
  },

  async 'orders: the same request id makes one order'() {
    const first = await create(CheckoutPaymentIntent.Capture, '10.00', { paypalRequestId: 'same' });
    const second = await ordersController.createOrder({
      body: { intent: CheckoutPaymentIntent.Capture, purchaseUnits: [{ amount: usd('10.00') }] }, paypalRequestId: 'same',
    });
    assert.equal(second.result.id, first.id);
    assert.equal(second.statusCode, 200);
  },

  async 'orders: capture'() {
    const { id } = await create(CheckoutPaymentIntent.Capture, '100.00');
    await refused(422, 'ORDER_NOT_APPROVED', () => ordersController.captureOrder({ id, prefer: 'return=minimal' }));
    await approve(id, 'instrument_declined');
    const declined = await refused(422, 'INSTRUMENT_DECLINED', () => ordersController.captureOrder({ id, prefer: 'return=minimal' }));
    assert(declined.links.some((link) => link.rel === 'redirect'));
    await approve(id);
    const { result, statusCode } = await ordersController.captureOrder({ id, prefer: 'return=minimal', paypalRequestId: 'capture-1' });
    assert.equal(statusCode, 201);
    const capture = result.purchaseUnits[0].payments.captures[0];
    assert.equal(result.status, 'COMPLETED');
    assert.equal(capture.status, 'COMPLETED');
    assert.equal(capture.sellerReceivableBreakdown.netAmount.value, '96.02');
    assert.equal(result.payer.emailAddress, 'jane@personal.example.com');
    const again = await ordersController.captureOrder({ id, paypalRequestId: 'capture-1' });
    assert.equal(again.result.purchaseUnits[0].payments.captures[0].id, capture.id);
    await refused(422, 'ORDER_ALREADY_CAPTURED', () => ordersController.captureOrder({ id, prefer: 'return=minimal' }));
  },

  async 'orders: authorize; payments: get and capture an authorization'() {
    const authorization = await authorized('100.00');
    assert.equal(authorization.status, 'CREATED');
    const collect = { authorizationId: authorization.id };
    const got = await paymentsController.getAuthorizedPayment(collect);
    assert.equal(got.result.amount.value, '100.00');
    assert(Date.parse(got.result.expirationTime) - Date.parse(got.result.createTime) === 29 * 86400 * 1000);
    const part = await paymentsController.captureAuthorizedPayment({
      ...collect, prefer: 'return=minimal', paypalRequestId: 'part', body: { amount: usd('40.00'), finalCapture: false },
    });
    assert.equal(part.result.status, 'COMPLETED');
    const rest = await paymentsController.captureAuthorizedPayment({ ...collect, prefer: 'return=representation', body: { amount: usd('60.00'), finalCapture: true } });
    assert.equal(rest.result.amount.value, '60.00');
    assert.equal(rest.result.supplementaryData.relatedIds.authorizationId, authorization.id);
    await refused(422, 'AUTHORIZATION_ALREADY_CAPTURED', () => paymentsController.captureAuthorizedPayment({ ...collect, body: {} }));
  },

  async 'payments: void an authorization'() {
    const collect = { authorizationId: (await authorized('10.00')).id, prefer: 'return=minimal' };
    const quiet = await paymentsController.voidPayment({ ...collect, paypalRequestId: 'void-1' });
    assert.equal(quiet.statusCode, 204);
    assert.equal(quiet.result, null);
    assert.equal((await paymentsController.voidPayment({ ...collect, paypalRequestId: 'void-1' })).statusCode, 204);
    await refused(422, 'PREVIOUSLY_VOIDED', () => paymentsController.voidPayment(collect));
    const shown = await paymentsController.voidPayment({ authorizationId: (await authorized('10.00')).id, prefer: 'return=representation' });
    assert.equal(shown.result.status, 'VOIDED');
  },

  async 'payments: get and refund a capture, get the refund'() {
    const capture = await captured('100.00');
    const collect = { captureId: capture.id, prefer: 'return=minimal' };
    assert.equal((await paymentsController.getCapturedPayment({ captureId: capture.id })).result.finalCapture, true);
    const part = await paymentsController.refundCapturedPayment({ ...collect, paypalRequestId: 'refund-1', body: { amount: usd('40.00'), invoiceId: 'back-1' } });
    assert.equal(part.result.status, 'COMPLETED');
    const again = await paymentsController.refundCapturedPayment({ ...collect, paypalRequestId: 'refund-1', body: { amount: usd('40.00') } });
    assert.equal(again.result.id, part.result.id);
    const { result } = await paymentsController.getRefund({ refundId: part.result.id });
    assert.equal(result.amount.value, '40.00');
    assert.equal(result.sellerPayableBreakdown.paypalFee.value, '1.39');
    assert.equal(result.sellerPayableBreakdown.netAmount.value, '38.61');
    await refused(422, 'DUPLICATE_INVOICE_ID', () => paymentsController.refundCapturedPayment({ ...collect, body: { amount: usd('1.00'), invoiceId: 'back-1' } }));
    await refused(422, 'REFUND_AMOUNT_EXCEEDED', () => paymentsController.refundCapturedPayment({ ...collect, body: { amount: usd('60.01') } }));
    const rest = await paymentsController.refundCapturedPayment({ captureId: capture.id, prefer: 'return=representation', body: {} });
    assert.equal(rest.result.amount.value, '60.00');
    assert.equal((await paymentsController.getCapturedPayment({ captureId: capture.id })).result.status, 'REFUNDED');
  },

  async 'errors'() {
    const missing = await refused(404, 'INVALID_RESOURCE_ID', () => ordersController.getOrder({ id: 'NONE' }));
    assert.equal(missing.name, 'RESOURCE_NOT_FOUND');
    const bad = await refused(400, 'INVALID_PARAMETER_SYNTAX', () => create(CheckoutPaymentIntent.Capture, 'value0'));
    assert.equal(bad.name, 'INVALID_REQUEST');
    assert.equal(bad.details[0].field, '/purchase_units/0/amount/value');
    const card = { paymentSource: { card: { number: '4111111111111111', expiry: '2030-01' } } };
    await refused(422, 'PAYEE_NOT_ENABLED_FOR_CARD_PROCESSING', () => ordersController.createOrder({
      body: { intent: CheckoutPaymentIntent.Capture, purchaseUnits: [{ amount: usd('1.00') }], ...card }, paypalRequestId: newKey(),
    }));
    const stranger = new OrdersController(newClient('wrong'));
    await assert.rejects(stranger.getOrder({ id: 'NONE' }), (error) => {
      assert(error instanceof ApiError, String(error));
      assert.equal(error.statusCode, 401);
      assert.equal(error.result.error, 'invalid_client', error.body);
      return true;
    });
  },

  // The last, since it puts the clock ahead, and tokens run out by it.
  async 'payments: reauthorize'() {
    const collect = { authorizationId: (await authorized('10.00')).id, prefer: 'return=minimal' };
    await refused(422, 'REAUTHORIZATION_TOO_SOON', () => paymentsController.reauthorizePayment(collect));
    await setClock('96h');
    const later = new PaymentsController(newClient());
    const { result, statusCode } = await later.reauthorizePayment({ ...collect, prefer: 'return=representation', body: { amount: usd('11.00') } });
    assert.equal(statusCode, 201);
    assert.notEqual(result.id, collect.authorizationId);
    assert.equal(result.amount.value, '11.00');
    const capture = await later.captureAuthorizedPayment({ authorizationId: result.id, prefer: 'return=representation', body: { finalCapture: true } });
    assert.equal(capture.result.amount.value, '11.00');
    assert.equal((await later.getAuthorizedPayment(collect)).result.status, 'CAPTURED');
  },
};

for (const [name, run] of Object.entries(samples)) {
  let error = '';
  try {
    await run();
  } catch (thrown) {
    error = String(thrown.stack ?? thrown);
  }
  console.log(JSON.stringify({ name, error }));
}
