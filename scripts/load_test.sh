#!/usr/bin/env bash
# Sends a hundred requests at once and shows what the gateway counted.
set -euo pipefail

usage() {
	cat <<'TEXT'
Usage: scripts/load_test.sh [MODEL [REQUESTS]]

Sends REQUESTS (100) chat completions to MODEL (mock-llm) of a running FluidMCP, all at once, and prints what the gateway
counted since its start: requests, errors, durations. It ends with 1 unless all were answered with 200, and needs only curl.
`fluidmcp loadtest` measures times too.

FLUIDMCP_URL  the gateway (http://localhost:8099)
TEXT
}

model=${1:-mock-llm}
requests=${2:-100}
url=${FLUIDMCP_URL:-http://localhost:8099}
case $model in -h | --help) usage && exit ;; esac
if [ $# -gt 2 ] || ! [[ $requests =~ ^[1-9][0-9]{0,3}$ ]]; then
	usage >&2
	exit 2
fi
curl -sS -o /dev/null "$url/health" # says what is wrong when nothing is there

# counted is how many requests there were.
counted() { curl -s "$url/metrics" | awk '/^fluidmcp_requests_total/ { n += $NF } END { printf "%d", n }'; }

before=$(counted)
echo "Running load test with $requests concurrent requests..."
statuses=$(
	for ((i = 1; i <= requests; i++)); do
		curl -s -o /dev/null -w '%{http_code}\n' "$url/llm/$model/chat/completions" -H 'Content-Type: application/json' \
			-d "{\"messages\": [{\"role\": \"user\", \"content\": \"Request $i\"}]}" &
	done
	wait
)
sort <<<"$statuses" | uniq -c | awk '{print $1 " answered " $2}'

echo "Checking metrics..."
for _ in {1..100}; do # a request is counted just after its end
	[ "$(counted)" -lt $((before + requests)) ] || break
	sleep 0.1
done
curl -s "$url/metrics" | grep -E "^fluidmcp_(requests_total|errors_total|request_duration_seconds_(sum|count)).*model=\"$model\"" ||
	echo "none for $model"

if grep -qv '^200$' <<<"$statuses"; then exit 1; fi
