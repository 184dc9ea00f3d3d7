#!/usr/bin/env bash
# Makes sure that protoc is there for the generated code; says nothing when it is.
set -euo pipefail

say() { echo "protoc: $*" >&2; }
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >&2; }

command -v protoc >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	say "installing Debian's protobuf-compiler"
	if apt_get update && apt_get install --no-install-recommends protobuf-compiler && command -v protoc >/dev/null; then
		exit 0
	fi
fi
say "not found: install it (Debian: apt-get install protobuf-compiler; macOS: brew install protobuf)"
exit 1
