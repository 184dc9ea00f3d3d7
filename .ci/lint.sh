#!/usr/bin/env bash
# Checks what a machine can say about the code, and tells all that is wrong before it fails.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=0
# check WHAT HINT COMMAND...: the command says what is wrong, or nothing.
check() {
	local what=$1 hint=$2
	shift 2
	echo "lint: $what"
	"$@" && return
	echo "lint: $what failed${hint:+: $hint}" >&2
	failed=1
}

tool() { go tool -modfile=.ci/tools/go.mod "$@"; }

formatted() {
	local wrong
	wrong=$(tool gofumpt -l .) || return # leaves generated files alone
	[ -z "$wrong" ] || { echo "$wrong" && return 1; }
}

# The wire's version is written into the generated code. Another protoc writes another number there
# and the same code otherwise.
generated() {
	.ci/protoc.sh || return
	local new wrong=0 file old
	new=$(mktemp -d)
	.ci/generate.sh "$new" || { rm -rf "$new" && return 1; }
	while read -r file; do
		old=$file
		# openapi.json need not be committed.
		[ -e "$old" ] || [ "${file##*/}" != openapi.json ] || continue
		diff -u -I '^// .*protoc  *v' "$old" "$new/$file" || wrong=1
	done < <(cd "$new" && find . -type f | sed 's|^\./||')
	rm -rf "$new"
	return $wrong
}

shell_scripts() { bash -n .ci/run && for script in .ci/*.sh; do bash -n "$script" || return; done; }

check "format (gofumpt)" "run: go tool -modfile=.ci/tools/go.mod gofumpt -w ." formatted
check "go vet" "" go vet ./...
check "staticcheck" "" tool staticcheck ./...
check "go.mod" "run: go mod tidy" go mod tidy -diff
check "generated code" "run: make generate" generated
check "shell scripts" "" shell_scripts
exit $failed
