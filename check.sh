#!/bin/sh
# sh check.sh: installs what is missing, builds with warnings as errors and runs all tests; then
# the same under the address and undefined-behaviour sanitisers.  Works without a terminal.
set -eu
root=$(cd "$(dirname "$0")" && pwd)
. "$root/cmake/packages.sh"

# shellcheck disable=SC2086
# Open MPI is optional; the first build is with it, the second without.
install_missing $build_packages libcmocka-dev libopenmpi-dev openmpi-bin

# check FOLDER OPTION …: one build with its tests.
check() {
    folder=$root/$1
    shift
    say "building $folder"
    cmake -S "$root" -B "$folder" -DCOHO_WERROR=ON "$@" >/dev/null
    cmake --build "$folder" -j"$(nproc)" >/dev/null
    say "testing $folder"
    ctest --test-dir "$folder" --output-on-failure -j"$(nproc)"
}

check build-check
check build-asan -DCOHO_SANITIZE=ON -DCOHO_MPI=OFF

# Where clang and libFuzzer are installed, each parser takes some thousand inputs made from the kept ones.
clang=$(command -v clang-14 || command -v clang || true)
if [ -n "$clang" ] && echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }' |
        "$clang" -x c -fsanitize=fuzzer,address - -o /dev/null 2>/dev/null; then
    sh "$root/tests/fuzz/run.sh" -runs=3000 -max_total_time=10
else
    say "no clang with libFuzzer (packages clang and libclang-rt-14-dev): the parsers are tested on the kept inputs alone"
fi
