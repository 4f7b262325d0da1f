#!/usr/bin/env bash
# Builds kube-apiserver and etcd, of the versions in scripts/kube_apiserver/go.mod, into target/tools for `make kube-test`;
# does nothing when they are there. Takes a quarter of an hour or two on two cores, once, and 3 GB of Go's caches.
set -euo pipefail
cd "$(dirname "$0")/.."

module=scripts/kube_apiserver
tools=$PWD/target/tools
stamp=$tools/kube_versions

main() {
    local now
    now=$(sha256sum "$module/go.mod" "$module/go.sum")
    if [[ -x $tools/kube-apiserver && -x $tools/etcd && $(cat "$stamp" 2>/dev/null) == "$now" ]]; then
        return
    fi
    if ! command -v go >/dev/null; then
        echo "install_kube_apiserver: no Go was found, and kube-apiserver is built from source; put a Go as new as $module/go.mod asks for on PATH." >&2
        exit 1
    fi
    echo "install_kube_apiserver: building kube-apiserver and etcd into target/tools (up to half an hour, once)"
    mkdir -p "$tools"
    # Without C, so that they run wherever they are copied; exactly the versions that are written down.
    export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-trimpath -mod=readonly -buildvcs=false"
    build etcd go.etcd.io/etcd/server/v3
    # Without a version of its own it takes itself for 0.0.0 and refuses to be compatible with anything.
    build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver \
        "-X k8s.io/component-base/version.gitVersion=$(version k8s.io/kubernetes) -X k8s.io/component-base/version.gitTreeState=clean"
    echo "$now" >"$stamp"
}

# The version of a module that go.mod names.
version() {
    (cd "$module" && go list -m -f '{{.Version}}' "$1")
}

# Takes the program's name, its package, and what the linker writes into it. One package at a time: it is heavy.
build() {
    (cd "$module" && nice -n 19 go build -p "${KUBE_BUILD_JOBS:-1}" -ldflags="-s -w ${3-}" -o "$tools/$1" "$2")
}

main
