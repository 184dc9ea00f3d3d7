// Where an answer that is no success becomes an outcome of the contract. What is not proven stays unknown.
import { mismatch, notFound, notSent, rejected } from './outcome.js'

// unreadable is an answer that says nothing: empty, too long, HTML, without an id. It is unknown.
export const unreadable = () => new Error('acmepay: the answer could not be read')

export function outcomeOf(status, answer) {
  const code = String(answer?.error?.code ?? '')
  if (code === 'key_reused') {
    return mismatch('Acmepay: the key was first used with another request')
  }
  if (status === 401 || status === 403 || status === 429) {
    // Looked at before the key is: it says nothing of an earlier sending.
    return notSent(`refused (HTTP ${status})`)
  }
  if (status === 404 && code === 'not_found') {
    return notFound()
  }
  if (status === 422 && code !== '') {
    const f = failure(code)
    return rejected(f.code, f.message, f.providerCode)
  }
  return new Error(`acmepay: HTTP ${status}`)
}

// failures maps Acmepay's codes to the contract's, with a text of our own: the provider's may quote what it
// was sent.
const failures = {
  declined: ['declined', 'The payment was declined.'],
  low_funds: ['insufficient_funds', 'There is too little money for the payment.'],
  too_much: ['refund_exceeds_balance', 'That is more than is left.'],
  wrong_state: ['wrong_state', 'The payment is not in a state that allows this.'],
  account_closed: ['declined', 'The money could not be given back: the account is closed.'],
  amount_rejected: ['amount_not_accepted', 'Acmepay does not take this amount.'],
}

export function failure(providerCode) {
  const known = Object.hasOwn(failures, providerCode) ? failures[providerCode] : ['invalid_request', 'Acmepay refused the request.']
  return { code: known[0], message: known[1], providerCode }
}
