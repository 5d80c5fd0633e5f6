# Memory of decoding: kept within --memory by planning, not filled by a line of 50,000 tokens, and weights that
# processes share.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
. "$here/tiny.sh"
[ -r /proc/self/smaps ] || { echo "skipped: there is no /proc/self/smaps"; exit 0; }

expect 0 "$coho" train $tiny --dim 128 --ffn 512 --encoder-layers 4 --decoder-layers 4 -o model
expect 0 "$coho" model quantize -q model -o model.int8
awk 'BEGIN { for (i = 0; i < 200; i++) print "the cat & sees a house", i }' >text
awk 'BEGIN { for (i = 0; i < 50000; i++) printf "dog "; print "" }' >long
cat text long text >withlong
"$coho" tokenize -m tiny.spm long | awk '{ exit NF < 50000 }' || fail "the long line has not 50,000 tokens"

# peak LIMIT STATUS COMMAND…: runs it, and fails where it was resident with more MB.  (Sanitizers multiply memory.)
sanitized=$(grep -c __asan_init "$coho")
peak()
{
    limit=$1
    wanted=$2
    shift 2
    command=$*
    checks=$((checks + 2))
    "$@" >.seen/stdout 2>.seen/stderr &
    job=$!
    most=0
    while size=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$job/status" 2>/dev/null) && [ -n "$size" ]; do
        most=$size
        sleep 0.01
    done
    wait $job
    status=$?
    [ $status -eq "$wanted" ] || fail "status $status instead of $wanted"
    [ "$sanitized" != 0 ] || [ $((most / 1024)) -le "$limit" ] || fail "$((most / 1024)) MB resident where $limit were allowed"
    [ $((most / 1024)) -ge 5 ] || fail "$most kB, nothing was measured"
}

# ---- a long line ----

t="$coho translate --beam 4 --max-length 6 --threads 2"
peak 120 0 $t -m model -i text
peak 130 0 $t -m model -i withlong
stdout_lines 401
stderr_has 'withlong:201: [0-9]* tokens, cut to the first 1000'
peak 130 1 $t -m model -i withlong --long-lines refuse
stderr_has 'withlong:201: [0-9]* tokens, more than the 1000 allowed'
for model in model model.int8; do
    peak 160 0 $t -m $model -i withlong --memory 160M --max-source 1000000
    stdout_lines 401
    stderr_has 'withlong:201: [0-9]* tokens, cut to the first [0-9]*'
done
l="$coho label --beam 4 --n-best 2 --max-length 6 --threads 2 -i withlong --memory 160M --max-source 1000000"
peak 160 0 $l -m model -o cut
[ "$(wc -l <cut/best.txt)" = 401 ] || fail "labels lost a line"
[ "$(awk -F '\t' '$4 ~ /t/ { print $1 }' cut/nbest.tsv | sort -u)" = 200 ] || fail "the long line is not marked as truncated"
peak 160 0 $l -m model -o refused --long-lines refuse
[ "$(awk -F '\t' '$4 ~ /l/ { print $1 }' refused/nbest.tsv)" = 200 ] || fail "the long line is not marked as too long"
checks=$((checks + 3))

# A job keeps the limit that it was begun with: what another grant, or other threads, have room for changes no
# line; less room than it was begun with is refused.
whole="$coho label -q --beam 4 --max-length 6 -m model -i text -i long --max-source 1000000 --shard-lines 20"
expect 0 $whole --memory 130M --threads 2 -o steady
file_has steady/job.json '"longest_source": [0-9]*'
expect 0 $whole --memory 130M --threads 2 -o resumed --shard 1/3
for grant in '--memory 400M --threads 1' '--threads 2'; do
    cp -r resumed again
    expect 0 $whole $grant -o again
    expect 0 cmp steady/nbest.tsv again/nbest.tsv
    expect 0 "$coho" label -o again --check
    rm -r again
done
refused 1 "room for sources of [0-9]* tokens; 'resumed' was begun with [0-9]*" $whole --memory 125M --threads 2 -o resumed
refused 1 "max-source is 1000000 there and 1000 here" "$coho" label -q --beam 4 --max-length 6 -m model -i text -i long \
    --shard-lines 20 --memory 130M --threads 2 -o resumed

# ---- a wide beam over many lines: batches become smaller ----

peak 130 0 $t -m model -i text --beam 16 --memory 130M
stdout_lines 200
cp .seen/stdout within
expect 0 $t -m model -i text --beam 16
cmp -s within .seen/stdout || fail "a budget changes the output"
checks=$((checks + 1))

# ---- two processes, one copy of the weights ----

# of PID NAME: kilobytes of the mapping of model.int8's weights.
of()
{
    awk -v name="$2:" '/^[0-9a-f]+-[0-9a-f]+ / { ours = /model.int8\/model.safetensors$/ } ours && $1 == name { n += $2 }
                       END { print n + 0 }' "/proc/$1/smaps"
}
mkfifo first second
"$coho" translate -q -m model.int8 --stream --threads 1 <first >one.out &
one=$!
exec 3>first
"$coho" translate -q -m model.int8 --stream --threads 1 <second >two.out &
two=$!
exec 4>second
echo 'the cat sees' >&3
echo 'the cat sees' >&4
wait_for one.out
tries=0
until { [ -s one.out ] && [ -s two.out ]; } || [ $tries -ge 600 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
for process in $one $two; do
    rss=$(of $process Rss)
    shared=$(of $process Shared_Clean)
    private=$(($(of $process Private_Dirty) + $(of $process Private_Clean)))
    checks=$((checks + 3))
    [ "$rss" -ge 500 ] || fail "the weights are not mapped: $rss kB of them"
    [ "$shared" -ge $((rss * 9 / 10)) ] || fail "$shared of $rss kB of weights are shared"
    [ "$private" -le $((rss / 10)) ] || fail "$private of $rss kB of weights are a process's own"
done
exec 3>&- 4>&-
wait $one && wait $two || fail "a process failed"
expect 0 cmp one.out two.out

finish
