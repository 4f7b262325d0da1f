#!/usr/bin/env bash
# Makes a virtual environment of Python with the packages of requirements files; does nothing when it is up to date.
#   scripts/python_venv.sh target/bench-venv "1 GB" project_bench/requirements.txt
# Paths are below the root of the repository; the second word says how much room it takes on the disk.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -lt 3 ]; then
    echo "usage: $0 <folder> <size on disk> <requirements file>..." >&2
    exit 2
fi
venv=$1
size=$2
shift 2
python="${PYTHON:-python3}"
stamp="$venv/requirements.sha256"

if ! command -v "$python" >/dev/null; then
    want="python3 python3-venv"
elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    want=python3-venv
else
    want=
fi
if [ -n "$want" ]; then
    if ! command -v apt-get >/dev/null || [ "$python" != python3 ]; then
        echo "python_venv: $python with the modules venv and ensurepip is needed; install it, or name another one with PYTHON=" >&2
        exit 1
    fi
    echo "python_venv: installing $want with apt-get"
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -q
    # shellcheck disable=SC2086  # two package names
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q $want
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "python_venv: $("$python" --version) is too old, 3.11 is needed; name a newer one, such as PYTHON=python3.11" >&2
    exit 1
fi

now="$("$python" --version) $(cat "$@" | sha256sum)"
if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$now" ]; then
    exit 0
fi

echo "python_venv: installing the packages of $* into $venv (about $size on disk)"
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${@/#/--requirement=}"
echo "$now" >"$stamp"
