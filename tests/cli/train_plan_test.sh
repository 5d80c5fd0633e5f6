# coho train --dry-run and --memory.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
. "$here/tiny.sh"

# ---- a dry run tells and leaves nothing ----

expect 0 "$coho" train $tiny -o dry --dry-run --max-updates 30 --accumulate 2
for line in '^parameters  *[0-9]' '^sentence pairs  *60$' '^FLOPs a target token  *[0-9]' '^memory  *[0-9]* MB' \
    '^target tokens a batch  *300' '^batches an epoch  *about [0-9]' '^updates  *30' '^training  *about 0:0'; do
    grep -q "$line" .seen/stdout || fail "no line like '$line'"
done
[ ! -e dry ] || fail "a dry run made its folder"
parameters=$(sed -n 's/^parameters  *//p' .seen/stdout)
batches=$(sed -n 's/^batches an epoch  *about //p' .seen/stdout)

# What it told is what comes.
expect 0 "$coho" train $tiny -o m --max-updates 0 --max-epochs 1
stderr_has "transformer, $parameters parameters"
stderr_has "$batches updates, 1 epochs"

expect 1 "$coho" train $tiny -o dry --dry-run --source nowhere.txt
stderr_has "nowhere.txt"
seq 1 59 >short.txt
expect 1 "$coho" train $tiny -o dry --dry-run --target short.txt
stderr_has "are not equally long: one ends after line 59"
expect 1 "$coho" train $tiny -o dry --dry-run --max-updates 0
stderr_has "training would never end"

# ---- --memory ----

expect 1 "$coho" train $tiny -o small --memory 20M
stderr_has "memory: 20M are too little for this model on 1 threads"
[ ! -e small ] || fail "a training without room made its folder"

# What was chosen is chosen again, so that a resumed training goes on.
expect 0 "$coho" train $tiny -o resumed --memory 300M --batch-tokens 0
stderr_has "memory: batches of"
expect 0 "$coho" train $tiny -o resumed --memory 300M --batch-tokens 0 --max-updates 4 --resume
stderr_has "4 updates"

# A batch larger than fits is worked through in pieces that fit: the process stays within its memory.
# (Sanitizers multiply memory.)
if ! grep -q __asan_init "$coho"; then
    i=0
    while [ $i -lt 40 ]; do
        cat source.txt source.txt source.txt >>long.src
        cat target.txt target.txt target.txt >>long.trg
        i=$((i + 1))
    done
    for options in '--memory 260M' '--memory 320M --precision fp32 --arch lstm --threads 2'; do
        rm -rf big
        "$coho" train -s long.src -t long.trg -v tiny.spm -o big --dim 64 --ffn 256 --encoder-layers 4 --decoder-layers 4 \
            --max-epochs 1 --max-length 100 $options 2>big.log &
        job=$!
        most=0
        while size=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$job/status" 2>/dev/null) && [ -n "$size" ]; do
            most=$size
            sleep 0.02
        done
        wait $job || fail "training with $options: $(tail -n 1 big.log)"
        limit=${options#--memory }
        limit=${limit%%M*}
        checks=$((checks + 1))
        [ $((most / 1024)) -le "$limit" ] || fail "$options: $((most / 1024)) MB resident"
        [ $((most / 1024)) -gt 50 ] || fail "$options: $most kB, nothing measured"
    done
fi
finish
