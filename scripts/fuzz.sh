#!/usr/bin/env bash
# `make fuzz`: the decoder of COPY streams against bytes that no server sent, for FUZZ_SECONDS (60).
# With a nightly toolchain and cargo-fuzz a coverage-guided fuzzer, else the property test of `make test` for longer.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
if cargo +nightly fuzz --version 2>/dev/null; then
    cargo +nightly fuzz run copy_stream -- -max_total_time="$seconds"
else
    echo "No nightly toolchain with cargo-fuzz: the property test runs instead, $((seconds * 200)) cases of each kind."
    PROPTEST_CASES=$((seconds * 200)) cargo test --workspace --test any_bytes
fi
