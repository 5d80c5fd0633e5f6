# A corpus that is larger than the memory that it is given: duplicates, near ones too, told within 32 MB; encoded to
# a store; an epoch of it drawn in shuffled windows.  Each step runs under a limit of private memory
# (ulimit -d), which the corpus exceeds; from the rates follows what 100 million pairs would take.
#   sh tests/bench/run.sh corpus_large [MILLIONS]          # of pairs; 4 by default, 2 GB of disk and 3 minutes
data=$root/../shared/data/multi30k
millions=${1:-4}
if [ ! -r "$data/train.en" ]; then
    echo "corpus_large: skipped, $data is absent" >&2
    exit 0
fi
cmake --build "$build" --target corpus_epoch >&2
"$coho" vocab "$data/train.en" "$data/train.de" -o "$work/joint.spm" --size 8000 >&2
n=0
lines=$(wc -l <"$data/train.en")
while [ $((n * lines)) -lt $((millions * 1000000)) ]; do
    n=$((n + 1))
    sed "s/\$/ $n/" "$data/train.en" >>"$work/corpus.en"
    sed "s/\$/ $n/" "$data/train.de" >>"$work/corpus.de"
done
pairs=$((n * lines))
figure corpus_large.pairs $pairs pairs
figure corpus_large.text $(($(cat "$work/corpus.en" "$work/corpus.de" | wc -c) / 1000000)) MB

# limited NAME MEGABYTES COMMAND…: with no more private memory; its rate, and the most that was resident of it.
limited() {
    name=$1
    limit=$2
    shift 2
    begin=$(date +%s.%N)
    (ulimit -d $((limit * 1024)) && exec "$@") >"$work/out.log" 2>&1 &
    job=$!
    most=0
    while now=$(awk '/^RssAnon/ { print $2 }' "/proc/$job/status" 2>/dev/null) && [ -n "$now" ]; do
        [ "$now" -le "$most" ] || most=$now
        sleep 0.05
    done
    wait $job || { cat "$work/out.log" >&2; exit 1; }
    seconds=$(awk "BEGIN { print $(date +%s.%N) - $begin }")
    figure "corpus_large.$name" "$(awk "BEGIN { printf \"%.0f\", $pairs / $seconds }")" pairs/s
    figure "corpus_large.${name}_private" $((most / 1024)) MB
    figure "corpus_large.${name}_100m" "$(awk "BEGIN { printf \"%.1f\", 1e8 / $pairs * $seconds / 60 }")" minutes
}

export TMPDIR="$work"
limited dedup 128 "$coho" corpus clean "$work/corpus.en" "$work/corpus.de" -o "$work/clean" --dedup-memory 32M -q
limited near 128 "$coho" corpus clean "$work/corpus.en" "$work/corpus.de" -o "$work/near" \
    --near-duplicates similar --dedup-memory 32M -q
"$coho" corpus clean "$work/corpus.en" "$work/corpus.de" -o "$work/all" --near-duplicates similar --dedup-memory 4G -q >&2
cmp "$work/near.src" "$work/all.src" >&2        # the limit changes nothing of the outcome
cmp "$work/near.trg" "$work/all.trg" >&2
rm -f "$work"/clean.* "$work"/near.* "$work"/all.*
limited store 128 "$coho" corpus store "$work/corpus.en" "$work/corpus.de" -m "$work/joint.spm" -o "$work/ids" -q
size=$(wc -c <"$work/ids")
figure corpus_large.store_size $((size / 1000000)) MB
figure corpus_large.store_size_100m "$(awk "BEGIN { printf \"%.1f\", 1e8 / $pairs * $size / 1e9 }")" GB

window=250000
seconds=$( (ulimit -d $((128 * 1024)) && exec "$build/bench/corpus_epoch" "$work/ids" $window) )
# shellcheck disable=SC2086
set -- $seconds
[ "$1" -eq "$pairs" ] || { echo "corpus_large: an epoch of $1 pairs, not $pairs" >&2; exit 1; }
figure corpus_large.epoch "$(awk "BEGIN { printf \"%.0f\", $1 / $2 }")" pairs/s
figure corpus_large.epoch_private "$3" MB
figure corpus_large.epoch_100m "$(awk "BEGIN { printf \"%.1f\", 1e8 / $1 * $2 / 60 }")" minutes
