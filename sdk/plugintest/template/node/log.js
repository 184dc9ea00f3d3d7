// The plugin's log: hclog's JSON on standard error, a line each, without the secrets among the settings.

const levels = ['debug', 'info', 'warn', 'error']
const minSecret = 6 // bytes: replacing "a" everywhere would hide the text and not the value
const least = Math.max(levels.indexOf((process.env.SUPERPAY_LOG_LEVEL ?? 'info').toLowerCase()), 0)

let secrets = [] // in every spelling, longest first

// learn takes in the secrets: the values of secret fields, and of settings that are no field, for a secret
// under a mistyped name is one too.
export function learn(fields, settings) {
  const open = new Set(fields.filter((field) => !field.secret).map((field) => field.name))
  const values = Object.keys(settings).filter((name) => !open.has(name)).map((name) => settings[name])
  secrets = [...new Set(values.flatMap(spellings))].filter((value) => Buffer.byteLength(value) >= minSecret)
  secrets.sort((a, b) => b.length - a.length)
}

// spellings lists how a secret may appear: as it is, in a URL, in JSON, and line by line (a PEM key).
function spellings(value) {
  const encoded = encodeURIComponent(value)
  return [value, value.trim(), encoded, encoded.replaceAll('%20', '+'), JSON.stringify(value).slice(1, -1), ...value.split('\n')]
}

// scrub returns the text without the secrets.
export function scrub(text) {
  return secrets.reduce((out, secret) => out.replaceAll(secret, '[secret]'), text)
}

// logger returns a log whose lines carry the given fields.
export function logger(fields = {}) {
  const write = (level, message, more) => {
    if (levels.indexOf(level) < least) {
      return
    }
    const line = { '@level': level, '@message': message, '@timestamp': new Date().toISOString().replace('Z', '000Z'), ...fields, ...more }
    process.stderr.write(`${scrub(JSON.stringify(line))}\n`)
  }
  return Object.fromEntries(levels.map((level) => [level, (message, more = {}) => write(level, message, more)]))
}
