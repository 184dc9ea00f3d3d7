// The messages and services of the wire, read from their .proto files.
import { fileURLToPath } from 'node:url'
import protoLoader from '@grpc/proto-loader'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))

export const files = [
  // In a folder of your own: copy it beside the others.
  path('../../../plugin/provider.proto'),
  path('proto/health.proto'),
  path('proto/controller.proto'),
  path('proto/status.proto'),
]

// Field names are in camelCase, and what was not sent has its zero value. An int64 is a string:
// nanoseconds are more than a number of JavaScript holds exactly.
const definitions = protoLoader.loadSync(files, { longs: String, enums: String, defaults: true, arrays: true, objects: true })

export const provider = definitions['superpay.plugin.v1.Provider']
export const health = definitions['grpc.health.v1.Health']
export const controller = definitions['plugin.GRPCController']

const outcome = definitions['superpay.plugin.v1.Outcome']
const status = definitions['google.rpc.Status']

// encodeStatus returns a gRPC error with an Outcome as its detail, in bytes.
export function encodeStatus(code, message, detail) {
  const any = { type_url: 'type.googleapis.com/superpay.plugin.v1.Outcome', value: outcome.serialize(detail) }
  return status.serialize({ code, message, details: [any] })
}

// toTime returns unix nanoseconds for unix seconds; 0 is "not said" on both sides.
export const toTime = (seconds) => String(BigInt(seconds) * 1_000_000_000n)

// fromTime returns unix seconds, rounded down.
export const fromTime = (nanoseconds) => Number(BigInt(nanoseconds) / 1_000_000_000n)
