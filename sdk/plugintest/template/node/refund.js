// Refunds: what is asked of Acmepay.
import { hubMetadata } from './metadata.js'
import { toWire } from './money.js'
import { notFound } from './outcome.js'
import { get as getPayment } from './payment.js'
import { readRefund } from './read.js'

// create gives money back. The amount is always sent: many providers give back all that remains where it
// is left out.
export async function create(client, request, signal) {
  const fields = {
    capture_id: request.captureId,
    amount: toWire(request.refund),
    reason: request.reason,
    metadata: hubMetadata({ ...request, attemptId: request.payment.attemptId, instanceId: request.payment.instanceId }),
  }
  return readRefund(await client.post('/v1/refunds', request.key, fields, signal))
}

// get reads a refund by Acmepay's id, else by ours among the payment's refunds.
export async function get(client, request, signal) {
  if (request.providerId) {
    return readRefund(await client.get(`/v1/refunds/${encodeURIComponent(request.providerId)}`, signal))
  }
  const { instanceId, findKeyHash } = request.payment
  const payment = await getPayment(client, request.payment, signal)
  const found = payment.refunds.items.find((one) => one.instanceId === instanceId &&
    (one.refundId === request.refundId || (findKeyHash !== '' && one.keyHash === findKeyHash)))
  if (!found) {
    throw notFound()
  }
  return found
}
