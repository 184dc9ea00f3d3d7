#!/usr/bin/env bash
# generate.sh FOLDER writes all generated files below that folder: the repository's top, or an empty
# one to compare with. Run it from the top.
set -euo pipefail
to=$1

# protoc finds its plugins by PATH; these are the ones of the tools module.
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
for tool in protoc-gen-go protoc-gen-go-grpc; do
	printf '#!/bin/sh\nexec %q\n' "$(go tool -modfile=.ci/tools/go.mod -n "$tool")" >"$tools/$tool"
	chmod 755 "$tools/$tool"
done

module=$(go list -m)
PATH=$tools:$PATH protoc -I . \
	--go_out="$to" --go_opt=module="$module" \
	--go-grpc_out="$to" --go-grpc_opt=module="$module" \
	sdk/plugin/provider.proto

mkdir -p "$to/hub/internal/api"
go run ./hub openapi >"$to/hub/internal/api/openapi.json"

mkdir -p "$to/hub/internal/ledger"
go run ./hub ledger states >"$to/hub/internal/ledger/STATES.md"
