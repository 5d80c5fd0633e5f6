# Memory over 1,000,000 lines (Multi30k again and again) with a small int8 student, by `coho translate` and by `coho label`: the
# largest resident size while lines 10,000 to 30,000 come out, the largest after that, and their ratio, which must stay
# within 1.1.  (A window of lines is worked on at a time, so the size moves up and down; largest is compared with
# largest.)
#   sh tests/bench/run.sh translate_memory [LINES]
data=$root/../shared/data/multi30k
lines=${1:-1000000}
if [ ! -r "$data/train.en" ]; then
    echo "translate_memory: skipped, $data is absent" >&2
    exit 0
fi
"$coho" vocab "$data/train.en" "$data/train.de" -o "$work/joint.spm" --size 4000 >&2
"$coho" train -s "$data/train.en" -t "$data/train.de" -v "$work/joint.spm" -o "$work/full" --dim 64 --ffn 256 \
    --encoder-layers 2 --decoder-layers 1 --learning-rate 0.005 --warmup 200 --batch-tokens 2000 --max-updates 800 >&2
"$coho" model quantize "$work/full" -o "$work/model" >&2
while cat "$data/train.en"; do :; done 2>/dev/null | head -n "$lines" >"$work/source"

resident() {
    awk '/^VmRSS/ { print $2 }' "/proc/$1/status" 2>/dev/null || :
}
# flat NAME WRITTEN: measures the job $job, of which the command WRITTEN tells how many lines are out.
flat() {
    early=0
    most=0
    past=no
    while size=$(resident $job) && [ -n "$size" ]; do
        [ "$past" = yes ] || written=$($2)
        if [ "$past" = yes ] || [ "$written" -gt 30000 ]; then
            past=yes
            [ "$size" -le "$most" ] || most=$size
        elif [ "$written" -ge 10000 ] && [ "$size" -gt "$early" ]; then
            early=$size
        fi
        sleep 0.1
    done
    wait $job
    figure "$1.early" $((early / 1024)) MB
    figure "$1.largest" $((most / 1024)) MB
    figure "$1.ratio" "$(awk "BEGIN { printf \"%.3f\", $most / $early }")" ratio
}
whole() {
    [ "$(wc -l <"$1")" = "$lines" ] || { echo "translate_memory: lines were lost" >&2; exit 1; }
}
translated() {
    wc -l <"$work/out"
}
labelled() {
    echo $(($(find "$work/labels/shards" -name '*.json' 2>/dev/null | wc -l) * 5000))
}
"$coho" translate -q -m "$work/model" --beam 1 --max-length-factor 1.5 -i "$work/source" >"$work/out" &
job=$!
flat translate_memory translated
whole "$work/out"
"$coho" label -q -m "$work/model" --beam 1 --max-length-factor 1.5 --shard-lines 5000 -i "$work/source" -o "$work/labels" &
job=$!
flat label_memory labelled
whole "$work/labels/best.txt"
cmp "$work/out" "$work/labels/best.txt" >&2 || { echo "translate_memory: labels are not the translations" >&2; exit 1; }
