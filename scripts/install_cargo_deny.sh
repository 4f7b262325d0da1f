#!/usr/bin/env bash
# Builds cargo-deny, of one version, into target/tools; does nothing when it is there. Takes a minute or two, once.
set -euo pipefail
cd "$(dirname "$0")/.."

VERSION=0.20.2

program=target/tools/bin/cargo-deny
if [[ $("$program" --version 2>/dev/null) == "cargo-deny $VERSION" ]]; then
    exit
fi
echo "install_cargo_deny: building cargo-deny $VERSION into target/tools (a minute or two, once)"
# Unoptimised: 70 seconds to build on two cores, and two seconds to look at this tree. Its own lock file, not ours.
CARGO_PROFILE_DEV_DEBUG=false cargo install --quiet --debug --locked --force --root target/tools --version "=$VERSION" cargo-deny
