#!/usr/bin/env bash
# Starts a Docker engine on a machine that has none, and stops the one that it started.
set -euo pipefail

usage() {
	cat <<'TEXT'
Usage: scripts/engine.sh start|stop

start  does nothing when an engine answers. Otherwise installs Debian's docker.io if there is no dockerd, starts it in the
       background and waits until it answers. Needs root.
stop   ends the engine that start began, and no other.

The note of what was started and its log are $FLUIDMCP_CACHE/fluidmcp/engine.pid and engine.log, where FLUIDMCP_CACHE is
else $XDG_CACHE_HOME, else ~/.cache.
TEXT
}

state=${FLUIDMCP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}}/fluidmcp
note=$state/engine.pid
log=$state/engine.log
patience=180 # seconds for a start or an end; a slow disk needs most of them

say() { printf 'engine: %s\n' "$*" >&2; }
answers() { command -v docker >/dev/null && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# birth PID prints when the process began, in clock ticks since boot: pid and birth together name a process for good.
birth() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# await SECONDS COMMAND... polls until the command succeeds.
await() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.2
	done
}

install_engine() {
	if ! command -v apt-get >/dev/null; then
		say "no dockerd here, and no apt-get to install it with; install Docker and start it"
		return 1
	fi
	say "installing docker.io"
	apt-get update -qq
	# With what it recommends: since Debian 13 the client is one of those.
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker.io >/dev/null
}

# drop_stale FILE NAME removes a pid file whose process is gone or has become another program: the next start would refuse.
drop_stale() {
	[ -f "$1" ] || return 0
	if [ "$(cat "/proc/$(cat "$1")/comm" 2>/dev/null)" != "$2" ]; then
		say "removing the stale $1"
		rm -f "$1"
	fi
}

start() {
	if answers; then
		say "an engine answers already"
		return
	fi
	if [ -n "${DOCKER_HOST-}" ]; then
		say "DOCKER_HOST is $DOCKER_HOST, where no engine answers; unset it or start that engine"
		return 1
	fi
	if [ "$(id -u)" != 0 ]; then
		say "no Docker engine answers, and only root can start one"
		return 1
	fi
	command -v dockerd >/dev/null || install_engine
	if [ -d /run/systemd/system ] && await 10 answers; then # the package starts its service where systemd runs
		say "the system's service answers"
		return
	fi
	mkdir -p "$state"
	drop_stale /var/run/docker.pid dockerd
	drop_stale /var/run/docker/containerd/containerd.pid containerd
	setsid dockerd >"$log" 2>&1 </dev/null &
	local pid=$!
	echo "$pid $(birth "$pid")" >"$note"
	if ! await "$patience" answers_or_dead "$pid" || ! answers; then
		say "dockerd did not answer within $patience s; the end of $log:"
		tail -n 20 "$log" >&2
		stop
		return 1
	fi
	say "started dockerd $(docker version --format '{{.Server.Version}}') as process $pid; its log is $log"
}

answers_or_dead() { answers || ! kill -0 "$1" 2>/dev/null; }

stop() {
	local pid born
	if ! read -r pid born 2>/dev/null <"$note"; then
		say "nothing to stop: start began no engine"
		return
	fi
	rm -f "$note"
	if [ "$(birth "$pid")" != "$born" ]; then
		say "process $pid has ended already"
		return
	fi
	kill -TERM "$pid"
	if ! await "$patience" gone "$pid" "$born"; then
		say "process $pid ignores TERM, killing it"
		kill -KILL "$pid"
	fi
	say "stopped dockerd, process $pid"
}

gone() { [ "$(birth "$1")" != "$2" ]; }

case ${1-} in
start) start ;;
stop) stop ;;
-h | --help) usage ;;
*) usage >&2; exit 64 ;;
esac
