#!/usr/bin/env bash
# Builds Diesel's command line tool, of one version, into target/tools; does nothing when it is there. Only the tests of
# project_codegen use it. Takes two minutes or so, once.
#   scripts/install_diesel_cli.sh         builds it; installs the distribution's libpq-dev when there is no libpq to link
#   scripts/install_diesel_cli.sh --path  the same, and prints the path of the program on standard output
set -euo pipefail
cd "$(dirname "$0")/.."

VERSION=2.3.14
PACKAGE=libpq-dev

program=$PWD/target/tools/bin/diesel

main() {
    is_there || build
    if [[ ${1-} == --path ]]; then
        echo "$program"
    fi
}

is_there() {
    # diesel 2.3.14
    local answer
    answer=$("$program" --version 2>/dev/null) || return 1
    [[ $answer == *" $VERSION"* ]]
}

build() {
    has_libpq || install_libpq
    echo "install_diesel_cli: building diesel_cli $VERSION into target/tools (two minutes or so, once)" >&2
    # Unoptimised: it is asked for one table at a time. Its own lock file, not ours.
    CARGO_PROFILE_DEV_DEBUG=false cargo install --quiet --debug --locked --force --root target/tools \
        --version "=$VERSION" --no-default-features --features postgres diesel_cli >&2
}

has_libpq() {
    [[ -n $(ldconfig -p 2>/dev/null | grep 'libpq\.so ') ]] || pkg-config --exists libpq 2>/dev/null
}

install_libpq() {
    command -v apt-get >/dev/null || by_hand "this system has no apt-get"
    [[ $EUID -eq 0 ]] || command -v sudo >/dev/null || by_hand "there is no sudo to install it"
    echo "install_diesel_cli: installing the distribution's package '$PACKAGE' with apt-get" >&2
    as_root apt-get update -q >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$PACKAGE" >&2
}

as_root() {
    if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

by_hand() {
    echo "install_diesel_cli: no libpq was found to link, and $1; install it by hand with its header files" >&2
    exit 1
}

main "$@"
