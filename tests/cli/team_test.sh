# Training in a team of processes, by mpirun.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
. "$here/tiny.sh"
command -v mpirun >/dev/null || { echo "skipped: there is no mpirun"; exit 0; }
OMPI_ALLOW_RUN_AS_ROOT=1
OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
mpirun -np 2 --oversubscribe true 2>/dev/null || { echo "skipped: mpirun does not start two processes"; exit 0; }

# team N COMMAND…: on so many ranks.
team()
{
    ranks=$1
    shift
    mpirun -np "$ranks" --oversubscribe "$@"
}
train="$coho train $tiny --max-updates 50 --learning-rate 0.01 --warmup 5"
dev='--dev-source source.txt --dev-target target.txt --validate-every 20 --save-every 10'
team 2 "$coho" train $tiny -o probe 2>probe.txt
if grep -q 'built without MPI' probe.txt; then
    echo "skipped: $coho was built without MPI"
    exit 0
fi

# ---- one result, however the work is divided ----

# numbers FOLDER: the weights, one a line.
numbers()
{
    skip=$(od -An -t u8 -N 8 "$1/model.safetensors" | tr -d ' ')
    od -An -v -t f4 -w4 -j $((skip + 8)) "$1/model.safetensors"
}

# near FOLDER FOLDER LIMIT: no weight differs by more.
near()
{
    checks=$((checks + 1))
    numbers "$1" >.seen/a
    numbers "$2" >.seen/b
    paste .seen/a .seen/b | awk -v most="$3" '{ d = $1 - $2; if (d < 0) d = -d; if (d > worst) worst = d }
        END { print "largest difference of '"$1 $2"': " worst; exit !(NR > 1000 && worst <= most) }' ||
        fail "the weights of $1 and $2 differ by more than $3"
}

# same_nll FOLDER FOLDER: the last validations agree to 1e-5.
same_nll()
{
    checks=$((checks + 1))
    for folder; do
        sed -n 's/.*"valid_nll":\([^,]*\),.*/\1/p' "$folder/log.jsonl" | tail -n 1
    done | awk '{ nll[NR] = $1 } END { d = nll[1] - nll[2]; exit !(NR == 2 && d < 1e-5 && d > -1e-5) }' ||
        fail "the validations of $1 and $2 differ"
}

# Where a gradient is nothing but rounding (that of a bias of keys), Adam makes large steps of it,
# unless its epsilon is larger than that.
plain='--dropout 0 --adam-epsilon 1e-4'
expect 0 $train $dev $plain -o one
expect 0 team 2 $train $dev $plain -o two
near one two 1e-5
expect 0 team 3 $train $dev $plain --accumulate 2 --max-updates 25 -o three
expect 0 $train $dev $plain --accumulate 2 --max-updates 25 -o single
near three single 1e-5
expect 0 $train $dev --dropout 0 -o usual-one
expect 0 team 2 $train $dev --dropout 0 -o usual-two
same_nll usual-one usual-two
# The masks of dropout go by worker, of whatever process.
expect 0 $train $dev --threads 2 -o threads
expect 0 team 2 $train $dev -o ranks
stderr_has '2 processes, 2 threads in all'
stderr_has "^50 updates, .*the model is in 'ranks'"
[ "$(grep -c '^50 updates' .seen/stderr)" -eq 1 ] || fail 'more than one rank speaks'
near threads ranks 1e-5
expect 0 team 2 $train $dev --arch lstm --threads 2 -o lstm-ranks
expect 0 $train $dev --arch lstm --threads 4 -o lstm-threads
near lstm-ranks lstm-threads 1e-5
expect 0 team 2 $train $dev --gradient-type bf16 -o rounded
near ranks rounded 0.1
cmp -s ranks/model.safetensors rounded/model.safetensors && fail 'gradients are not rounded'
no_partial_files

# ---- stops, and other numbers of ranks ----

expect 0 team 3 $train $dev $plain --max-updates 20 -o other
expect 0 team 2 $train $dev $plain --max-updates 35 --resume -o other
expect 0 $train $dev $plain --resume -o other
stderr_has "^going on from update 35 of 'other'"
near one other 1e-5

