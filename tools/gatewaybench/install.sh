#!/usr/bin/env bash
# Installs the gateways that gatewaybench compares with: nginx and HAProxy by apt, vllm-router and LiteLLM by pip, each in a
# folder of its own. Installed ones are left alone.
#
#   tools/gatewaybench/install.sh FOLDER [nginx] [haproxy] [vllm-router] [litellm]
#
# Without names it installs all. The exit status is the number of those that could not be installed.
set -uo pipefail

litellm=1.108.7
vllm_router=0.1.17

if [ $# -lt 1 ]; then
	sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
	exit 64
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd) || exit 73
shift
[ $# -gt 0 ] || set -- nginx haproxy vllm-router litellm

debian() {
	PATH=$PATH:/usr/sbin command -v "$1" >/dev/null && return
	if [ "$(id -u)" != 0 ]; then
		echo "as root: apt-get install $1" >&2
		return 1
	fi
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"
}

python() { # NAME REQUIREMENT
	[ -x "$folder/$1/bin/$1" ] && return
	python3 -m venv "$folder/$1" && "$folder/$1/bin/python" -m pip install --quiet --disable-pip-version-check "$2"
}

failed=0
for name in "$@"; do
	echo "== $name"
	case $name in
	nginx | haproxy) debian "$name" ;;
	vllm-router) python vllm-router "vllm-router==$vllm_router" ;;
	litellm) python litellm "litellm[proxy]==$litellm" ;;
	*) echo "unknown name $name" >&2; false ;;
	esac || { echo "not installed: $name" >&2; failed=$((failed + 1)); }
done
exit "$failed"
