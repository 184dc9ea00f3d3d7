// node build.js FILE writes the plugin's executable: a few lines of shell that start this folder in the
// node that runs this. It holds whole paths, for a hub gives its plugins no PATH.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { files as messages } from './wire.js'

const file = process.argv[2]
if (!file) {
  console.error('usage: node build.js FILE')
  process.exit(2)
}
const folder = dirname(fileURLToPath(import.meta.url))
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`

// The hub looks at the executable alone: with the sum of the sources in it, it changes whenever they do.
const sources = readdirSync(folder).filter((name) => /\.js$|^package-lock\.json$/.test(name)).sort()
const sum = createHash('sha256')
for (const source of [...sources.map((name) => resolve(folder, name)), ...messages]) {
  sum.update(readFileSync(source))
}
mkdirSync(dirname(resolve(file)), { recursive: true })
writeFileSync(file, `#!/bin/sh
# Made by build.js of sources with the sum ${sum.digest('hex')}
# The hub hands its certificate authorities on in a variable that Node does not read.
[ -z "$SSL_CERT_FILE" ] || export NODE_EXTRA_CA_CERTS="$SSL_CERT_FILE"
exec ${quoted(process.execPath)} ${quoted(resolve(folder, 'main.js'))}
`, { mode: 0o755 })
