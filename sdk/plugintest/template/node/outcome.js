// How a method ends, when not with an answer. What is thrown and is no Outcome is unknown to the hub: it
// may have happened. Throw an Outcome only where you can prove it.
import grpc from '@grpc/grpc-js'
import { encodeStatus } from './wire.js'

const maxText = 1024 // bytes: it travels in headers and ends in logs

export class Outcome extends Error {
  constructor(kind, fields, message) {
    super(message)
    this.kind = kind
    this.fields = fields
  }
}

// rejected: the provider answered no, and nothing happened.
export const rejected = (code, message, providerCode = '') =>
  new Outcome('REJECTED', { failure: { code, message, providerCode } }, `rejected by the provider: ${code} (${providerCode}) ${message}`)

// notSent: the request provably never left, or was refused before the provider looked at it.
export const notSent = (reason) => new Outcome('NOT_SENT', { reason }, `not sent: ${reason}`)

// mismatch: the key was used before with another request, so that one arrived.
export const mismatch = (reason) => new Outcome('MISMATCH', { reason }, `idempotency mismatch: ${reason}`)

// notFound: the provider says that there is no such thing. Of reads only.
export const notFound = () => new Outcome('NOT_FOUND', {}, 'not found at the provider')

// wrongSetting says which setting is wrong and why, never with its value.
export const wrongSetting = (field, reason) => new Outcome('SETTINGS', { field, reason }, `setting "${field}": ${reason}`)

// The codes are for people who look at the wire: only the Outcome counts.
const codes = {
  REJECTED: grpc.status.FAILED_PRECONDITION,
  NOT_SENT: grpc.status.ABORTED,
  MISMATCH: grpc.status.ALREADY_EXISTS,
  NOT_FOUND: grpc.status.NOT_FOUND,
  SETTINGS: grpc.status.INVALID_ARGUMENT,
}

// toStatus returns what grpc-js sends for an error: without secrets, and with its outcome in the trailer.
export function toStatus(error, scrub) {
  const clean = (text) => shorten(scrub(String(text)))
  const details = clean(error?.message ?? error)
  if (!(error instanceof Outcome)) {
    return { code: grpc.status.UNKNOWN, details }
  }
  const outcome = JSON.parse(JSON.stringify(error.fields), (_, value) => (typeof value === 'string' ? clean(value) : value))
  const code = codes[error.kind]
  const metadata = new grpc.Metadata()
  metadata.set('grpc-status-details-bin', encodeStatus(code, details, { kind: error.kind, ...outcome }))
  return { code, details, metadata }
}

// shorten cuts an overlong text, and replaces what is not UTF-8, which gRPC refuses to carry.
function shorten(text) {
  const bytes = Buffer.from(text)
  return bytes.length > maxText ? `${bytes.toString('utf8', 0, maxText)}...` : bytes.toString()
}
