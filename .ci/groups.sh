# Sourced by .ci/run and .ci/stack: programs in groups of their own.

child= # the group that runs now

log() { printf '%s\n' "$*" >&2; }

# run runs a program in a group of its own, so that a signal need not wait for its end, and ends what it started too.
run() {
	setsid "$@" </dev/null &
	child=$!
	local code=0
	wait "$child" || code=$?
	child=
	return "$code"
}

# end_group ends a group that run or setsid began.
end_group() {
	[ -n "$1" ] || return 0
	kill -TERM -- "-$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# strays prints the processes that have CI_RUN=$1 in their environment.
strays() { env -u CI_RUN grep -lsz "^CI_RUN=$1$" /proc/[0-9]*/environ | cut -d/ -f3; }

# end_strays ends them. The tests give what they start groups of its own, which outlive tests that are killed.
end_strays() {
	local signal try pid pids
	for signal in TERM KILL; do
		pids=$(strays "$1")
		[ -n "$pids" ] || return 0
		for pid in $pids; do
			log "left by the tests, gets SIG$signal: $pid $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")"
			kill "-$signal" "$pid" 2>/dev/null
		done
		for try in {1..50}; do
			[ -n "$(strays "$1")" ] || return 0
			sleep 0.2
		done
	done
}
