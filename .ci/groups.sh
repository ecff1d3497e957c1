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
