#!/usr/bin/env bash
# Runs a throw-away Postgres on 127.0.0.1 for the demo and the tests, for as long as somebody holds its standard input open.
#
#   scripts/throwaway_postgres.sh [--keep] [--standby-of=PORT] [--set=NAME=VALUE]... DIR [PORT]
#
# Prints `ready 127.0.0.1:PORT PID` once it answers. At the end of standard input, and on TERM, INT or HUP, it stops the
# server, removes DIR and exits 0; a caller that dies by any means thus leaves nothing behind. --keep leaves DIR, and a
# later start uses the data in it again. Without PORT it takes a free one. --standby-of makes a hot standby of the server on that
# port, which must run with wal_level=replica and max_wal_senders; --set changes a setting of the server.
#
# On USR1 it restarts the server in good order, cutting connections (fast), on USR2 as after a crash (immediate).
#
# Everybody on 127.0.0.1 is let in without a password (superuser: postgres), except the role `locked`: its password is `locked`.
set -euo pipefail

MARKER=.throwaway-postgres
START_DEADLINE=60
STOP_DEADLINE=10

main() {
    parse_arguments "$@"
    bindir=$("$(dirname "$0")/install_postgres.sh" --bindir)
    choose_server_user

    trap 'exit 0' TERM INT HUP PIPE
    prepare_directory
    trap clean_up EXIT
    create_data_directory
    start_server
    # A standby has the roles of its primary.
    [[ -n $primary ]] ||
        "${psql[@]}" -p "$port" -c "SELECT 1 FROM pg_roles WHERE rolname = 'locked'" | grep -q 1 ||
        "${psql[@]}" -p "$port" -c "CREATE ROLE locked LOGIN PASSWORD 'locked'"
    echo "ready 127.0.0.1:$port $server"
    wait_for_end
}

parse_arguments() {
    keep=no
    primary=
    settings=()
    while [[ ${1-} == --* ]]; do
        case $1 in
            --keep) keep=yes ;;
            --standby-of=?*) primary=${1#*=} ;;
            --set=?*=*) settings+=("${1#*=}") ;;
            *) break ;;
        esac
        shift
    done
    if [[ $# -lt 1 || $# -gt 2 || $1 == -* ]]; then
        echo "usage: $0 [--keep] [--standby-of=PORT] [--set=NAME=VALUE]... DIR [PORT]" >&2
        exit 2
    fi
    dir=$(realpath -m "$1")
    wanted_port=${2-}
}

fail() {
    echo "throwaway_postgres: $*" >&2
    exit 1
}

# Postgres refuses to run as root. The death signal ends the server even when this script is killed with -9; the session of
# its own keeps Ctrl-C on the terminal away from it, so that its clients can finish first.
choose_server_user() {
    server_user=$(id -un)
    as_server_user=(setsid setpriv --pdeathsig QUIT)
    if [[ $EUID -eq 0 ]]; then
        server_user=$(id -un postgres 2>/dev/null || id -un nobody)
        as_server_user+=(--reuid "$server_user" --regid "$(id -g "$server_user")" --init-groups)
    fi
    psql=("$bindir/psql" -XqAt -v ON_ERROR_STOP=1 -h 127.0.0.1 -U postgres -d postgres)
    # The caller's own settings must not turn this script's clients to another server.
    unset "${!PG@}"
}

# Leaves an empty DIR with the marker, or with --keep the one of the last run. Only what this script made is ever removed.
prepare_directory() {
    if [[ -e $dir/$MARKER ]]; then
        local pid
        pid=$(head -n 1 "$dir/data/postmaster.pid" 2>/dev/null || true)
        if [[ -n $pid && $(readlink "/proc/$pid/exe") == */postgres ]]; then
            fail "a Postgres (process $pid) is already running in $dir; end it first, or choose another directory."
        fi
        [[ $keep == yes ]] || remove_directory
    elif [[ -e $dir && -n $(ls -A "$dir") ]]; then
        fail "$dir exists and was not made by this script; choose another directory."
    fi
    mkdir -p "$dir"
    touch "$dir/$MARKER"
}

# DIR/data is a directory of its own, or, where the server's user cannot reach DIR (a checkout under /root), a link to one
# in the temporary directory.
create_data_directory() {
    if [[ -e $dir/complete && -e $dir/data/PG_VERSION ]]; then
        data=$(realpath "$dir/data")
        return
    fi
    remove_data
    if (cd / && "${as_server_user[@]}" test -x "$dir"); then
        data=$dir/data
        mkdir -m 700 "$data"
    else
        data=$(mktemp -d -t throwaway-postgres.XXXXXXXX)
        ln -s "$data" "$dir/data"
        echo "throwaway_postgres: the user $server_user may not enter $dir, so the data is in $data." >&2
    fi
    if [[ $EUID -eq 0 ]]; then
        chown "$server_user:" "$data"
    fi
    if [[ -n $primary ]]; then
        # The settings are those of the primary.
        run_basebackup || fail "pg_basebackup failed:"$'\n'"$(tail -n 40 "$dir/log")"
    else
        run_initdb || fail "initdb failed:"$'\n'"$(tail -n 40 "$dir/log")"
        write_settings
    fi
    add_settings
    touch "$dir/complete"
}

run_initdb() {
    (cd / && timeout "$START_DEADLINE" "${as_server_user[@]}" "$bindir/initdb" -D "$data" --username=postgres --auth=trust \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions) >"$dir/log" 2>&1 </dev/null
}

run_basebackup() {
    (cd / && timeout "$START_DEADLINE" "${as_server_user[@]}" "$bindir/pg_basebackup" -D "$data" --no-password --no-sync \
        --write-recovery-conf --wal-method=stream --checkpoint=fast -h 127.0.0.1 -p "$primary" -U postgres) \
        >"$dir/log" 2>&1 </dev/null
}

# Durability is off: the data is thrown away. wal_level=minimal lets a bulk load skip the log. mmap does not need the large
# /dev/shm that containers lack.
write_settings() {
    cat >>"$data/postgresql.conf" <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 60
shared_buffers = 256MB
dynamic_shared_memory_type = mmap
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
autovacuum = on
jit = off
TimeZone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
password_encryption = 'scram-sha-256'
cluster_name = 'throw-away'
CONF
    cat >"$data/pg_hba.conf" <<'HBA'
host all         locked 127.0.0.1/32 scram-sha-256
host all         all    127.0.0.1/32 trust
host replication all    127.0.0.1/32 trust
HBA
}

# The last line with a name counts, also for what a standby has copied from its primary.
add_settings() {
    local setting
    for setting in "${settings[@]}"; do
        printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}" >>"$data/postgresql.conf"
    done
}

