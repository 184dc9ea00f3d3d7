#!/usr/bin/env bash
# Fetches the console's libraries, at these versions, into web/static/vendor. What it fetches is committed, so that
# building needs no npm.
set -euo pipefail
cd "$(dirname "$0")/.."

to=$PWD/web/static/vendor
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
# take PACKAGE VERSION FOLDER FILE...
take() {
	local package=$1 version=$2 folder=$3
	shift 3
	(cd "$temp" && tar xzf "$(npm pack --silent "$package@$version")")
	mkdir -p "$to/$folder"
	local file
	for file in "$@"; do cp "$temp/package/$file" "$to/$folder/"; done
	rm -rf "$temp/package"
}
take htmx.org 2.0.11 htmx dist/htmx.min.js LICENSE
take @picocss/pico 2.1.1 pico css/pico.min.css LICENSE.md
take uplot 1.6.32 uplot dist/uPlot.iife.min.js dist/uPlot.min.css LICENSE
