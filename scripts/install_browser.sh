#!/usr/bin/env bash
# Makes a browser without a window available, for the test that looks at the report's page.
#   scripts/install_browser.sh         installs the distribution's package when no browser is found
#   scripts/install_browser.sh --path  the same, and prints the path of the browser on standard output
# BROWSER=/path/to/chrome names another one.
set -euo pipefail

# Debian's has only what a test needs; Ubuntu has none of these, because its chromium is a snap.
PACKAGES=(chromium-headless-shell chromium)

find_browser() {
    local name
    if [[ -n ${BROWSER-} ]]; then
        command -v "$BROWSER"
        return
    fi
    for name in chromium-headless-shell chromium google-chrome google-chrome-stable chrome; do
        if command -v "$name"; then return; fi
    done
    return 1
}

as_root() {
    if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

by_hand() {
    echo "install_browser: no Chromium or Chrome was found, and $1; install one by hand and put it on PATH, or name it with BROWSER=" >&2
    exit 1
}

install_package() {
    local name
    command -v apt-get >/dev/null || by_hand "this system has no apt-get"
    [[ $EUID -eq 0 ]] || command -v sudo >/dev/null || by_hand "there is no sudo to install it"
    as_root apt-get update -q >&2
    for name in "${PACKAGES[@]}"; do
        # The name alone says nothing: a package may be known and have no version to install.
        if apt-cache policy "$name" | grep '^  Candidate: [^(]' >/dev/null; then
            echo "install_browser: installing the distribution's package '$name' with apt-get" >&2
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$name" fonts-liberation >&2
            return
        fi
    done
    by_hand "the distribution has no package for it"
}

if ! find_browser >/dev/null; then
    install_package
fi
browser=$(find_browser) || by_hand "none is on PATH after the installation"
if [[ ${1-} == --path ]]; then
    echo "$browser"
fi
