#!/usr/bin/env bash
# Makes Postgres' server programs available (Debian and Ubuntu), without creating or starting a system cluster.
#   scripts/install_postgres.sh            installs the distribution's package when no server programs are found
#   scripts/install_postgres.sh --bindir   the same, and prints the directory of the programs on standard output
set -euo pipefail

# Prints the directory with the newest server programs, or fails.
newest_bindir() {
    local dir version
    {
        dirname "$(readlink -f "$(command -v postgres || echo /nowhere/postgres)")"
        pg_config --bindir 2>/dev/null || true
        printf '%s\n' /usr/lib/postgresql/*/bin
    } | while read -r dir; do
        if [[ -x $dir/postgres && -x $dir/initdb && -x $dir/psql && -x $dir/pg_isready ]]; then
            version=$("$dir/postgres" --version) # postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
            version=${version#*) }
            printf '%s %s\n' "${version%% *}" "$dir"
        fi
    done | sort --version-sort | tail -n 1 | cut -d' ' -f2- | grep .
}

as_root() {
    if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

install_package() {
    if ! command -v apt-get >/dev/null; then
        echo "No Postgres server programs were found, and this system has no apt-get: install Postgres 13 or newer by hand and put its bin directory on PATH." >&2
        exit 1
    fi
    if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
        echo "No Postgres server programs were found, and there is no sudo to install them: run 'apt-get install postgresql' as root, then try again." >&2
        exit 1
    fi
    echo "Installing the distribution's package 'postgresql' with apt-get; no system cluster is created or started." >&2
    forbid_main_cluster
    as_root apt-get update -q >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql >&2
}

# The package creates and starts a cluster named main unless this setting says no. It stands in a file of its own, because
# createcluster.conf belongs to the package, and is removed again, so that a later installation by the owner behaves as always.
forbid_main_cluster() {
    local dir=/etc/postgresql-common/createcluster.d
    local file=$dir/throwaway-postgres.conf
    # The variables are gone when the trap runs, so their values go into it.
    # shellcheck disable=SC2064
    trap "as_root rm -f $file; as_root rmdir --ignore-fail-on-non-empty $dir" EXIT
    as_root mkdir -p "$dir"
    echo "create_main_cluster = false" | as_root tee "$file" >/dev/null
}

case ${1-} in
    "" | --bindir) ;;
    *)
        echo "usage: $0 [--bindir]" >&2
        exit 2
        ;;
esac

if ! newest_bindir >/dev/null; then
    install_package
    if ! newest_bindir >/dev/null; then
        echo "The package 'postgresql' was installed, but its server programs are not under /usr/lib/postgresql." >&2
        exit 1
    fi
fi
if [[ ${1-} == --bindir ]]; then
    newest_bindir
fi
