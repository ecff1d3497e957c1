#!/usr/bin/env bash
# Builds the pinned tools that this repository is checked and tested with, from the Go module proxy.
set -euo pipefail

usage() {
	cat <<'TEXT'
Usage: scripts/tools.sh [NAME...]

Builds tools that are not in the cache yet and prints the path of each, one a line, in the order asked for.

  golangci-lint   the linter
  actionlint      the linter of GitHub workflows
  compose         the docker compose command (a CLI plugin)
  prometheus      Prometheus without most of its service discoveries
  promtool        its checker of configurations and rules

Without a name: all of them. The cache is $FLUIDMCP_CACHE/fluidmcp/bin, else $XDG_CACHE_HOME/fluidmcp/bin,
else ~/.cache/fluidmcp/bin. Files are named <name>-<version>. Progress goes to standard error.
TEXT
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${FLUIDMCP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}}/fluidmcp/bin

# The go.mod files below tools/ pin the same versions, with the checksums of everything they need.
golangci_version=v2.15.0
actionlint_version=v1.7.12
compose_version=v5.6.0
prometheus_version=v0.316.0 # of the module; the program calls itself 3.16.0

say() { printf 'tools: %s\n' "$*" >&2; }

version_of() {
	case $1 in
	golangci-lint) echo "$golangci_version" ;;
	actionlint) echo "$actionlint_version" ;;
	compose) echo "$compose_version" ;;
	prometheus | promtool) echo "$prometheus_version" ;;
	*)
		say "no tool is called $1; see scripts/tools.sh --help"
		return 64
		;;
	esac
}

# install PACKAGE@VERSION OUTPUT is for modules that the toolchain can install as they were released.
install() {
	local name=${1##*/} folder
	folder=$(dirname "$2")
	GOBIN=$folder go install -trimpath -ldflags '-s -w' "$1"
	mv "$folder/${name%@*}" "$2"
}

# build NAME OUTPUT
build() {
	export CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false
	local cli=github.com/docker/compose/v5
	case $1 in
	golangci-lint) install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$golangci_version" "$2" ;;
	actionlint) install "github.com/rhysd/actionlint/cmd/actionlint@$actionlint_version" "$2" ;;
	compose) # without a version of its own it refuses to work
		go build -C "$here/tools/compose" -trimpath -ldflags "-s -w -X $cli/internal.Version=$compose_version" -o "$2" $cli/cmd
		;;
	*) # a dependency of the other service discoveries cannot be downloaded
		go build -C "$here/tools/prometheus" -mod=mod -tags remove_all_sd,enable_dns_sd -trimpath -ldflags '-s -w' \
			-o "$2" "github.com/prometheus/prometheus/cmd/$1"
		;;
	esac
}

# persist COMMAND... tries twice more: a connection to the module proxy may break, and what had come by then is not fetched again.
persist() {
	local left=2
	until "$@"; do
		[ "$left" -gt 0 ] || return 1
		left=$((left - 1))
		sleep 5
	done
}

# ensure NAME VERSION builds into a folder of its own and renames, so that a file in the cache is always whole.
ensure() (
	name=$1 target=$cache/$1-$2
	[ ! -x "$target" ] || exit 0
	work=$(mktemp -d "$cache/.build-XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 143' INT TERM
	say "building $name $2"
	if ! persist build "$name" "$work/out" >"$work/log" 2>&1; then
		say "building $name $2 failed:"
		tail -n 30 "$work/log" >&2
		exit 1
	fi
	mv "$work/out" "$target"
	say "built $name $2 in ${SECONDS} s"
)

case ${1-} in
-h | --help) usage; exit ;;
esac
[ $# -gt 0 ] || set -- golangci-lint actionlint compose prometheus promtool

for name in "$@"; do
	version_of "$name" >/dev/null
done
mkdir -p "$cache"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; exit 130' INT TERM
monitoring=() # these two share most packages: one after the other compiles them once
for name in "$@"; do
	case $name in
	prometheus | promtool) monitoring+=("$name") ;;
	*)
		ensure "$name" "$(version_of "$name")" &
		pids+=($!)
		;;
	esac
done
if [ ${#monitoring[@]} -gt 0 ]; then
	{
		for name in "${monitoring[@]}"; do
			ensure "$name" "$prometheus_version"
		done
	} &
	pids+=($!)
fi
failed=0
for pid in "${pids[@]}"; do
	wait "$pid" || failed=1
done
[ "$failed" = 0 ] || exit 1
for name in "$@"; do
	echo "$cache/$name-$(version_of "$name")"
done
