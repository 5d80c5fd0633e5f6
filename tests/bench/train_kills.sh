# kill -9 at random moments of a training, each resumed: the weights must be those of an undisturbed run, byte
# for byte.  200 updates on the first 2,000 pairs of Multi30k, from raw text: encoding, updates,
# validations with decoding, checkpoints and the last save are all hit.
#   sh tests/bench/run.sh train_kills [KILLS [SEED]]        20; some 4 minutes
# The same without a program around it, and at each write in turn: tests/seq2seq/faults_test.c.
m30k=$root/../shared/data/multi30k
if [ ! -r "$m30k/train.en" ]; then
    echo "train_kills: skipped, $m30k is absent" >&2
    exit 0
fi
kills=${1:-20}
seed=${2:-$(date +%s)}
for side in en de; do
    head -n 2000 "$m30k/train.$side" >"$work/train.$side"
    head -n 100 "$m30k/val.$side" >"$work/dev.$side"
done
"$coho" vocab "$work/train.en" "$work/train.de" -o "$work/joint.spm" --size 1000 >&2

# start FOLDER: the training, in the background.
start() {
    "$coho" train -s "$work/train.en" -t "$work/train.de" --dev-source "$work/dev.en" --dev-target "$work/dev.de" \
        -v "$work/joint.spm" -o "$1" --dim 32 --ffn 64 --heads 2 --encoder-layers 1 --decoder-layers 1 --threads 2 \
        --batch-tokens 500 --learning-rate 0.005 --warmup 50 --max-updates 200 --validate-every 20 --save-every 7 \
        --validate-decode --ema 0.99 --average 3 --resume 2>>"$work/messages" &
}

now() { date +%s.%N; }
begun=$(now)
start "$work/whole"
wait $! || { cat "$work/messages" >&2; exit 1; }
whole=$(awk -v a="$begun" -v b="$(now)" 'BEGIN { print b - a }')
figure train_kills.whole "$whole" s

died=0
same=0
turn=0
while [ "$died" -lt "$kills" ]; do      # one that was over before its moment does not count
    turn=$((turn + 1))
    rm -rf "$work/killed"
    start "$work/killed"
    job=$!
    sleep "$(awk -v s=$((seed + turn)) -v most="$whole" 'BEGIN { srand(s); rand(); print rand() * most }')"
    kill -9 $job 2>/dev/null || true
    wait $job 2>/dev/null && continue
    died=$((died + 1))
    reached=$(ls "$work/killed/checkpoints" 2>/dev/null | sed -n 's/^update-\([0-9]*\)\.safetensors$/\1/p' | sort -n | tail -n 1)
    start "$work/killed"
    wait $! || { cat "$work/messages" >&2; exit 1; }
    found=OTHER
    if cmp -s "$work/whole/model.safetensors" "$work/killed/model.safetensors"; then
        found='the same'
        same=$((same + 1))
    fi
    echo "train_kills: killed after the checkpoint of update ${reached:-none}: $found weights" >&2
done
figure train_kills.same $same of-$kills
[ "$same" -eq "$kills" ]
