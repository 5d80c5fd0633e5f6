# coho train used roughly: folders that are taken, trainings that go on with other options, corpora of
# almost nothing.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
. "$here/tiny.sh"
dev='--dev-source source.txt --dev-target target.txt --validate-every 2'

# ---- one process a folder ----

mkfifo endless
exec 3<>endless
"$coho" train $tiny -o taken -s endless 2>first.txt &
first=$!
echo 'the cat sees a house' >&3
wait_for 'taken/train.store.partial-*'
refused 1 "^coho train: taken is in use by another run, process $first; wait for it, or choose another folder" \
    "$coho" train $tiny -o taken
kill -TERM $first
wait $first
file_has first.txt '^coho train: interrupted'
exec 3>&-
expect 0 "$coho" train $tiny -o taken
expect 0 "$coho" train $tiny -o taken --resume --max-updates 3

# ---- texts from pipes ----

expect 0 sh -c "'$coho' train $tiny -s - -o piped <source.txt"
expect 1 sh -c "'$coho' train $tiny -o new --dev-source - --dev-target target.txt <source.txt"
stderr_has "^coho train: '-' is a pipe: the validation text is read twice; give a file"
absent new

# ---- trainings that go on with other options ----

expect 0 "$coho" train $tiny $dev -o begun
# again OPTIONS…: two updates more, in a copy.
again()
{
    wanted=$1
    shift
    rm -rf again
    cp -r begun again
    expect "$wanted" "$coho" train $tiny $dev -o again --resume --max-updates 4 "$@"
}
again 0
grep -q warning .seen/stderr && fail 'a training that goes on as it was is warned of'
again 0 --log-every 1 --save-every 1 --max-epochs 9 --keep-checkpoints 5 --no-tensorboard
grep -q warning .seen/stderr && fail 'options that change nothing are warned of'
again 0 --learning-rate 0.25 --warmup 7 --threads 2
stderr_has '^warning: going on with learning-rate 0.25 (was 0.0005), warmup 7 (was 4000), workers 2 (was 1): not what an'
again 0 --label-smoothing 0.5
stderr_has '^warning: going on with objective {.*"label-smoothing": 0.5.*} (was {.*"label-smoothing": 0.1'
again 0 --objective word-kd --teacher taken
stderr_has '^warning: going on with objective {.*word-kd.*} (was .*cross-entropy.*), other teachers: not'
again 1 --metric bleu
stderr_has '^coho train: cannot resume: metric was nll and is bleu now'
again 1 --dev-source target.txt
stderr_has '^coho train: cannot resume: the validation corpus is another one now'
rm -rf again
cp -r begun again
refused_soon='cannot resume: the validation corpus is missing now, and the best weights so far'
expect 1 "$coho" train $tiny -o again --resume --max-updates 4
stderr_has "^coho train: $refused_soon"
expect 0 "$coho" train $tiny $dev -o again --resume --max-updates 1
stderr_has '^2 updates, .*max-updates'
expect 0 "$coho" train $tiny -o plain
expect 0 "$coho" train $tiny $dev -o plain --resume --max-updates 4
stderr_has '^4 updates, .*dev NLL'

# ---- the order of the corpus ----

seq 1 40 | sed 's/.*/& the cat sees a house/' >counted.src
seq 1 40 | sed 's/.*/& die Katze sieht ein Haus/' >counted.trg
counted="-s counted.src -t counted.trg --start plain --dropout 0 --learning-rate 0.01 --warmup 0 --batch-tokens 60 --threads 1
    --max-updates 3"
for seed in 1 2; do
    expect 0 "$coho" train $counted -o as-is-$seed --seed $seed --no-shuffle
    expect 0 "$coho" train $counted -o shuffled-$seed --seed $seed
done
checks=$((checks + 2))
cmp -s as-is-1/model.safetensors as-is-2/model.safetensors || fail '--no-shuffle shuffles'
cmp -s shuffled-1/model.safetensors shuffled-2/model.safetensors && fail 'nothing is shuffled'

# ---- corpora of almost nothing ----

for lines in 1 3; do
    head -n $lines source.txt >few.src
    head -n $lines target.txt >few.trg
    few="-s few.src -t few.trg --max-updates 4 --max-epochs 3"
    expect 0 "$coho" train $tiny $few -o few-$lines --batch-tokens 100000000 --threads 5
    stderr_has "^training: $lines sentence pairs"
    expect 0 "$coho" train $tiny $few -o few-$lines-apart --batch-tokens 1 --batch-source-tokens 1 --threads 2
done
: >none
expect 1 "$coho" train $tiny -o none-at-all -s none -t none
stderr_has 'empty corpus: neither .none. nor .none. holds a line'
yes '' | head -n 5 >blank
expect 1 "$coho" train $tiny $dev -o blank-dev --dev-source blank --dev-target blank
stderr_has "'blank' and 'blank': no sentence to use in .*each of its 5 pairs has an empty side"
expect 1 "$coho" train $tiny -o all-long --max-length 2
stderr_has 'each of its 60 pairs has an empty side or one of more than 2 tokens; raise max-length'
sed '3s/.*/the cat the cat the cat the cat the cat the cat the cat the cat the cat/' source.txt >one-long.src
expect 0 "$coho" train $tiny -o one-long -s one-long.src --max-length 24
stderr_has '^warning: training: 1 pairs left out: a side is empty or longer than max-length 24 tokens'
finish
