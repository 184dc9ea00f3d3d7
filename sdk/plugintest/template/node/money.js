// Amounts. The contract's are an integer of minor units, Acmepay's a decimal; neither is ever rounded.
import { rejected } from './outcome.js'

// decimals are the currencies that Acmepay takes, and how many decimals its amounts have in each.
const decimals = { EUR: 2, GBP: 2, JPY: 0, KWD: 3, USD: 2 }

export const currencies = Object.keys(decimals).sort()

// toWire writes an amount as Acmepay reads it. What it cannot take exactly is rejected before anything is sent.
export function toWire({ amount, currency, exponent }) {
  if (!Object.hasOwn(decimals, currency)) {
    throw rejected('currency_not_accepted', `Acmepay does not take ${currency}.`)
  }
  const exact = rescale(BigInt(amount), exponent, decimals[currency])
  if (exact === null || exact <= 0n) {
    throw rejected('amount_not_accepted', `Acmepay cannot take ${decimal(BigInt(amount), exponent)} ${currency}.`)
  }
  return decimal(exact, decimals[currency])
}

// fromWire reads an amount of Acmepay's; null if it is none. Number and parseFloat take what is no amount
// ("0x10", "1e3", "") and round what is one.
export function fromWire(text, currency) {
  const exponent = Object.hasOwn(decimals, currency) ? decimals[currency] : 2
  const found = /^(-?\d{1,12})(?:\.(\d{1,6}))?$/.exec(typeof text === 'string' ? text : '')
  if (!found) {
    return null
  }
  const fraction = found[2] ?? ''
  const amount = rescale(BigInt(found[1] + fraction), fraction.length, exponent)
  return amount === null ? null : { amount: String(amount), currency, exponent }
}

// rescale returns the amount with another number of minor digits; null where it would have to round.
function rescale(amount, from, to) {
  if (to >= from) {
    return amount * 10n ** BigInt(to - from)
  }
  const factor = 10n ** BigInt(from - to)
  return amount % factor === 0n ? amount / factor : null
}

// decimal writes minor units in major ones: "10.50", "1050", "-0.005".
function decimal(amount, exponent) {
  const sign = amount < 0n ? '-' : ''
  const digits = String(amount < 0n ? -amount : amount).padStart(exponent + 1, '0')
  const point = digits.length - exponent
  return sign + digits.slice(0, point) + (exponent > 0 ? `.${digits.slice(point)}` : '')
}
