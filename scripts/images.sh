#!/usr/bin/env bash
# Builds the images.
set -euo pipefail

usage() {
	cat <<'TEXT'
Usage: scripts/images.sh release|test

release  builds gateway, supervisor (with dockerproxy) and mockvllm from their Dockerfiles, under the names that deploy/compose.yaml expects.
         GO_IMAGE          image to compile in (golang:1.26)
         FLUIDMCP_VERSION  what the programs call themselves (git describe)
         FLUIDMCP_GATEWAY_IMAGE, FLUIDMCP_SUPERVISOR_IMAGE, FLUIDMCP_MOCKVLLM_IMAGE
                           names (fluidmcp/gateway:dev and so on)

test     compiles on this machine, wraps the programs and a Prometheus from its Go module in images named after their
         content, and removes unused ones of the days before. What has not changed is not built again.

Both print one line an image, VARIABLE=name, as deploy/compose.yaml reads them. Progress goes to standard error.
TEXT
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
services=(gateway supervisor mockvllm)
bundle=/etc/ssl/certs/ca-certificates.crt

say() { printf 'images: %s\n' "$*" >&2; }
variable_of() { printf 'FLUIDMCP_%s_IMAGE' "${1^^}"; }

release() {
	local version name image
	version=${FLUIDMCP_VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}
	for name in "${services[@]}"; do
		image=$(variable_of "$name")
		image=${!image:-fluidmcp/$name:dev}
		say "building $image $version"
		docker build --build-arg "GO_IMAGE=${GO_IMAGE:-golang:1.26}" --build-arg "VERSION=$version" \
			-f "services/$name/Dockerfile" -t "$image" . >&2
		echo "$(variable_of "$name")=$image"
	done
}

# wrap VARIABLE REPOSITORY FOLDER makes an image of a folder with its Dockerfile, tagged with a hash of what is in it.
wrap() {
	local tag image
	tag=$(cd "$3" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)
	image=fluidmcp-test/$2:$tag
	if ! docker image inspect "$image" >/dev/null 2>&1; then
		say "building $image"
		docker build -q --label fluidmcp.test=true -t "$image" "$3" >/dev/null
	fi
	echo "$1=$image"
}

# The users' image without the compiling: the same files, user and entrypoint.
service_image() {
	local name=$1 folder=$work/$1
	mkdir -p "$folder/etc/ssl/certs"
	mv "$work/bin/$name" "$folder/$name"
	cp "$bundle" "$folder/$bundle"
	{
		echo 'FROM scratch'
		echo "COPY $name /$name"
		echo 'COPY etc /etc'
		if [[ $name == supervisor ]]; then
			mkdir "$folder/state"
			mv "$work/bin/dockerproxy" "$folder/dockerproxy"
			echo 'COPY dockerproxy /dockerproxy'
			echo 'COPY --chown=65532:65532 state /var/lib/fluidmcp'
		fi
		sed -n '/^FROM scratch/,$p' "services/$name/Dockerfile" | grep -E '^(ENV|USER|EXPOSE|HEALTHCHECK|ENTRYPOINT) '
	} >"$folder/Dockerfile"
	wrap "$(variable_of "$name")" "$name" "$folder"
}

# Stands in for prom/prometheus: same paths, user and entrypoint.
prometheus_image() {
	local folder=$work/prometheus prometheus promtool
	{ read -r prometheus && read -r promtool; } < <(scripts/tools.sh prometheus promtool)
	mkdir -p "$folder/data"
	cp "$prometheus" "$folder/prometheus"
	cp "$promtool" "$folder/promtool"
	cat >"$folder/Dockerfile" <<-'TEXT'
		FROM scratch
		COPY prometheus promtool /bin/
		COPY --chown=65534:65534 data /prometheus
		WORKDIR /prometheus
		USER 65534:65534
		EXPOSE 9090
		ENTRYPOINT ["/bin/prometheus"]
		CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
	TEXT
	wrap PROMETHEUS_IMAGE prometheus "$folder"
}

test_images() {
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	docker image prune -af --filter label=fluidmcp.test=true --filter until=48h >/dev/null
	local packages=(./services/supervisor/cmd/dockerproxy) name
	for name in "${services[@]}"; do
		packages+=("./services/$name/cmd/$name")
	done
	mkdir "$work/bin"
	say "compiling ${services[*]}"
	GOOS=linux GOARCH=$(docker version --format '{{.Server.Arch}}') CGO_ENABLED=0 \
		go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$work/bin/" "${packages[@]}"
	for name in "${services[@]}"; do
		service_image "$name"
	done
	prometheus_image
}

case ${1-} in
release) release ;;
test) test_images ;;
-h | --help) usage ;;
*) usage >&2; exit 64 ;;
esac
