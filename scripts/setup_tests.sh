#!/usr/bin/env bash
# Makes target/test-venv with the packages of tests/requirements*.txt; does nothing when it is up to date.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${PYTHON:-python3}"
venv=target/test-venv
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
        echo "setup_tests: $python with the modules venv and ensurepip is needed; install it, or name another one with PYTHON=" >&2
        exit 1
    fi
    echo "setup_tests: installing $want with apt-get"
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -q
    # shellcheck disable=SC2086  # two package names
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q $want
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "setup_tests: $("$python" --version) is too old, 3.11 is needed; name a newer one, such as PYTHON=python3.11" >&2
    exit 1
fi

now="$("$python" --version) $(cat tests/requirements*.txt | sha256sum)"
if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$now" ]; then
    exit 0
fi

echo "setup_tests: installing the packages of tests/requirements*.txt into $venv (about 800 MB on disk)"
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --requirement tests/requirements.txt --requirement tests/requirements_operations.txt
echo "$now" >"$stamp"
