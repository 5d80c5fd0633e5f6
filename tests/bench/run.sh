#!/bin/sh
# sh tests/bench/run.sh NAME [ARGUMENTS]: runs the benchmark tests/bench/NAME.sh.
#
# Each prints its figures as lines `figure <name> <value> <unit>` on standard output and all else
# on standard error, and fails when what it measures is wrong.  It is sourced from here and finds
#   $root, $build, $coho   the sources, the build folder (COHO_BUILD overrides it), the program
#   $work                  an empty folder, removed afterwards
#   need_peers PACKAGE…    installs Python packages into a virtual environment outside the tree
#                          (COHO_PEERS overrides the place) and sets $python
#   figure NAME VALUE UNIT
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${COHO_BUILD:-$root/build}
coho=$build/coho
peers=${COHO_PEERS:-$HOME/.cache/coho/peers}

figure() {
    printf 'figure %s %s %s\n' "$1" "$2" "$3"
}

need_peers() {
    python=$peers/bin/python
    [ -x "$python" ] || python3 -m venv "$peers" >&2
    "$python" -m pip install --quiet --disable-pip-version-check "$@" >&2
}

name=${1:-}
[ $# -eq 0 ] || shift
if [ ! -f "$root/tests/bench/$name.sh" ] || [ "$name" = run ]; then
    echo "usage: sh tests/bench/run.sh NAME [ARGUMENTS], NAME one of:" >&2
    ls "$root/tests/bench" | sed -n 's/\.sh$//p' | grep -vx run | sed 's/^/    /' >&2
    exit 2
fi
[ -f "$build/CMakeCache.txt" ] || cmake -S "$root" -B "$build" >&2
cmake --build "$build" -j"$(nproc)" --target coho_program >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$root/tests/bench/$name.sh"
