// Callbacks. The signature covers the body, so what the body says is proven.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readPayment } from './read.js'
import { fromTime } from './wire.js'

const tolerance = 5 * 60 // seconds between the signed time and the arrival

export function handleCallback(settings, request) {
  if (!settings) {
    return { verdict: 'cannot_check', reason: 'the provider is not configured' }
  }
  const reason = forgedBecause(settings.signingSecret, request)
  if (reason) {
    return { verdict: 'forged', reason, ack: { status: 400 } }
  }
  const event = parsed(request.body)
  if (!event) {
    return { verdict: 'genuine', reason: 'signed, but not an event' }
  }
  const out = { verdict: 'genuine', eventId: event.id, type: event.type }
  if ((event.payment?.live === true) !== (settings.mode === 'live')) {
    return { ...out, verdict: 'not_ours', reason: 'of another mode' }
  }
  try {
    const payment = readPayment(event.payment)
    return { ...out, facts: [{ proven: true, payment, expect: expected(payment) }] }
  } catch {
    return { ...out, reason: "the event's payment could not be read" }
  }
}

// forgedBecause returns why the call is not to be believed, '' if it is.
function forgedBecause(secret, request) {
  const stamp = header(request, 'acmepay-time')
  const given = header(request, 'acmepay-signature')
  // Buffer.from(given, 'hex') alone would leave out whatever follows the last digit.
  if (!/^\d{1,12}$/.test(stamp) || !/^[0-9a-fA-F]{64}$/.test(given)) {
    return 'not signed'
  }
  const wanted = createHmac('sha256', secret).update(`${stamp}.`).update(request.body).digest()
  if (!timingSafeEqual(wanted, Buffer.from(given, 'hex'))) {
    return 'the signature does not match'
  }
  // The hub's clock: a plugin uses none of its own.
  if (Math.abs(fromTime(request.receivedAt) - Number(stamp)) > tolerance) {
    return 'signed at another time'
  }
  return ''
}

// header returns the first header of that name, in lower case. Names and values are bytes.
function header(request, name) {
  const found = request.headers.find((one) => one.name.toString('latin1').toLowerCase() === name)
  return found ? found.value.toString('latin1') : ''
}

// parsed returns the event; null if the body is none.
function parsed(body) {
  try {
    const event = JSON.parse(body.toString())
    return typeof event?.id === 'string' && typeof event.type === 'string' ? event : null
  } catch {
    return null
  }
}

// expected says what a read must show once it has caught up with an event: the movements that it names.
function expected(payment) {
  const of = (kind, items) => items.map(({ id, status }) => ({ kind, id, atLeast: status }))
  const { captures, refunds, disputes } = payment
  return [...of('capture', captures.items), ...of('refund', refunds.items), ...of('dispute', disputes.items)]
}