# A free port cannot be reserved, only tried: the server itself says whether it got it. The range lies below the ports that
# the kernel gives to outgoing connections.
start_server() {
    local attempt
    for attempt in {1..20}; do
        port=${wanted_port:-$((RANDOM % 12000 + 20000))}
        launch_server
        if wait_until_ready; then
            return
        fi
        if [[ -n $wanted_port ]] || ! grep -q "could not bind" "$dir/log"; then
            break
        fi
    done
    fail "Postgres did not start on 127.0.0.1:$port (attempt $attempt); its log:"$'\n'"$(tail -n 40 "$dir/log")"
}

launch_server() {
    cd /
    "${as_server_user[@]}" "$bindir/postgres" -D "$data" -p "$port" >"$dir/log" 2>&1 </dev/null &
    server=$!
    cd - >/dev/null
}

# postmaster.pid proves that the server that answers on the port is ours.
wait_until_ready() {
    local end=$((SECONDS + START_DEADLINE))
    while kill -0 "$server" 2>/dev/null; do
        if [[ $(sed -n '1p;8p' "$data/postmaster.pid" 2>/dev/null | tr -s '\n ' ' ') == "$server ready "* ]]; then
            "$bindir/pg_isready" -q -h 127.0.0.1 -p "$port" -U postgres -d postgres -t 5 && return 0
        fi
        ((SECONDS < end)) || break
        sleep 0.02
    done
    stop_server
    return 1
}

# Waits for the end of standard input in a child, because bash does not run its traps while it reads.
wait_for_end() {
    local first=
    setpriv --pdeathsig KILL cat <&0 >/dev/null 2>&1 &
    watcher=$!
    trap 'restart_server INT' USR1
    trap 'restart_server QUIT' USR2
    # A restart interrupts the wait, and there is another server to wait for.
    while [[ -z $first ]]; do
        wait -n -p first "$server" "$watcher" || true
        [[ ${first-} == "$server" || ${first-} == "$watcher" ]] || first=
    done
    if [[ $first == "$server" ]]; then
        server=
        fail "Postgres ended by itself; its log:"$'\n'"$(tail -n 40 "$dir/log")"
    fi
}

restart_server() {
    signal_and_wait "$1" || fail "the server did not end on $1"
    launch_server
    wait_until_ready || fail "Postgres did not start again on 127.0.0.1:$port; its log:"$'\n'"$(tail -n 40 "$dir/log")"
}

stop_server() {
    [[ -n ${server-} ]] || return 0
    # What is kept deserves a checkpoint; what is thrown away does not.
    if [[ $keep == yes ]]; then signal_and_wait INT; fi
    signal_and_wait QUIT || signal_and_wait KILL || true
    server=
}

signal_and_wait() {
    local end=$((SECONDS + STOP_DEADLINE))
    kill -"$1" "$server" 2>/dev/null || true
    while kill -0 "$server" 2>/dev/null; do
        ((SECONDS < end)) || return 1
        sleep 0.02
    done
}

clean_up() {
    local status=$?
    # A second Ctrl-C must not leave half of the work undone.
    trap '' TERM INT HUP PIPE
    if [[ -n ${watcher-} ]]; then kill "$watcher" 2>/dev/null || true; fi
    stop_server
    if [[ $keep == no ]]; then remove_directory; fi
    exit "$status"
}

remove_directory() {
    remove_data
    rm -rf -- "$dir"
}

remove_data() {
    if [[ -L $dir/data ]]; then
        rm -rf -- "$(readlink "$dir/data")"
    fi
    rm -rf -- "$dir/data"
}

main "$@"
