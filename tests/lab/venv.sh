#!/bin/sh
# venv.sh FOLDER UV_VERSION: makes the virtual environment and puts uv, at a pinned version, into it.
set -eu
folder=$1
version=$2

python=python3
command -v "$python" >/dev/null || { echo "python3 is missing: install Python 3.11 or newer"; exit 1; }

if [ ! -x "$folder/bin/python" ] && ! "$python" -c 'import ensurepip' 2>/dev/null; then
    # Debian ships the standard library's venv in a package of its own.
    if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
        echo "installing python3-venv, which this Python lacks"
        apt-get -o DPkg::Lock::Timeout=300 update -q
        DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -yq --no-install-recommends python3-venv
    else
        echo "this Python has no ensurepip: install python3-venv (Debian and Ubuntu) and try again"
        exit 1
    fi
fi

[ -x "$folder/bin/pip" ] || "$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$version"
