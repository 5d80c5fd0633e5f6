#!/bin/sh
# sh tests/fuzz/run.sh [OPTION …]: builds the libFuzzer programs with clang and runs each with these options
# of libFuzzer (-runs=3000, -max_total_time=600) on a copy of its kept inputs, with the words of its format
# (tests/fuzz/words) where there are any.  What ends one is left in build-fuzz/found/; TARGETS="tmx po" chooses.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
clang=$(command -v clang-14 || command -v clang)
build=$root/build-fuzz
names=${TARGETS:-$(sed -n 's/^TARGET(\(.*\))$/\1/p' "$root/tests/fuzz/targets.h")}
cmake -S "$root" -B "$build" -DCOHO_FUZZ=ON -DCMAKE_C_COMPILER="$clang" -DCMAKE_CXX_COMPILER="${clang%clang*}clang++${clang##*clang}" >/dev/null
# shellcheck disable=SC2086
cmake --build "$build" -j"$(nproc)" --target $(for name in $names; do echo "${name}_fuzz"; done) >/dev/null
mkdir -p "$build/found"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=
for name in $names; do
    cp -r "$root/tests/fuzz/inputs/$name" "$work/$name"
    words=
    [ ! -f "$root/tests/fuzz/words/$name" ] || words=-dict=$root/tests/fuzz/words/$name
    if "$build/fuzz/${name}_fuzz" "$work/$name" ${words:+"$words"} -max_len=4096 -timeout=20 -rss_limit_mb=3000 -malloc_limit_mb=2500 \
        -artifact_prefix="$build/found/$name." -print_final_stats=1 "$@" >"$work/log" 2>&1; then
        echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") inputs, no finding"
    else
        echo "$name: FAILED"
        tail -n 40 "$work/log"
        failed="$failed $name"
    fi
done
[ -z "$failed" ] || { echo "findings in$failed; the inputs are in $build/found" >&2; exit 1; }
