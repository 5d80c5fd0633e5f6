# Memory of `coho translate` over 1,000,000 lines (Multi30k again and again) with a small student: the
# largest resident size while lines 10,000 to 30,000 come out, the largest after that, and their
# ratio, which must stay within 1.1.  (A window of lines is worked on at a time, so the size moves
# up and down; largest is compared with largest.)
#   sh tests/bench/run.sh translate_memory [LINES]
data=$root/../shared/data/multi30k
lines=${1:-1000000}
if [ ! -r "$data/train.en" ]; then
    echo "translate_memory: skipped, $data is absent" >&2
    exit 0
fi
"$coho" vocab "$data/train.en" "$data/train.de" -o "$work/joint.spm" --size 4000 >&2
"$coho" train -s "$data/train.en" -t "$data/train.de" -v "$work/joint.spm" -o "$work/model" --dim 64 --ffn 256 \
    --encoder-layers 2 --decoder-layers 1 --learning-rate 0.005 --warmup 200 --batch-tokens 2000 --max-updates 800 >&2
while cat "$data/train.en"; do :; done 2>/dev/null | head -n "$lines" >"$work/source"

resident() {
    awk '/^VmRSS/ { print $2 }' "/proc/$1/status" 2>/dev/null || :
}
"$coho" translate -q -m "$work/model" --beam 1 --max-length-factor 1.5 -i "$work/source" >"$work/out" &
job=$!
early=0
most=0
past=no
while size=$(resident $job) && [ -n "$size" ]; do
    [ "$past" = yes ] || written=$(wc -l <"$work/out")
    if [ "$past" = yes ] || [ "$written" -gt 30000 ]; then
        past=yes
        [ "$size" -le "$most" ] || most=$size
    elif [ "$written" -ge 10000 ] && [ "$size" -gt "$early" ]; then
        early=$size
    fi
    sleep 0.1
done
wait $job
[ "$(wc -l <"$work/out")" = "$lines" ] || { echo "translate_memory: lines were lost" >&2; exit 1; }
figure translate_memory.early $((early / 1024)) MB
figure translate_memory.largest $((most / 1024)) MB
figure translate_memory.ratio "$(awk "BEGIN { printf \"%.3f\", $most / $early }")" ratio
