// Acmepay behind the contract. It keeps its settings and its connections, nothing else.
import { handleCallback } from './callback.js'
import { Client } from './client.js'
import { currencies } from './money.js'
import { notSent } from './outcome.js'
import * as payment from './payment.js'
import * as refund from './refund.js'
import { parseSettings, settingsFields } from './settings.js'

const version = '0.1.0'
const minute = 60_000_000_000 // in nanoseconds, as every duration of the wire
const day = 24 * 60 * minute

// Acmepay's own payment page. Each way of paying is a flow.
const hostedPage = {
  name: 'hosted_page',
  title: 'Acmepay page',
  captureModes: ['automatic', 'manual'],
  currencies,
  capabilities: ['payer_acts', 'capture', 'capture_part', 'cancel', 'refund', 'refund_part'],
}

// The methods are the service's of provider.proto. They get the request and {signal, log}: the signal ends
// what is going on when the hub waits no longer.
export class Provider {
  describe() {
    // What the provider's documents say of its idempotency keys.
    const repeat = { deduplicated: true, keyLifetime: day, settling: minute }
    return {
      name: 'acmepay',
      title: 'Acmepay',
      version,
      settings: settingsFields,
      flows: [hostedPage],
      proof: 'signed_body',
      repeats: { create: repeat, capture: repeat, cancel: repeat, refund: repeat },
    }
  }

  // configure asks nothing of the provider: a hub must start while a provider is down.
  configure({ settings }) {
    this.settings = parseSettings(settings)
    this.client = new Client(this.settings)
    return { id: this.settings.account, mode: this.settings.mode }
  }

  createCheckout(request, { signal }) {
    this.#asks(request.flow, request.key)
    return payment.create(this.client, request, signal)
  }

  getPayment(request, { signal }) {
    this.#reads(request.flow)
    return payment.get(this.client, request, signal)
  }

  capture(request, { signal }) {
    this.#asks(request.payment?.flow, request.key)
    return payment.capture(this.client, request, signal)
  }

  cancel(request, { signal }) {
    this.#asks(request.payment?.flow, request.key)
    return payment.cancel(this.client, request, signal)
  }

  list(request, { signal }) {
    this.#reads(hostedPage.name)
    return payment.list(this.client, request, signal)
  }

  refund(request, { signal }) {
    this.#asks(request.payment?.flow, request.key)
    return refund.create(this.client, request, signal)
  }

  getRefund(request, { signal }) {
    this.#reads(request.payment?.flow)
    return refund.get(this.client, request, signal)
  }

  // handleCallback asks nobody.
  handleCallback(request) {
    return handleCallback(this.settings, request)
  }

  // reads and asks refuse what could not be sent safely.
  #reads(flow) {
    if (!this.client) {
      throw notSent('the provider is not configured')
    }
    if (flow !== hostedPage.name) {
      throw notSent('there is no such flow')
    }
  }

  #asks(flow, key) {
    this.#reads(flow)
    if (!key) {
      throw notSent('there is no operation key')
    }
  }
}
