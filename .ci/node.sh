#!/usr/bin/env bash
# Makes sure that Node and npm are there, and the packages of the modules in Node; says nothing when they are.
set -euo pipefail
cd "$(dirname "$0")/.."

folders=(plugins/paypal/sandbox/clients/node plugins/stripe/sandbox/clients/node)
least=20 # the major version that Stripe's package demands
installed=node_modules/.installed.json # the lock file that was installed last

say() { echo "node: $*" >&2; }
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >&2; }

found() {
	command -v npm >/dev/null && command -v node >/dev/null &&
		[ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$least" ]
}

if ! found && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	say "installing Debian's nodejs and npm"
	apt_get update && apt_get install --no-install-recommends nodejs npm || say "apt-get failed"
fi
if ! found; then
	say "no Node $least or later with npm: install both (Debian: apt-get install nodejs npm; macOS: brew install node)"
	exit 1
fi
for folder in "${folders[@]}"; do
	cmp -s "$folder/package-lock.json" "$folder/$installed" && continue
	say "installing the packages of $folder"
	(cd "$folder" && npm ci --silent >&2) || { say "npm ci failed: run it in $folder to see why"; exit 1; }
	cp "$folder/package-lock.json" "$folder/$installed"
done
