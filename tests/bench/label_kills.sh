# Faults of `coho label` on a real corpus: killed with SIGKILL at random moments of a run over 15,000 of Multi30k's
# sentences and resumed each time, the joined result must be that of an undisturbed run, byte for byte; then shards are
# damaged, and exactly those must be labelled again; a second process on the same folder must be refused.
#   sh tests/bench/run.sh label_kills [KILLS [LINES]]
data=$root/../shared/data/multi30k
kills=${1:-20}
lines=${2:-15000}
if [ ! -r "$data/train.en" ]; then
    echo "label_kills: skipped, $data is absent" >&2
    exit 0
fi
wrong() {
    echo "label_kills: $1" >&2
    exit 1
}
"$coho" vocab "$data/train.en" "$data/train.de" -o "$work/joint.spm" --size 4000 >&2
"$coho" train -s "$data/train.en" -t "$data/train.de" -v "$work/joint.spm" -o "$work/model" --dim 64 --ffn 256 \
    --encoder-layers 2 --decoder-layers 1 --learning-rate 0.005 --warmup 200 --batch-tokens 2000 --max-updates 500 >&2
head -n "$lines" "$data/train.en" >"$work/in"
# (No function: a job's number must be that of the program, which is what is killed.)
label="$coho label -m $work/model -i $work/in --beam 2 --n-best 2 --max-length-factor 1.5 --shard-lines 1000
       --soft-targets top-k --soft-k 4 -o $work/"
same() {
    for file in best.txt nbest.tsv soft; do
        diff -r "$work/whole/$file" "$work/$1/$file" >&2 || wrong "$file differs from the undisturbed run's"
    done
}
begin=$(date +%s.%N)
${label}whole >&2
seconds=$(date +%s.%N | awk -v begin="$begin" '{ print $1 - begin }')

# Twenty moments spread at random over the length of the run; each resumes what the last one left.
done_kills=0
tries=0
reached=0
while [ $done_kills -lt "$kills" ]; do
    pause=$(awk -v n=$tries -v s="$seconds" -v kills="$kills" 'BEGIN { srand(4711 + n); print 0.03 + rand() * 2 * s / kills }')
    tries=$((tries + 1))
    ${label}killed >/dev/null 2>&1 &
    victim=$!
    sleep "$pause"
    kill -9 $victim 2>/dev/null || :
    wait $victim 2>/dev/null || :
    if [ -e "$work/killed/labels.json" ]; then          # it was done before: from the beginning again
        rm -rf "$work/killed"
        continue
    fi
    done_kills=$((done_kills + 1))
    now=$(find "$work/killed/shards" -name '*.json' 2>/dev/null | wc -l)
    [ "$now" -le "$reached" ] || reached=$now
done
${label}killed >&2
same killed
figure label_kills.kills $done_kills kills
figure label_kills.shards_when_killed "$reached" "shards at most"
figure label_kills.differences 0 bytes

# Damage: one byte, a cut, a manifest gone.
${label}damaged --keep-shards -q
rm "$work/damaged/labels.json" "$work/damaged/best.txt" "$work/damaged/nbest.tsv"
printf 'x' | dd of="$work/damaged/shards/000003.tsv" bs=1 seek=900 conv=notrunc 2>/dev/null
printf 'x' | dd of="$work/damaged/soft/000005.soft" bs=1 seek=5000 conv=notrunc 2>/dev/null
head -c 1000 "$work/damaged/shards/000007.tsv" >"$work/cut" && mv "$work/cut" "$work/damaged/shards/000007.tsv"
${label}damaged --keep-shards 2>"$work/messages" || wrong "a damaged job does not go on"
again=$(grep -c 'labelling that shard again' "$work/messages")
[ "$again" -eq 3 ] || wrong "$again shards were labelled again, not 3"
same damaged
figure label_kills.damaged_redone "$again" shards

# Two on one folder.
${label}both >/dev/null 2>&1 &
first=$!
until [ -d "$work/both/shards" ]; do sleep 0.05; done
if ${label}both 2>"$work/messages"; then wrong "a second process was not refused"; fi
grep -q "in use: process $first" "$work/messages" || wrong "not refused by name: $(cat "$work/messages")"
wait $first || wrong "the first process failed"
same both
figure label_kills.second_refused 1 process
