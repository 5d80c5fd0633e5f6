# Word-level distillation from a store of soft targets, beside plain cross-entropy and beside the teacher itself, on
# Multi30k: the speed of training from the store over cross-entropy's (at least 0.9), and the student's dev NLL over that of
# the student whose teacher ran along (at most 1.01), both after the same updates of the same batches.  The mass beyond the
# kept pieces is drawn (soft-samples); kept pieces alone, with that mass as one class (tail: bucket) or spread evenly, are told
# as well.
#   sh tests/bench/run.sh soft_store [--keep FOLDER] [TEACHER-UPDATES [STUDENT-UPDATES]]
# With --keep, what is done there already is not done again, so that it may run in pieces.
data=$root/../shared/data/multi30k
if [ ! -r "$data/train.en" ]; then
    echo "soft_store: skipped, $data is absent" >&2
    exit 0
fi
kept=$work
if [ "${1:-}" = --keep ]; then
    kept=$2
    shift 2
    mkdir -p "$kept"
fi
teacher_updates=${1:-1000}
student_updates=${2:-600}
[ -e "$kept/joint.spm" ] || "$coho" vocab "$data/train.en" "$data/train.de" -o "$kept/joint.spm" --size 4000 >&2
train() {
    out=$1
    shift
    [ -e "$kept/$out/done" ] && return
    "$coho" train -s "$data/train.en" -t "$data/train.de" --dev-source "$data/val.en" --dev-target "$data/val.de" \
        -v "$kept/joint.spm" -o "$kept/$out" --batch-tokens 3000 --warmup 300 --dropout 0.1 --threads 2 --resume "$@" >&2
    touch "$kept/$out/done"
}
train teacher --dim 128 --ffn 256 --encoder-layers 3 --decoder-layers 3 --learning-rate 0.003 --max-updates "$teacher_updates" \
    --validate-every 500
label() {       # label NAME OPTIONS: what the teacher says, kept in NAME
    out=$1
    shift
    [ -e "$kept/$out/labels.json" ] || "$coho" label -m "$kept/teacher" -i "$data/train.en" -t "$data/train.de" -o "$kept/$out" \
        --soft-targets top-k "$@" >&2
}
label top8 --soft-k 8
label top32 --soft-k 32
label drawn4 --soft-k 4 --soft-samples 4
label drawn8 --soft-k 8 --soft-samples 8
student="--dim 128 --ffn 256 --encoder-layers 2 --decoder-layers 1 --learning-rate 0.003 --max-updates $student_updates
         --validate-every $student_updates --log-every 50"
train plain $student
train bucket8 $student --objective word-kd --alpha 0.7 --tail bucket --soft-targets "$kept/top8/soft"
train spread8 $student --objective word-kd --alpha 0.7 --tail spread --soft-targets "$kept/top8/soft"
train bucket32 $student --objective word-kd --alpha 0.7 --tail bucket --soft-targets "$kept/top32/soft"
train from_drawn4 $student --objective word-kd --alpha 0.7 --soft-targets "$kept/drawn4/soft"
train from_drawn8 $student --objective word-kd --alpha 0.7 --soft-targets "$kept/drawn8/soft"
train online $student --objective word-kd --alpha 0.7 --teacher "$kept/teacher"

# Speed: short runs that take turns, the last lines of their logs.
rate() {
    rm -rf "$work/timed"
    "$coho" train -s "$data/train.en" -t "$data/train.de" -v "$kept/joint.spm" -o "$work/timed" --batch-tokens 3000 --dropout 0.1 \
        --threads 2 $student --max-updates 60 --log-every 20 --validate-every 0 "$@" >/dev/null 2>&1
    grep -o '"tokens_per_s":[0-9.]*' "$work/timed/log.jsonl" | tail -n 1 | cut -d : -f 2
}
median() {
    sort -g | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'
}
for round in 1 2 3 4 5; do
    rate >>"$work/plain.rates"
    rate --objective word-kd --alpha 0.7 --soft-targets "$kept/drawn8/soft" >>"$work/stored.rates"
done
plain=$(median <"$work/plain.rates")
stored=$(median <"$work/stored.rates")
nll() {
    grep -o '"valid_nll":[0-9.]*' "$kept/$1/log.jsonl" | tail -n 1 | cut -d : -f 2
}
rows=$("$coho" tokenize -m "$kept/joint.spm" "$data/train.de" | awk '{ n += NF + 1 } END { print n }')
bytes() {
    awk -v bytes="$(cat "$kept/$1"/soft/*.soft | wc -c)" -v rows="$rows" 'BEGIN { printf "%.1f", bytes / rows }'
}
figure soft_store.plain_tokens_per_s "$plain" tokens/s
figure soft_store.stored_tokens_per_s "$stored" tokens/s
figure soft_store.speed "$(awk "BEGIN { printf \"%.3f\", $stored / $plain }")" ratio
figure soft_store.plain_nll "$(nll plain)" nats
figure soft_store.online_nll "$(nll online)" nats
told() {        # told STUDENT STORE
    figure "soft_store.$1.bytes_a_token" "$(bytes "$2")" bytes
    figure "soft_store.$1.nll" "$(nll "$1")" nats
    figure "soft_store.$1.nll_ratio" "$(awk "BEGIN { printf \"%.4f\", $(nll "$1") / $(nll online) }")" ratio
}
told spread8 top8
told bucket8 top8
told bucket32 top32
told from_drawn4 drawn4
told from_drawn8 drawn8
