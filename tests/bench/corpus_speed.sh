# Rates of reading, checking and cleaning a corpus, on one thread and without language identification:
# bytes of both sides, a second.  The corpus is newstest2017 and the systems' translations of it, again and
# again with a number in each line, so that not all are duplicates.
#   sh tests/bench/run.sh corpus_speed [MEGABYTES]
data=$root/../shared/data/wmt17_en_de_systems
size=${1:-400}
if [ ! -r "$data/newstest2017.src.en" ]; then
    echo "corpus_speed: skipped, $data is absent" >&2
    exit 0
fi
n=0
for system in "$data"/newstest2017.*.en-de.de; do
    cat "$data/newstest2017.src.en" >>"$work/one.src"
    cat "$system" >>"$work/one.trg"
done
once=$(cat "$work/one.src" "$work/one.trg" | wc -c)
while [ $((n * once)) -lt $((size * 1000000)) ]; do
    n=$((n + 1))
    sed "s/\$/ $n/" "$work/one.src" >>"$work/corpus.src"
    sed "s/\$/ $n/" "$work/one.trg" >>"$work/corpus.trg"
done
bytes=$(cat "$work/corpus.src" "$work/corpus.trg" | wc -c)
rm "$work/one.src" "$work/one.trg"

# rate NAME BYTES COMMAND…: the best of three.
rate() {
    name=$1
    amount=$2
    shift 2
    best=
    for _ in 1 2 3; do
        begin=$(date +%s.%N)
        "$@" >"$work/out.log" 2>&1 || [ "$name" = corpus_speed.check ] || { cat "$work/out.log" >&2; exit 1; }
        best=$(awk "BEGIN { s = $(date +%s.%N) - $begin; b = \"$best\"; print (b == \"\" || s < b) ? s : b }")
    done
    figure "$name" "$(awk "BEGIN { printf \"%.1f\", $amount / 1e6 / $best }")" MB/s
}

filters="--fix-unicode --max-character-ratio 4 --min-letters 0.3 --max-punctuation 0.5 --min-numbers 0.3 --drop-links
    --drop-broken --drop-markup --min-script 0.5 --source-lang en --target-lang de"
rate corpus_speed.check "$bytes" "$coho" corpus check "$work/corpus.src" "$work/corpus.trg" --threads 1 -q
rate corpus_speed.import "$bytes" "$coho" corpus import "$work/corpus.src" "$work/corpus.trg" -o "$work/out" --threads 1 -q
rate corpus_speed.clean "$bytes" "$coho" corpus clean "$work/corpus.src" "$work/corpus.trg" -o "$work/out" --threads 1 -q
# shellcheck disable=SC2086
rate corpus_speed.clean_all "$bytes" "$coho" corpus clean "$work/corpus.src" "$work/corpus.trg" -o "$work/out" \
    --threads 1 -q $filters
rate corpus_speed.clean_near "$bytes" "$coho" corpus clean "$work/corpus.src" "$work/corpus.trg" -o "$work/out" \
    --threads 1 -q --near-duplicates similar
rate corpus_speed.clean_threads "$bytes" "$coho" corpus clean "$work/corpus.src" "$work/corpus.trg" -o "$work/out" -q

# TMX: bytes of the file, markup and all; and the memory that it takes, also of one that is 18 times as long,
# which comes through a pipe.
paste "$work/corpus.src" "$work/corpus.trg" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g' |
    awk -F '\t' '{ printf "<tu><tuv xml:lang=\"en\"><seg>%s</seg></tuv><tuv xml:lang=\"de\"><seg>%s</seg></tuv></tu>\n", $1, $2 }' >"$work/units"

# tmx_of N: the units N times.
tmx_of() {
    echo '<?xml version="1.0" encoding="UTF-8"?><tmx version="1.4"><header srclang="en"/><body>'
    for _ in $(seq "$1"); do cat "$work/units"; done
    echo '</body></tmx>'
}

# tmx_memory FIGURE FILE
tmx_memory() {
    "$coho" corpus import "$2" -o "$work/out" --threads 1 -q --source-lang en --target-lang de >/dev/null &
    job=$!
    most=0
    while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$job/status" 2>/dev/null) && [ -n "$now" ]; do
        most=$now
        sleep 0.05
    done
    wait $job
    figure "$1" "$((most / 1024))" MB
}

tmx_of 1 >"$work/corpus.tmx"
tmx=$(wc -c <"$work/corpus.tmx")
rate corpus_speed.tmx "$tmx" "$coho" corpus import "$work/corpus.tmx" -o "$work/out" --threads 1 -q \
    --source-lang en --target-lang de
figure corpus_speed.tmx_size "$((tmx / 1000000))" MB
tmx_memory corpus_speed.tmx_rss "$work/corpus.tmx"
mkfifo "$work/long.tmx"
tmx_of 18 >"$work/long.tmx" &
figure corpus_speed.tmx_long_size "$((18 * tmx / 1000000))" MB
tmx_memory corpus_speed.tmx_long_rss "$work/long.tmx"
