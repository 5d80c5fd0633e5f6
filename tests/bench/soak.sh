# Sizes of real work, on generated data.
#   sh tests/bench/run.sh soak [pairs [N…] | wide [MEMORY]]
# pairs: corpora of 2, 8 and 32 million pairs (or as many millions as given) are written, checked, planned
# and drawn as batches; time and memory a pair must not grow with their number.  4 minutes, 5 GB of disk;
# 100 million (pairs 2 8 100) take 7 minutes and 15 GB.
# wide: a transformer of 12+12 layers, width 1,024, feed-forward 4,096 and a vocabulary of 64,000 takes a
# few updates and stays within its memory (16G).  3 minutes.
what=${1:-both}
[ $# -eq 0 ] || shift

soak_pairs() {
    cmake --build "$build" --target soak_pairs >&2
    sizes=
    for millions in "${@:-2}"; do
        sizes="$sizes ${millions}000000"
    done
    # shellcheck disable=SC2086
    "$build/bench/soak_pairs" "$work" $sizes >"$work/pairs" || exit 1
    # Small corpora hide in caches, so the second size is the measure of the last; larger ones miss them
    # more often, but what is quadratic takes four times as long a pair when there are four times as many.
    awk '{ printf "figure soak.pairs_%d_us_a_pair %.3f us\n", $1, 1e6 * ($2 + $3 + $4) / $1
           printf "figure soak.pairs_%d_plan_us_a_pair %.3f us\n", $1, 1e6 * $4 / $1
           printf "figure soak.pairs_%d_sentences_drawn_a_second %.0f sentences/s\n", $1, $7 / ($5 + 1e-9)
           printf "figure soak.pairs_%d_bytes_a_pair %.1f bytes\n", $1, $6 * 1048576 / $1 }' "$work/pairs"
    awk 'NR == 1 { a_pair = $6 / $1 }
           $6 / $1 > 1.5 * a_pair { print "soak: memory a pair grows" >"/dev/stderr"; exit 1 }' "$work/pairs" || exit 1
    awk 'NR == 2 { before = ($2 + $3 + $4) / $1; size = $1 } END { now = ($2 + $3 + $4) / $1
           if (NR > 2 && now > before * $1 / size / 2) { print "soak: time a pair grows" >"/dev/stderr"; exit 1 } }' "$work/pairs"
}

# Words of a made-up language, common ones shorter: 70,000 kinds, each certain to be there.
words() {
    awk -v seed="$1" 'function word(n,  w) { w = ""; do { w = w sprintf("%c", 97 + n % 26); n = int(n / 26) } while (n); return w }
        BEGIN { srand(seed); for (i = 0; i < 7000; i++) { line = ""
            for (k = 0; k < 10; k++) line = line word(10 * i + k) " "
            for (k = 0; k < 12; k++) line = line word(int(70000 * rand() ^ 3)) " "; print line } }'
}

soak_wide() {
    memory=${1:-16G}
    words 1 >"$work/source"
    words 2 >"$work/target"
    "$coho" vocab "$work/source" "$work/target" -o "$work/wide.spm" --size 64000 --type word >&2
    options="-s $work/source -t $work/target -v $work/wide.spm -o $work/wide --dim 1024 --ffn 4096 --heads 16
        --encoder-layers 12 --decoder-layers 12 --max-length 64 --memory $memory --max-updates 3 --log-every 1"
    # shellcheck disable=SC2086
    "$coho" train $options --batch-tokens 1000 --dry-run >&2
    # shellcheck disable=SC2086
    "$coho" train $options --batch-tokens 1000 >&2 &
    job=$!
    most=0
    while size=$(awk '/^VmHWM/ { print $2 }' "/proc/$job/status" 2>/dev/null) && [ -n "$size" ]; do
        most=$size
        sleep 0.1
    done
    wait $job || exit 1
    figure soak.wide_rss $((most / 1024)) MB
    figure soak.wide_tokens_per_s \
        "$(sed -n 's/.*"tokens_per_s": *\([0-9.]*\).*/\1/p' "$work/wide/log.jsonl" | tail -n 1)" target-tokens/s
    case $memory in
    *G) [ $((most / 1048576)) -lt "${memory%G}" ] || { echo "soak: more than $memory" >&2; exit 1; } ;;
    esac
}

case $what in
pairs) soak_pairs "$@" ;;
wide) soak_wide "$@" ;;
both) soak_pairs 2 8 32 && soak_wide ;;
*) echo "soak: pairs or wide, not '$what'" >&2; exit 2 ;;
esac
