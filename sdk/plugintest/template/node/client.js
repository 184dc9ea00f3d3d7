// Acmepay's API over HTTP: each request leaves once, and what was provably never sent is told from what
// may have arrived. node:http repeats nothing and follows no redirect, which fetch would.
import http from 'node:http'
import https from 'node:https'
import { outcomeOf, unreadable } from './error.js'
import { notSent } from './outcome.js'

const maxAnswer = 8 << 20 // bytes

export class Client {
  constructor({ apiURL, apiKey }) {
    this.apiURL = apiURL
    this.apiKey = apiKey
    this.transport = apiURL.startsWith('https:') ? https : http
    this.agent = new this.transport.Agent({ keepAlive: true, maxSockets: 64 })
  }

  get(path, signal) {
    return this.#ask('GET', path, '', '', signal)
  }

  // post asks for something, under the operation's key.
  post(path, key, fields, signal) {
    return this.#ask('POST', path, key, JSON.stringify(sorted(fields)), signal)
  }

  async #ask(method, path, key, body, signal) {
    const { status, text } = await this.#exchange(method, path, key, body, signal)
    const answer = parsed(text)
    if (status !== 200) {
      throw outcomeOf(status, answer)
    }
    if (answer === null || typeof answer !== 'object') {
      throw unreadable()
    }
    return answer
  }

  #exchange(method, path, key, body, signal) {
    const headers = { authorization: `Bearer ${this.apiKey}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    if (key) {
      headers['idempotency-key'] = key
    }
    return new Promise((resolve, reject) => {
      let connected = false
      const request = this.transport.request(this.apiURL + path, { method, headers, agent: this.agent, signal })
      request.on('socket', (socket) => {
        if (socket.connecting) {
          socket.once('connect', () => { connected = true })
        } else {
          connected = true
        }
      })
      // The error's own text may quote what was sent.
      request.on('error', () => reject(connected ? new Error('acmepay: the connection broke') : notSent('no connection to Acmepay')))
      request.on('response', (response) => read(response).then((text) => resolve({ status: response.statusCode, text }), reject))
      request.end(body)
    })
  }
}

// read returns the whole answer. One that ends in the middle is an error of the stream.
async function read(response) {
  const chunks = []
  let size = 0
  try {
    for await (const chunk of response) {
      chunks.push(chunk)
      size += chunk.length
      if (size > maxAnswer) {
        break // which closes the connection
      }
    }
  } catch {
    throw new Error('acmepay: the answer broke off')
  }
  if (size > maxAnswer) {
    throw unreadable()
  }
  return Buffer.concat(chunks).toString()
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

// sorted returns fields in the order of their names: a map of the wire arrives in another order each time,
// and a provider refuses a repeat with other bytes.
function sorted(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return value
  }
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]))
}
