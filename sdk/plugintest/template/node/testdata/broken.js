// The plugin with one thing missing that the wire demands: what BROKEN names. The exam must notice.
import grpc from '@grpc/grpc-js'

const broken = process.env.BROKEN
const { Server, ServerCredentials } = grpc

const addService = Server.prototype.addService
Server.prototype.addService = function (service, methods) {
  if (!(broken in service)) {
    addService.call(this, service, methods)
  }
}

const createSsl = ServerCredentials.createSsl
if (broken === 'clients') {
  ServerCredentials.createSsl = (authorities, pairs) => createSsl.call(ServerCredentials, authorities, pairs, false)
}

const on = process.on
if (broken === 'signals') {
  process.on = (event, ...more) => (event === 'SIGTERM' ? process : on.call(process, event, ...more))
}

if (broken === 'stdin') {
  delete process.env.SUPERPAY_WATCH_STDIN
}

await import('../main.js')
