// What the hub knows travels in the provider's metadata, under these keys. The hub believes all but the
// first two only where the digest proves them.
const keys = {
  refundId: 'superpay_refund',
  attemptId: 'superpay_attempt',
  instanceId: 'superpay_hub',
  orderId: 'superpay_order',
  appId: 'superpay_app',
  reference: 'superpay_reference',
  keyHash: 'superpay_key',
  digest: 'superpay_digest',
}

export const attemptKey = keys.attemptId
export const keyHashKey = keys.keyHash

// hubMetadata returns what belongs in the metadata of a payment or a refund. What is empty is left out.
export function hubMetadata(request) {
  const names = Object.keys(keys).filter((name) => request[name])
  return Object.fromEntries(names.map((name) => [keys[name], request[name]]))
}

// ofPayment reads a payment's metadata. Those of a refund only name its payment: the rest is the refund's.
export function ofPayment(metadata) {
  const names = metadata[keys.refundId] ? ['attemptId', 'instanceId'] : ['attemptId', 'instanceId', 'orderId', 'appId', 'reference', 'keyHash', 'digest']
  return read(metadata, names)
}

// ofRefund reads a refund's metadata.
export const ofRefund = (metadata) => read(metadata, ['refundId', 'instanceId', 'keyHash', 'digest'])

const read = (metadata, names) => Object.fromEntries(names.map((name) => [name, String(metadata[keys[name]] ?? '')]))

// finds reports whether metadata are those of the payment that is looked for.
export function finds(request, metadata) {
  const { attemptId, instanceId, keyHash } = read(metadata, Object.keys(keys))
  return instanceId === request.instanceId && (attemptId === request.attemptId || (request.findKeyHash !== '' && keyHash === request.findKeyHash))
}
