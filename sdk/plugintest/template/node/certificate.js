// A self-signed certificate for this process, as AutoMTLS wants it. Node can sign one and not write one, so
// its DER is written here. Most languages have a library for it: use that.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const name = 'localhost'
const day = 24 * 60 * 60 * 1000
const lifetime = 3650 * day

// newCertificate returns {key, certificate} as PEM, and the certificate as DER.
export function newCertificate() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(oid('2a8648ce3d040302')) // ecdsa-with-SHA256
  const subject = sequence(set(sequence(oid('550403'), text(name))))
  const serial = randomBytes(16)
  serial[0] = (serial[0] & 0x7f) | 0x40 // positive, and written in 16 bytes
  const body = sequence(
    tag(0xa0, tag(0x02, Buffer.from([2]))), // version 3
    tag(0x02, serial),
    algorithm,
    subject, // the issuer: itself
    sequence(time(Date.now() - day), time(Date.now() + lifetime)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    // The DNS name that the hub checks, as subjectAltName: the subject's name is not looked at.
    tag(0xa3, sequence(sequence(oid('551d11'), tag(0x04, sequence(tag(0x82, Buffer.from(name))))))),
  )
  const signature = sign('sha256', body, privateKey)
  const der = sequence(body, algorithm, tag(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = der.toString('base64').match(/.{1,64}/g).join('\n')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    der,
  }
}

// tag writes one DER value: its kind, its length and its bytes.
function tag(kind, ...parts) {
  const value = Buffer.concat(parts)
  const size = value.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([kind, ...length]), value])
}

const sequence = (...parts) => tag(0x30, ...parts)
const set = (...parts) => tag(0x31, ...parts)
const oid = (hex) => tag(0x06, Buffer.from(hex, 'hex'))
const text = (value) => tag(0x0c, Buffer.from(value))

// time writes a GeneralizedTime in the years that need one, else a UTCTime, as X.509 demands.
function time(at) {
  const digits = new Date(at).toISOString().replace(/\D/g, '').slice(0, 14)
  return digits < '2050' ? tag(0x17, Buffer.from(`${digits.slice(2)}Z`)) : tag(0x18, Buffer.from(`${digits}Z`))
}
