#!/usr/bin/env bash
# Makes sure that Node and npm are there, and the packages of the modules in Node; says nothing when they are.
set -euo pipefail
cd "$(dirname "$0")/.."

folders=(plugins/paypal/sandbox/clients/node plugins/stripe/sandbox/clients/node sdk/plugintest/template/node)
least=20 # the major version that Stripe's library demands
newer=22 # the one that is installed where Debian's is older
installed=node_modules/.installed.json # the lock file that was installed last

say() { echo "node: $*" >&2; }
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >&2; }

found() {
	command -v npm >/dev/null && command -v node >/dev/null &&
		[ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$least" ]
}

# with_npm puts the newer Node beside Debian's, whose npm fetches it.
with_npm() {
	local arch work
	arch=$(node -p 'process.arch') && work=$(mktemp -d) || return 1
	(cd "$work" && npm pack --silent "node-linux-$arch@$newer" >/dev/null && tar -xzf ./*.tgz package/bin/node &&
		install -m 755 package/bin/node /usr/local/bin/node)
	local result=$?
	rm -rf "$work"
	hash -r
	return $result
}

if ! found && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	say "installing Node and npm"
	{ command -v npm >/dev/null || { apt_get update && apt_get install --no-install-recommends nodejs npm; }; } || say "apt-get failed"
	found || with_npm || say "Node $newer could not be fetched"
fi
if ! found; then
	say "no Node $least or later with npm: install both (macOS: brew install node)"
	exit 1
fi
for folder in "${folders[@]}"; do
	cmp -s "$folder/package-lock.json" "$folder/$installed" && continue
	say "installing the packages of $folder"
	(cd "$folder" && npm ci --silent --ignore-scripts --no-audit --no-fund >&2) || { say "npm ci failed: run it in $folder to see why"; exit 1; }
	cp "$folder/package-lock.json" "$folder/$installed"
done
