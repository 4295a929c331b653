#!/bin/sh
# Makes .venv and installs the project into it; with `test`, also what the tests need, with `fuzz`
# what `make fuzz` needs.
#   sh tools/setup.sh [test|fuzz]
# What is missing on the machine is installed by apt where that may be done (root), and otherwise
# named in one line with what to type.
set -eu

extra=${1:-}
venv=.venv
stamp="$venv/.installed${extra:+-$extra}"

say() { printf '%s\n' "$*" >&2; }

# need WHAT PACKAGE...: installs Debian packages, or says what to type and ends.
need() {
    what=$1
    shift
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "setup: $what is missing; installing $*"
        { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "$@"; } >&2 ||
            { say "setup: $what could not be installed; type: apt-get install $*"; exit 1; }
    else
        say "setup: $what is missing; type: sudo apt-get install $*   (or use your system's package manager)"
        exit 1
    fi
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 && is_new_enough "$name"; then
            python=$name
            return 0
        fi
    done
    return 1
}

java_is_new_enough() {
    command -v javac >/dev/null 2>&1 &&
        [ "$(javac -version 2>&1 | sed 's/^javac \([0-9]*\).*/\1/')" -ge 17 ] 2>/dev/null
}

node_is_new_enough() {
    command -v npm >/dev/null 2>&1 &&
        [ "$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')" -ge 20 ] 2>/dev/null
}

# Debian has the program in /usr/sbin, which is not in everyone's PATH.
orthanc_is_there() {
    { command -v Orthanc || [ -x /usr/sbin/Orthanc ]; } >/dev/null 2>&1 &&
        [ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ]
}

# The second FHIR server of the tests, with the versions that its package-lock.json names.
install_medplum() {
    lock=tests/medplum/package-lock.json
    done=tests/medplum/node_modules/.package-lock.json
    if [ -e "$done" ] && [ ! "$lock" -nt "$done" ]; then
        return 0
    fi
    node_is_new_enough || need "Node 20 or newer, with npm," nodejs npm
    node_is_new_enough ||
        { say "setup: Node 20 or newer is missing; install it from nodejs.org"; exit 1; }
    say "setup: installing the second FHIR server of the tests"
    (cd tests/medplum && npm ci --silent --no-audit --no-fund --ignore-scripts) >&2 ||
        { say "setup: type: cd tests/medplum && npm ci --ignore-scripts"; exit 1; }
    touch "$done"
}

if [ "$extra" = test ]; then
    java_is_new_enough || need "a JDK 17 or newer" openjdk-17-jdk-headless
    command -v mvn >/dev/null 2>&1 || need Maven maven
    command -v wrk >/dev/null 2>&1 || need wrk wrk
    command -v zip >/dev/null 2>&1 || need zip zip
    command -v tar >/dev/null 2>&1 || need tar tar
    command -v curl >/dev/null 2>&1 || need curl curl
    [ -x /usr/sbin/nginx ] || command -v nginx >/dev/null 2>&1 || need nginx nginx-light
    command -v rhino >/dev/null 2>&1 || need Rhino rhino
    install_medplum
    orthanc_is_there || need "Orthanc, with its DICOMweb plugin," orthanc orthanc-dicomweb
fi

# A folder that was moved or copied holds an environment that no longer starts.
"$venv/bin/python" -c '' 2>/dev/null || rm -rf "$venv"
if [ -e "$stamp" ] && [ "$stamp" -nt pyproject.toml ] && [ "$stamp" -nt tools/setup.sh ]; then
    exit 0
fi
find_python || { need "Python 3.11 or newer" python3 && find_python; } ||
    { say "setup: Python 3.11 or newer is missing; install it and set PYTHON to its path"; exit 1; }
if [ ! -x "$venv/bin/python" ]; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || need "Python's venv module" python3-venv
    say "setup: making $venv with $("$python" --version)"
    "$python" -m venv "$venv"
fi
say "setup: installing deidfhir${extra:+ and what make $extra needs}"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".${extra:+[$extra]}"
touch "$stamp"
