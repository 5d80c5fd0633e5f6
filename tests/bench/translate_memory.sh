# Memory of `coho translate` over 1,000,000 lines (Multi30k again and again): resident size when the
# first 10,000 lines are out, the largest after that, and their ratio, which must stay within 1.1.
#   sh tests/bench/run.sh translate_memory [LINES]
data=$root/../shared/data/multi30k
lines=${1:-1000000}
if [ ! -r "$data/train.en" ]; then
    echo "translate_memory: skipped, $data is absent" >&2
    exit 0
fi
"$coho" vocab "$data/train.en" "$data/train.de" -o "$work/joint.spm" --size 1000 >&2
"$coho" train -s "$data/train.en" -t "$data/train.de" -v "$work/joint.spm" -o "$work/model" --dim 32 --ffn 64 \
    --encoder-layers 1 --decoder-layers 1 --learning-rate 0.01 --warmup 50 --batch-tokens 2000 --max-updates 200 >&2
while cat "$data/train.en"; do :; done 2>/dev/null | head -n "$lines" >"$work/source"

resident() {
    awk '/^VmRSS/ { print $2 }' "/proc/$1/status" 2>/dev/null || :
}
"$coho" translate -q -m "$work/model" --beam 1 --max-length-factor 1.5 -i "$work/source" >"$work/out" &
job=$!
early=0
most=0
while size=$(resident $job) && [ -n "$size" ]; do
    if [ "$early" = 0 ]; then
        # the first lines come a window at a time
        [ "$(wc -l <"$work/out")" -lt 10000 ] || early=$size
    elif [ "$size" -gt "$most" ]; then
        most=$size
    fi
    sleep 0.2
done
wait $job
[ "$(wc -l <"$work/out")" = "$lines" ] || { echo "translate_memory: lines were lost" >&2; exit 1; }
figure translate_memory.early $((early / 1024)) MB
figure translate_memory.largest $((most / 1024)) MB
figure translate_memory.ratio "$(awk "BEGIN { printf \"%.3f\", $most / $early }")" ratio
