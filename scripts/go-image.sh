#!/usr/bin/env bash
# Makes an image of this machine's Go toolchain, to build the Dockerfiles with where golang:1.26 cannot be pulled.
set -euo pipefail

usage() {
	cat <<'TEXT'
Usage: scripts/go-image.sh

Makes fluidmcp-local/go:<version> of the host's Go, a static busybox and the host's CA bundle, unless it is there
already, and prints its name. Use it as the build argument GO_IMAGE. Needs Linux and a Docker engine.
TEXT
}

case ${1-} in
-h | --help) usage; exit ;;
'') ;;
*) usage >&2; exit 64 ;;
esac

bundle=/etc/ssl/certs/ca-certificates.crt
goroot=$(go env GOROOT)
image=fluidmcp-local/go:$(go env GOVERSION | sed 's/^go//')

if docker image inspect "$image" >/dev/null 2>&1; then
	echo "$image"
	exit
fi

# static_busybox prints the path of a busybox that runs without libraries.
static_busybox() {
	local path
	path=$(command -v busybox || true)
	if [ -z "$path" ] || ldd "$path" >/dev/null 2>&1; then
		echo "go-image: installing busybox-static" >&2
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends busybox-static; } >&2
		path=$(command -v busybox)
	fi
	echo "$path"
}

busybox=$(static_busybox)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/root" "$root/go" "$root/etc/ssl/certs" "$root/usr/local/go"
mkdir -m 1777 "$root/tmp"
cp "$bundle" "$root$bundle"
cp "$busybox" "$root/bin/busybox"
for applet in sh env cat ls mkdir rm cp mv chmod uname id true false; do
	ln -s busybox "$root/bin/$applet"
done
# -h because distributions scatter a toolchain over several folders with links.
tar -C "$goroot" --exclude=./test --exclude=./api --exclude=./doc -hcf - . | tar -C "$root/usr/local/go" -xf -

tar -C "$root" -c . | docker import \
	-c 'ENV PATH=/usr/local/go/bin:/bin HOME=/root GOPATH=/go GOTOOLCHAIN=local' \
	-c "ENV GOPROXY=$(go env GOPROXY) GOSUMDB=$(go env GOSUMDB)" \
	-c 'CMD ["/bin/sh"]' - "$image" >/dev/null
echo "$image"
