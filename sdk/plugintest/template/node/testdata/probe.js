// A plugin whose CreateCheckout ends in every way, by the flow's name: for the tests of serve.js.
import { mismatch, notFound, notSent, rejected, wrongSetting } from '../outcome.js'
import { serve } from '../serve.js'

let token = ''

const ends = {
  rejected: () => { throw rejected('declined', `No ${token}.`, 'no_1') },
  not_sent: () => { throw notSent(`not with ${token}`) },
  mismatch: () => { throw mismatch(`other than ${token}`) },
  not_found: () => { throw notFound() },
  settings: () => { throw wrongSetting('token', `not ${token}`) },
  plain: () => { throw new Error(`HTTP 500 for ${encodeURIComponent(token)}`) },
  fault: () => token.nothing.at.all,
  nothing: () => null,
  long: () => { throw new Error(`\ud800 ${'é'.repeat(5000)}`) },
  not_well_formed: () => ({ status: 'pending', refs: [{ kind: 'payment', value: '\ud800' }] }),
  logs: (log) => {
    log.debug('asked', { token, 'of the request': 1 })
    console.log('not a handshake')
    return { status: 'pending' }
  },
}

serve({
  describe: () => ({
    name: 'probe', title: 'Probe', version: '1', proof: 'none', repeats: {},
    settings: [{ name: 'token', title: 'Token', secret: true }],
    flows: [{ name: 'page', title: 'Page', captureModes: ['automatic'] }],
  }),
  configure({ settings }) {
    token = settings.token
    return { mode: 'test' }
  },
  async createCheckout({ flow }, { signal, log }) {
    if (flow === 'hangs') {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      log.warn('given up')
    }
    return ends[flow]?.(log)
  },
  // As large as it is asked to be, and as slow.
  async handleCallback({ query, receivedAt }) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    return { verdict: 'genuine', ack: { body: Buffer.alloc(Number(query.toString())) }, type: receivedAt }
  },
})
