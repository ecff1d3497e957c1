#!/usr/bin/env bash
# Checks the JavaScript client: format, lint, types, and the tests, on the Node of this machine and on the oldest one that
# the package promises. FLUIDMCP_BIN names a built fluidmcp; without it one is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
oldest=18.20.8

major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p') || true
if [ "${major:-0}" -lt 18 ] || ! command -v npm >/dev/null; then
	if [ "${FLUIDMCP_REQUIRE_NODE:-}" = 1 ]; then
		echo "The JavaScript client needs Node 18 or newer and npm (and FLUIDMCP_REQUIRE_NODE=1 asks for them)." >&2
		exit 1
	fi
	echo "SKIPPED the JavaScript client: Node 18 or newer and npm are not installed; FLUIDMCP_REQUIRE_NODE=1 makes that a failure"
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${FLUIDMCP_BIN:-}" ]; then
	export FLUIDMCP_BIN=$work/fluidmcp
	(cd ../.. && go build -o "$FLUIDMCP_BIN" ./cmd/fluidmcp)
fi

# What npm ci took stays until the lock file changes.
if ! cmp -s package-lock.json node_modules/.installed; then
	npm ci --ignore-scripts --no-audit --no-fund
	cp package-lock.json node_modules/.installed
fi
if grep -q '"resolved"' package-lock.json; then
	echo "package-lock.json says from which registry it was made; npm install with the .npmrc of this folder leaves that out" >&2
	exit 1
fi

npm run --silent lint
npm run --silent types

# Both wait more than they work, so they run side by side. What is published is checked once.
through_gateway=(test/failures.test.js test/misuse.test.js test/requests.test.js test/retries.test.js test/sse.test.js test/streams.test.js)
npx --yes --package "node@$oldest" node --test "${through_gateway[@]}" >"$work/oldest" 2>&1 &
code=0
node --test test/*.test.js || code=$?
if wait $!; then
	echo "Node $oldest: $(grep '^# pass' "$work/oldest") of the tests above"
else
	code=1
	echo "Node $oldest:"
	cat "$work/oldest"
fi
exit "$code"
