#!/bin/sh
# Makes .venv with the first Python from 3.11 on (or the one $PYTHON names) and installs the requirements into it.
# Run from the repository's root. Says which prerequisite is missing and how to install it.
set -eu

fail() {
    printf '%s\n' "$@" >&2
    exit 2
}

recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
        if recent "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or later is needed and was not found${PYTHON:+ as $PYTHON}. Install it and try again:" \
        "  Debian, Ubuntu:  sudo apt-get install python3 python3-venv" \
        "  Fedora:          sudo dnf install python3" \
        "  macOS:           brew install python@3.13" \
        "Another place: make PYTHON=/path/to/python3.13 run"
}

if ! recent .venv/bin/python; then
    python=$(find_python)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "Python $version has no venv module. Install it and try again:" \
        "  Debian, Ubuntu:  sudo apt-get install python$version-venv"
    echo "Making .venv with Python $version"
    rm -rf .venv
    "$python" -m venv .venv
fi

echo "Installing the requirements (a minute, once)"
.venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --requirement tests/requirements.txt
