#!/usr/bin/env bash
# `make demo`: a sample shop in a throw-away Postgres, copied into ./lake, and a report from the lake.
# Needs Rust and git; installs a C compiler and Postgres from the distribution when they are missing, and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

main() {
    isolate_environment
    require_rust
    install_c_compiler
    bindir=$(scripts/install_postgres.sh --bindir)
    PATH=$bindir:$PATH

    title "Building the program (the first time takes some minutes)"
    run 'cargo build --release -p project_cli'

    title "Starting a throw-away Postgres"
    trap stop_postgres EXIT
    start_postgres

    title "Loading the sample shop"
    run 'psql -Xq -v ON_ERROR_STOP=1 "$DATABASE_URL" -f demo/schema.sql -f demo/shop.sql'

    title "Copying the shop into the lake"
    run 'target/release/project "$DATABASE_URL" --table=all,stream_tasks,huge_tasks --upload=./lake'

    title "Stopping Postgres: the report needs only the lake"
    stop_postgres

    title "Revenue in US dollars by country and month"
    run 'target/release/project query "$(cat demo/report.sql)" --upload=./lake'
    say_what_next
}

title() {
    printf '\n== %s\n' "$*"
}

# What is shown is what runs.
run() {
    printf '$ %s\n' "$1"
    eval "$1"
}

fail() {
    echo "demo: $*" >&2
    exit 1
}

# Settings for other servers and other runs must not reach this one.
isolate_environment() {
    unset "${!PG@}" "${!PROJECT_@}"
    export CARGO_TARGET_DIR=target
}

require_rust() {
    PATH=$PATH:${HOME:-/root}/.cargo/bin
    command -v cargo >/dev/null || fail "cargo was not found; install Rust (the version is in Cargo.toml) and try again."
}

install_c_compiler() {
    if command -v cc >/dev/null; then
        return
    fi
    command -v apt-get >/dev/null || fail "a C compiler named cc was not found; install one and try again."
    local as_root=()
    if [[ $EUID -ne 0 ]]; then
        command -v sudo >/dev/null || fail "a C compiler was not found; run 'apt-get install build-essential' as root and try again."
        as_root=(sudo)
    fi
    echo "Installing the distribution's package 'build-essential' with apt-get: the cryptography is compiled from C."
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends build-essential
}

# The server ends when this script closes the pipe to it, or dies. setsid keeps Ctrl-C for the program alone, which then
# still finds its server when it stops in good order.
start_postgres() {
    coproc POSTGRES { exec setsid scripts/throwaway_postgres.sh target/demo-postgres; }
    local address
    read -r -t 120 _ address _ <&"${POSTGRES[0]-}" || fail "the throw-away Postgres did not start."
    export DATABASE_URL=postgres://postgres@$address/shop
    createdb -h "${address%:*}" -p "${address#*:}" -U postgres shop
    printf '$ export DATABASE_URL=%s\n' "$DATABASE_URL"
}

stop_postgres() {
    if [[ -n ${POSTGRES_PID-} ]]; then
        local script=$POSTGRES_PID
        exec {POSTGRES[1]}>&-
        wait "$script" || true
    fi
}

say_what_next() {
    title "What next"
    cat <<'TEXT'
The lake is in ./lake: GZIP Parquet, one folder for each table. `target/release/project list` shows the tasks, `make clean-demo` removes the lake.

The same into S3, catalogued by a Glue crawler, with the AWS credentials of your environment and DATABASE_URL set to a database of yours:

$ target/release/project "$DATABASE_URL" --table=all,stream_tasks,huge_tasks \
    --upload=s3://YOUR-BUCKET/lake --region=eu-central-1 \
    --glue-database=lake --crawler=lake --crawler-role=arn:aws:iam::YOUR-ACCOUNT:role/YOUR-CRAWLER-ROLE

and the same report from Athena:

$ target/release/project query "$(cat demo/report.sql)" \
    --upload=s3://YOUR-BUCKET/lake --region=eu-central-1 \
    --glue-database=lake --athena-output=s3://YOUR-BUCKET/athena-results/
TEXT
}

main
