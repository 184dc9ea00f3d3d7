// The wire: what package sdk/plugin does for a plugin in Go. sdk/any-language.md tells why.
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import grpc from '@grpc/grpc-js'
import { newCertificate } from './certificate.js'
import { learn, logger, scrub } from './log.js'
import { toStatus } from './outcome.js'
import { controller, health, provider as contract } from './wire.js'

const cookie = { name: 'SUPERPAY_PLUGIN', value: 'b3c1f5f0-superpay-provider' }
const goPluginVersion = 1
const protocolVersion = 1
const maxMessage = 8 << 20 // bytes, both ways
const shutdownGrace = 1000 // ms; the hub waits twice as long

// serve is all that a plugin's main needs: it offers the provider to the hub that started this process,
// and ends with it. Started by hand, it says what the plugin is.
export function serve(provider) {
  if (process.env[cookie.name] !== cookie.value) {
    introduce(provider.describe())
    return
  }
  // Standard output belongs to the handshake.
  console.log = console.error
  // The hub ends its plugins after their last call: a Ctrl-C, or a service manager that signals every
  // process, must not come before it.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  endWithHub()

  const server = new grpc.Server({ 'grpc.max_receive_message_length': maxMessage, 'grpc.max_send_message_length': maxMessage })
  server.addService(contract, methods(provider))
  server.addService(health, { Check: check })
  server.addService(controller, { Shutdown: (call, callback) => shutdown(server, callback) })
  listen(server)
}

// listen opens the server with mutual TLS, and writes the handshake: one line, by which the hub finds it.
function listen(server) {
  const hub = process.env.PLUGIN_CLIENT_CERT // the only client that is let in
  if (!hub) {
    fail('PLUGIN_CLIENT_CERT is missing: this plugin is only served over AutoMTLS')
  }
  const own = newCertificate()
  const pair = { private_key: Buffer.from(own.key), cert_chain: Buffer.from(own.certificate) }
  const credentials = grpc.ServerCredentials.createSsl(Buffer.from(hub), [pair], true)
  // A path of a socket is at most 107 bytes long.
  const socket = join(process.env.PLUGIN_UNIX_SOCKET_DIR || tmpdir(), `plugin-${randomBytes(6).toString('hex')}`)
  process.on('exit', () => rmSync(socket, { force: true }))
  server.bindAsync(`unix:${socket}`, credentials, (error) => {
    if (error) {
      fail(`the plugin cannot listen on ${socket}: ${error.message}`)
    }
    const certificate = own.der.toString('base64').replace(/=+$/, '')
    process.stdout.write(`${goPluginVersion}|${protocolVersion}|unix|${socket}|grpc|${certificate}\n`)
  })
}

function fail(message) {
  logger().error(message)
  process.exit(1)
}

// endWithHub ends the process when its hub is gone: no plugin outlives a hub that was killed. Where the
// hub promises to keep standard input open, the end of that is the end of the hub.
function endWithHub() {
  const end = () => process.exit(1)
  if (process.env.SUPERPAY_WATCH_STDIN === '1') {
    process.stdin.on('end', end).on('error', end).resume()
    return
  }
  const parent = process.ppid
  setInterval(() => process.ppid === parent || end(), 500)
}

// shutdown answers, lets calls in flight end, and ends the process.
function shutdown(server, callback) {
  callback(null, {})
  server.tryShutdown(() => process.exit(0))
  setTimeout(() => process.exit(0), shutdownGrace)
}

// check tells the hub that the plugin does not hang. The hub asks for the service "plugin".
function check(call, callback) {
  if (call.request.service !== 'plugin' && call.request.service !== '') {
    callback({ code: grpc.status.NOT_FOUND, details: 'unknown service' })
    return
  }
  callback(null, { status: 'SERVING' })
}

// methods are those of the contract. What the provider lacks is left out, and gRPC answers UNIMPLEMENTED.
function methods(provider) {
  const description = provider.describe() // once: it is the same at every call
  const out = { Describe: (call, callback) => callback(null, description) }
  for (const method of Object.keys(contract)) {
    const name = method[0].toLowerCase() + method.slice(1)
    if (method !== 'Describe' && typeof provider[name] === 'function') {
      out[method] = (call, callback) => answer(provider, name, call, callback)
    }
  }
  return {
    ...out,
    Configure: (call, callback) => {
      learn(description.settings, call.request.settings) // first: even an error of it must not hold a secret
      answer(provider, 'configure', call, callback)
    },
  }
}

// answer calls a method, and turns what it throws into an outcome. Nothing ends the process, and with it
// the calls of others.
async function answer(provider, name, call, callback) {
  const log = logger(callFields(call.metadata))
  try {
    const result = await provider[name](call.request, { signal: givenUp(call), log })
    if (!result) {
      throw new Error('the plugin returned neither a result nor an error')
    }
    callback(null, result)
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) {
      log.error('a fault of the plugin', { method: name, stack: error.stack })
    }
    callback(toStatus(error, scrub))
  }
}

// givenUp is a signal that the hub waits no longer: it hung up, or its deadline passed.
function givenUp(call) {
  const waiting = new AbortController()
  call.on('cancelled', () => waiting.abort())
  return waiting.signal
}

// callFields are the ids by which a line of the log finds its request and order.
function callFields(metadata) {
  const fields = {}
  for (const id of ['request_id', 'order_id']) {
    const values = metadata.get(`superpay-${id.replace('_', '-')}`)
    if (values.length === 1) {
      fields[id] = values[0]
    }
  }
  return fields
}

// introduce tells a person who ran a plugin by hand what it is.
function introduce(description) {
  const { name, title, version, settings, flows } = description
  console.log(`${name} ${version} (${title}): a provider plugin for the Superpay hub, protocol ${protocolVersion}.`)
  console.log('It is not run by hand. Install it (hub plugin install) and configure a provider with it.\n')
  for (const field of settings) {
    console.log(`  setting ${field.name}: ${field.title} (${field.required ? 'required' : 'optional'}${field.secret ? ', secret' : ''})`)
  }
  for (const flow of flows) {
    console.log(`  flow ${flow.name}: ${flow.title}`)
  }
}
