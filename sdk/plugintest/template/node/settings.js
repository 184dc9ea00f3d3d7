// The settings, and their checks. An error names the field, never the value.
import { wrongSetting } from './outcome.js'

const defaultURL = 'https://api.acmepay.example'

export const settingsFields = [
  { name: 'api_key', title: 'API key', required: true, secret: true, help: 'key_test_... or key_live_...; it decides between test and live.' },
  { name: 'signing_secret', title: 'Signing secret', required: true, secret: true, help: 'sign_..., which signs callbacks.' },
  { name: 'account', title: 'Account', help: "Your account's id at Acmepay, for people." },
  { name: 'api_url', title: 'API address', default: defaultURL, help: 'Leave as it is, but for a stand-in.' },
]

// parseSettings checks all settings.
export function parseSettings(given) {
  const value = (name) => (given[name] ?? '').trim()
  const apiKey = value('api_key')
  const key = /^key_(test|live)_[A-Za-z0-9]{8,}$/.exec(apiKey)
  if (!key) {
    throw wrongSetting('api_key', 'must be a whole key, key_test_... or key_live_...')
  }
  const signingSecret = value('signing_secret')
  // An empty secret would verify whatever was signed with an empty secret.
  if (!/^sign_[A-Za-z0-9]{8,}$/.test(signingSecret)) {
    throw wrongSetting('signing_secret', 'must be a whole secret, sign_...')
  }
  const mode = key[1]
  const apiURL = value('api_url').replace(/\/+$/, '') || defaultURL
  checkURL(apiURL, mode)
  return { apiKey, signingSecret, mode, apiURL, account: value('account') }
}

// checkURL keeps the key from travelling in the clear.
function checkURL(raw, mode) {
  const url = parsed(raw)
  if (!url?.host || url.username || url.password || url.search) {
    throw wrongSetting('api_url', `must be a plain address, as ${defaultURL}`)
  }
  const loopback = url.hostname === 'localhost' || url.hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback && mode === 'test')) {
    throw wrongSetting('api_url', 'must be https; plain http is only for a stand-in on this machine, with a test key')
  }
}

function parsed(raw) {
  try {
    return new URL(raw)
  } catch {
    return null
  }
}
