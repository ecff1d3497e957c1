#!/usr/bin/env bash
# Checks the Python client: style, types, what users install, and the tests on the oldest and the newest Python that run
# here. Tests ask the program $FLUIDMCP_BIN, else one that is built. Without Python it is skipped, unless
# FLUIDMCP_REQUIRE_PYTHON=1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=${FLUIDMCP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}}/fluidmcp
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d)
running=() # process groups of tests

say() { printf 'check: %s\n' "$*"; }

finish() {
	local group
	for group in "${running[@]}"; do # an interrupt, so that pytest ends what it started
		kill -INT -- "-$group" 2>/dev/null || true
		wait "$group" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# missing ends the script where the machine lacks something.
missing() {
	if [ "${FLUIDMCP_REQUIRE_PYTHON:-}" = 1 ]; then
		say "FAILED: $* (and FLUIDMCP_REQUIRE_PYTHON=1 asks for it)"
		exit 1
	fi
	say "SKIPPED the Python client: $*; FLUIDMCP_REQUIRE_PYTHON=1 makes that a failure"
	exit 0
}

# interpreters prints version and path of each Python that runs, has venv and is supported, oldest first.
interpreters() {
	local name
	# Those of pyenv come by their path: its commands run only the version that is chosen.
	for name in python3.9 python3.10 python3.11 python3.12 python3.13 python3 "${PYENV_ROOT:-${HOME:-/root}/.pyenv}"/versions/3.*/bin/python3; do
		"$name" -c 'import sys, venv, ensurepip
if sys.version_info >= (3, 9): print("%d.%d" % sys.version_info[:2], sys.executable)' 2>/dev/null || true
	done | sort -u -V -k1,1
}

# environment prints the folder of a virtual environment of a Python with what a requirements file names. It is made once
# for each state of the requirements. Packages that users get are kept beside it as wheels.
environment() {
	local python=$1 requirements=$2 key folder
	key=$({ "$python" -VV; cat "$requirements" requirements-test.txt; } | sha256sum | cut -c -12)
	folder=$cache/python-client-$key
	if [ ! -f "$folder/complete" ]; then
		say "preparing $("$python" -V) with $requirements" >&2
		"$python" -m venv --clear "$folder" >&2 &&
			"$folder/bin/python" -m pip install --quiet -r "$requirements" >&2 &&
			"$folder/bin/python" -m pip download --quiet -d "$folder/wheels" -r requirements-test.txt >&2 || return
		touch "$folder/complete"
	fi
	echo "$folder"
}

# packages builds what would be published, installs it where nothing else is, and uses it as a program of a user would.
packages() {
	local tools=$1
	"$tools/bin/python" -m build --no-isolation --outdir "$work/dist" . >"$work/build" 2>&1 || { cat "$work/build"; return 1; }
	"$tools/bin/python" -m venv --without-pip "$work/empty"
	"$tools/bin/python" -m pip --python "$work/empty" install --quiet --no-index --find-links "$tools/wheels" "$work"/dist/*.whl
	cat >"$work/user.py" <<'PYTHON'
from importlib.metadata import metadata

import fluidmcp

client = fluidmcp.FluidMCPClient()
print("check: installed", metadata("fluidmcp")["Name"], fluidmcp.__version__, metadata("fluidmcp")["License-Expression"])
if fluidmcp.__version__ == "never":
    content = client.chat_completion("m", [])["choices"][0]["message"]["content"]
    wrong: int = content  # type: ignore[assignment]  # only py.typed in the wheel makes mypy look for this
PYTHON
	cmp "$work"/empty/lib/python*/site-packages/fluidmcp-*.dist-info/licenses/LICENSE ../../LICENSE
	"$work/empty/bin/python" -W error "$work/user.py"
	(cd "$work" && "$tools/bin/python" -m mypy --strict --no-incremental --python-executable "$work/empty/bin/python" user.py)
}

# start_tests runs the tests beside what follows: they mostly wait. tell_tests prints the outcome.
start_tests() {
	local python=$1
	set -m # a process group of its own
	{ say "tests on $("$python" -V)" && "$python" -m pytest -q -p no:cacheprovider; } >"$work/tests-${#running[@]}" 2>&1 </dev/null &
	set +m
	running+=($!)
}

tell_tests() {
	local i code failed=0
	for i in "${!running[@]}"; do
		code=0
		wait "${running[i]}" || code=$?
		cat "$work/tests-$i"
		[ "$code" = 0 ] || failed=1
	done
	running=()
	return "$failed"
}

mapfile -t found < <(interpreters)
[ ${#found[@]} -gt 0 ] || missing "no python3 from 3.9 on runs here, with venv and ensurepip"
oldest=${found[0]#* } newest=${found[-1]#* }
say "found Python $(printf '%s\n' "${found[@]}" | cut -d ' ' -f 1 | paste -sd ' ')"
tools=$(environment "$newest" requirements-dev.txt) || missing "its packages cannot be installed"
if [ -z "${FLUIDMCP_BIN:-}" ]; then
	(cd ../.. && go build -o "$work/fluidmcp" ./cmd/fluidmcp)
	export FLUIDMCP_BIN=$work/fluidmcp
fi

if [ "$oldest" != "$newest" ]; then
	older=$(environment "$oldest" requirements-test.txt) || missing "its packages cannot be installed"
	start_tests "$older/bin/python"
fi
start_tests "$tools/bin/python"
"$tools/bin/ruff" check --no-cache .
"$tools/bin/ruff" format --no-cache --check .
"$tools/bin/mypy" --cache-dir "$tools/mypy"
packages "$tools"
tell_tests
