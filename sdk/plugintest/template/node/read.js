// How Acmepay's answers and events read in the contract's words.
import { failure, unreadable } from './error.js'
import { ofPayment, ofRefund } from './metadata.js'
import { fromWire } from './money.js'
import { toTime } from './wire.js'

const statuses = new Map([
  ['open', 'requires_action'],
  ['waiting', 'pending'],
  ['held', 'requires_capture'],
  ['paid', 'succeeded'],
  ['canceled', 'canceled'],
])

// readPayment tells a payment of Acmepay's in the contract's words. 200 is not enough: it must have an id,
// a known status and amounts.
export function readPayment(theirs) {
  const status = statuses.get(theirs?.status)
  const amount = fromWire(theirs?.amount, theirs?.currency)
  if (!isId(theirs?.id) || !status || !amount) {
    throw unreadable()
  }
  const out = {
    ...ofPayment(theirs.metadata ?? {}),
    refs: [{ kind: 'payment', value: theirs.id }],
    mode: theirs.live ? 'live' : 'test',
    status,
    amount,
    captures: { complete: true, items: [] },
    refunds: { complete: true, items: (theirs.refunds ?? []).map(readRefund) },
    disputes: { complete: true, items: (theirs.disputes ?? []).map(readDispute) },
  }
  if (theirs.expires_at) {
    out.expiresAt = toTime(theirs.expires_at)
  }
  if (theirs.failure) {
    out.failure = failure(theirs.failure)
  }
  if (status === 'requires_action') {
    out.nextAction = { type: 'redirect', url: theirs.page_url }
  }
  if (status === 'requires_capture') {
    out.authorized = amount
    out.capturable = amount
  }
  if (status === 'succeeded') {
    // A payer may pay another amount, and in another currency, than was asked.
    const captured = fromWire(theirs.captured, theirs.captured_currency || theirs.currency)
    if (!captured || !isId(theirs.capture_id)) {
      throw unreadable()
    }
    out.captures.items.push({ id: theirs.capture_id, status: 'succeeded', amount: captured })
  }
  return out
}

const isId = (value) => typeof value === 'string' && value !== ''

const movements = new Map([['pending', 'pending'], ['done', 'succeeded'], ['failed', 'failed']])

export function readRefund(theirs) {
  const status = movements.get(theirs?.status)
  const amount = fromWire(theirs?.amount, theirs?.currency)
  if (!isId(theirs?.id) || !status || !amount) {
    throw unreadable()
  }
  const out = { ...ofRefund(theirs.metadata ?? {}), id: theirs.id, captureId: theirs.capture_id ?? '', status, amount }
  if (theirs.failure) {
    out.failure = failure(theirs.failure)
  }
  return out
}

const disputes = new Map([['open', 'open'], ['won', 'won'], ['lost', 'lost']])

// readDispute also reads how much of the money is withdrawn: of a lost dispute, a part may be given back.
function readDispute(theirs) {
  const status = disputes.get(theirs?.status)
  const amount = fromWire(theirs?.amount, theirs?.currency)
  if (!isId(theirs?.id) || !status || !amount) {
    throw unreadable()
  }
  const out = { id: theirs.id, captureId: theirs.capture_id ?? '', status, amount }
  if (!theirs.withdrawn) {
    return out
  }
  const withdrawn = fromWire(theirs.withdrawn, theirs.currency)
  if (!withdrawn) {
    throw unreadable()
  }
  return { ...out, withdrawn, fundsWithdrawn: BigInt(withdrawn.amount) > 0n }
}
