#!/usr/bin/env bash
# Makes sure that a Chromium is there for the browser tests; says nothing when there is one.
set -euo pipefail

say() { echo "chromium: $*" >&2; }
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >&2; }

# found: CHROMIUM decides alone if it is set, as in the tests; else the usual names.
found() {
	local name
	if [ -n "${CHROMIUM:-}" ]; then
		command -v "$CHROMIUM" >/dev/null && return
		say "CHROMIUM=$CHROMIUM is not a program"
		exit 1
	fi
	for name in chromium chromium-browser google-chrome; do
		command -v "$name" >/dev/null && return
	done
	[ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]
}

found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	say "installing Debian's chromium"
	if apt_get update && apt_get install --no-install-recommends chromium && found; then
		exit 0
	fi
fi
say "none found: install chromium or Google Chrome, or set CHROMIUM to the program"
exit 1