# rank N: the process of a rank of the team that was started last.
rank()
{
    for process in $(ps -o pid= --ppid $started); do
        tr '\0' '\n' </proc/$process/environ 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$1" && echo $process
    done
}

# A rank that dies takes the others with it; the checkpoint is whole, and one process goes on.
mpirun -np 2 --oversubscribe $train $dev --max-updates 1000000 -o lost >lost.txt 2>&1 &
started=$!
wait_for 'lost/checkpoints/update-*.safetensors'
victim=$(rank 1)
[ -n "$victim" ] || { kill -9 $started; fail 'there is no rank 1'; }
kill -9 $victim
wait $started
status=$?
command='a team that loses a rank'
[ $status -ne 0 ] || fail 'it ends with status 0'
updates=$(ls lost/checkpoints | sed -n 's/^update-\([0-9]*\).safetensors$/\1/p' | sort -n | tail -n 1)
expect 0 $train $dev --max-updates $((updates + 1)) --resume -o lost
stderr_has "^going on from update $updates of 'lost'"

# A signal to any rank saves and stops all.
mpirun -np 2 --oversubscribe $train $dev --max-updates 1000000 -o stopped >.seen/stdout 2>.seen/stderr &
started=$!
wait_for 'stopped/checkpoints/update-*.safetensors'
victim=$(rank 1)
[ -n "$victim" ] || { kill -9 $started; fail 'there is no rank 1'; }
kill -TERM $victim
wait $started
command='a team of which a rank is stopped'
stderr_has '^stopped by a signal after update [0-9]*; the same command with --resume goes on'
updates=$(sed -n 's/^stopped by a signal after update \([0-9]*\);.*/\1/p' .seen/stderr)
present "stopped/checkpoints/update-$updates.safetensors"
expect 0 team 2 $train $dev --max-updates $((updates + 2)) --resume -o stopped
stderr_has "^going on from update $updates of 'stopped'"

# It is one to all at once: in the middle of an update without end, and of rank 0's validation.
yes 'the cat & sees a house' | head -n 20000 >many.src
yes 'die Katze & sieht ein Haus' | head -n 20000 >many.trg

# stopped_soon FOLDER UPDATE PATH COMMAND…: a signal to rank 1 when the path is there.
stopped_soon()
{
    folder=$1
    updates=$2
    path=$3
    shift 3
    command="$*"
    "$@" >.seen/stdout 2>.seen/stderr &
    started=$!
    wait_for "$path"
    sleep 0.5
    victim=$(rank 1)
    [ -n "$victim" ] || { kill -9 $started; fail 'there is no rank 1'; }
    kill -TERM $victim
    begun=$(date +%s)
    wait $started
    [ $(($(date +%s) - begun)) -le 10 ] || fail 'it takes more than 10 s to stop'
    stderr_has "^stopped by a signal after update $updates; the same command with --resume goes on"
    present "$folder/checkpoints/update-$updates.safetensors"
    no_partial_files "$folder"
}
for i in 1 2 3 4 5 6 7 8; do cat many.src; done >all.src
for i in 1 2 3 4 5 6 7 8; do cat many.trg; done >all.trg
stopped_soon middle 0 'middle/log.jsonl' mpirun -np 3 --oversubscribe $train -s all.src -t all.trg \
    --accumulate 100000 --max-updates 1 -o middle
stopped_soon validating 2 'validating/checkpoints/update-1.safetensors' mpirun -np 2 --oversubscribe $train \
    --dev-source many.src --dev-target many.trg --validate-decode --save-every 1 --validate-every 2 --max-updates 2 \
    -o validating
grep -q valid_nll validating/log.jsonl && fail 'the validation went on to its end'

# ---- what is wrong is told once ----

expect 2 team 2 $train --heads
[ "$(grep -c 'option --heads needs a value' .seen/stderr)" -eq 1 ] || fail 'a usage error is not told once'
expect 1 team 2 $train -o new -s absent.txt
[ "$(grep -c 'coho train: .*absent.txt' .seen/stderr)" -eq 1 ] || fail 'a missing file is not told once'
expect 1 team 2 $train $dev -o one
[ "$(grep -c "'one' holds a training already" .seen/stderr)" -eq 1 ] || fail 'a used folder is not told once'
finish
