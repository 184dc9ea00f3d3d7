// Payments: what is asked of Acmepay.
import { unreadable } from './error.js'
import { attemptKey, finds, hubMetadata, keyHashKey } from './metadata.js'
import { toWire } from './money.js'
import { notFound, notSent } from './outcome.js'
import { readPayment } from './read.js'
import { fromTime } from './wire.js'

export async function create(client, request, signal) {
  const fields = {
    amount: toWire(request.amount),
    currency: request.amount.currency,
    manual_capture: request.captureMode === 'manual',
    description: request.description,
    return_url: request.urls.return,
    cancel_url: request.urls.cancel,
    metadata: { ...request.metadata, ...hubMetadata(request) },
  }
  if (request.expiresAt !== '0') {
    fields.expires_at = fromTime(request.expiresAt)
  }
  return readPayment(await client.post('/v1/payments', request.key, fields, signal))
}

// capture takes the amount and releases the rest.
export async function capture(client, request, signal) {
  const path = `/v1/payments/${named(request.payment)}/capture`
  return readPayment(await client.post(path, request.key, { amount: toWire(request.capture) }, signal))
}

// cancel answers with the payment as it is where it comes too late: so does Acmepay.
export async function cancel(client, request, signal) {
  return readPayment(await client.post(`/v1/payments/${named(request.payment)}/cancel`, request.key, {}, signal))
}

// get reads a payment by Acmepay's id; without one it looks for ours in the metadata.
export async function get(client, request, signal) {
  if (request.refs.length > 0) {
    return readPayment(await client.get(`/v1/payments/${named(request)}`, signal))
  }
  const searches = [`${attemptKey}:${request.attemptId}`]
  if (request.findKeyHash) {
    searches.push(`${keyHashKey}:${request.findKeyHash}`)
  }
  for (const metadata of searches) {
    const payment = await search(client, request, metadata, signal)
    if (payment) {
      return readPayment(payment)
    }
  }
  throw notFound()
}

// search reads the pages of a search until the payment is on one; another hub's may have the same attempt id.
// It returns null if no page has the payment.
async function search(client, request, metadata, signal) {
  const query = new URLSearchParams({ metadata })
  for (;;) {
    const page = await client.get(`/v1/payments?${query}`, signal)
    const payments = listed(page)
    const payment = payments.find((one) => finds(request, one?.metadata ?? {}))
    if (payment) {
      return payment
    }
    if (page.more !== true || payments.length === 0) {
      return null
    }
    query.set('after', payments.at(-1).id)
  }
}

// list reads a page of payments. The cursor is the last id of the page before.
export async function list(client, { since, cursor, limit }, signal) {
  const query = new URLSearchParams({ since: String(fromTime(since)), after: cursor, limit: String(Math.max(limit, 1)) })
  const page = await client.get(`/v1/payments?${query}`, signal)
  const payments = listed(page)
  return { payments: payments.map(readPayment), next: page.more === true && payments.length > 0 ? payments.at(-1).id : '' }
}

// listed demands a list: {} is no empty one.
function listed(page) {
  if (!Array.isArray(page.data)) {
    throw unreadable()
  }
  return page.data
}

// named returns the payment's id at Acmepay.
function named(request) {
  if (!request?.refs.length) {
    throw notSent('the payment has no id yet')
  }
  return encodeURIComponent(request.refs[0].value)
}
