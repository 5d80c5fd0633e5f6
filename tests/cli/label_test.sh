# coho label: killed, resumed, shared, damaged, checked.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
. "$here/tiny.sh"

expect 0 "$coho" train $tiny -o model
awk 'BEGIN {
    srand(11); n = split("the cat sees a house & dog walks in park", w, " ")
    for (i = 1; i <= 900; i++) {
        line = ""
        for (j = 1 + int(rand() * 9); j > 0; j--) line = line w[1 + int(rand() * n)] " "
        print (i % 50 == 7) ? "" : substr(line, 1, length(line) - 1)
    }
}' >in.txt
search="--beam 2 --n-best 2 --max-length-factor 1 --max-length-offset 4"
label="$coho label -q -m model -i in.txt $search --shard-lines 25 --threads 1"

# same LABELS: the same bytes as the undisturbed run's, and nothing beside them.
same()
{
    checks=$((checks + 1))
    for file in best.txt nbest.tsv soft; do
        diff -r whole/$file "$1/$file" >/dev/null || fail "$1/$file differs from the undisturbed run's"
    done
    [ ! -e "$1/shards" ] || fail "$1 still has its shards"
    no_partial_files "$1"
}

# ---- usage ----

expect 2 "$coho" label -m model -i in.txt
stderr_has "'--output' is missing\|output"
expect 2 "$coho" label -i in.txt -o out
stderr_has 'model is missing'
expect 2 "$coho" label -m model -o out
stderr_has 'input is missing'
for shard in 0/3 4/3 x 1/2x 1; do
    expect 2 "$coho" label -m model -i in.txt -o out --shard $shard
    stderr_has 'not of the form I/N'
done
expect 2 "$coho" label -m model -i - -o out
stderr_has 'standard input cannot be labelled'
expect 2 "$coho" label -m model -i in.txt -t in.txt --beam 4 --n-best 2 -o out
stderr_has 'n-best is for searches'
refused 1 absent "$coho" label -m model -i absent -o out
refused 1 nowhere "$coho" label -m nowhere -i in.txt -o out2
absent out2
: >void
refused 1 "'void' has no lines" "$coho" label -m model -i void -o out3
refused 1 'job.json' "$coho" label -o out3 --check

# ---- an undisturbed run: one record a line, in order, as coho translate gives it ----

expect 0 $label -o whole --soft-targets top-k --soft-k 3
no_partial_files whole
"$coho" translate -q -m model -i in.txt $search --n-best 1 --threads 2 >translated
cmp -s translated whole/best.txt || fail "labels are not the translations"
cut -f 1 whole/nbest.tsv | uniq | awk '$1 != NR - 1 { exit 1 } END { exit NR != 900 }' || fail "a sentence is missing"
[ "$(awk -F '\t' '$4 ~ /e/ && $5 == ""' whole/nbest.tsv | wc -l)" = 18 ] || fail "empty lines are not marked"
file_has whole/labels.json '"lines": 900'
file_has whole/labels.json '"empty": 18'
file_has whole/labels.json '"fingerprint": "[0-9a-f]\{16\}"'
[ "$(ls whole/soft/*.soft | wc -l)" = 36 ] || fail "there are not 36 shards of soft targets"
expect 0 "$coho" label -o whole --check
stderr_has '900 lines'
stderr_has '18 lines are marked e (empty)'
expect 0 $label -o whole --soft-targets top-k --soft-k 3
same whole

# ---- with pieces drawn beside the likeliest ----

expect 0 $label -o drawn --soft-targets top-k --soft-k 3 --soft-samples 2
cmp -s whole/nbest.tsv drawn/nbest.tsv || fail "drawn soft targets change the lists"
[ "$(cat drawn/soft/*.soft | wc -c)" -gt "$(cat whole/soft/*.soft | wc -c)" ] || fail "nothing was drawn"
expect 2 "$coho" label -m model -i in.txt -o none --soft-samples 2
stderr_has 'soft-samples 2: pieces are drawn beside those that soft-targets keeps'
absent none
refused 1 'soft-samples is 2 there and 3 here' $label --soft-targets top-k --soft-k 3 --soft-samples 3 -o drawn
expect 0 "$coho" label -q -m model -i source.txt -t target.txt -o said --soft-targets top-k --soft-k 3 --soft-samples 2
expect 0 "$coho" train $tiny --objective word-kd --soft-targets said/soft -o student
expect 1 "$coho" train $tiny --objective jsd --soft-targets said/soft -o other
stderr_has "jsd needs probabilities, and soft targets 'said/soft' hold 2 drawn pieces a token"
expect 1 "$coho" train $tiny --objective word-kd --temperature 2 --soft-targets said/soft -o other
stderr_has 'drawn at temperature 1 and serve at no other (asked for: 2)'

# ---- killed at twenty random moments ----

kills=0
random=4711
while [ $kills -lt 20 ]; do
    $label -o killed --soft-targets top-k --soft-k 3 2>/dev/null &
    victim=$!
    random=$(((random * 1103515245 + 12345) % 2147483648))
    sleep "0.0$((random / 65536 % 90 + 10))"
    kill -9 $victim 2>/dev/null && kills=$((kills + 1)) || rm -rf killed        # done: once more
    wait $victim 2>/dev/null
done
expect 0 $label -o killed --soft-targets top-k --soft-k 3
same killed

# ---- asked to stop ----

$label -o stopped --soft-targets top-k --soft-k 3 2>stop.err &
wait_for 'stopped/shards/*.json'
kill -TERM $! 2>/dev/null
wait $!
status=$?
checks=$((checks + 1))
[ $status -eq 0 ] || grep -q 'the same command goes on' stop.err || fail "a stop is not explained"
expect 0 $label -o stopped --soft-targets top-k --soft-k 3
same stopped

# ---- damage is found and redone, and nothing else ----

expect 0 $label -o kept --soft-targets top-k --soft-k 3 --keep-shards
cp -r kept damaged
cp -r kept/shards before
rm damaged/labels.json damaged/best.txt damaged/nbest.tsv
printf 'x' | dd of=damaged/shards/000003.tsv bs=1 seek=9 conv=notrunc 2>/dev/null
printf 'x' | dd of=damaged/soft/000004.soft bs=1 seek=900 conv=notrunc 2>/dev/null
head -c 100 kept/shards/000005.tsv >damaged/shards/000005.tsv
echo '{}' >damaged/shards/000006.json
rm damaged/shards/000007.json damaged/soft/000008.soft
expect 0 $label -o damaged --soft-targets top-k --soft-k 3 --keep-shards
for shard in 000003.tsv 000004.soft 000005.tsv 000006.json 000008.soft; do
    stderr_has "$shard.*labelling that shard again"
done
[ "$(grep -c again .seen/stderr)" = 5 ] || fail "whole shards were labelled again, too"
cmp -s damaged/nbest.tsv whole/nbest.tsv && diff -r damaged/soft whole/soft || fail "redone shards differ"
# A file that changes behind the manifest's back shows in the final check.
cp -r whole spoilt
printf 'x' | dd of=spoilt/best.txt bs=1 seek=70 conv=notrunc 2>/dev/null
refused 1 'best.txt' "$coho" label -o spoilt --check
rm spoilt/nbest.tsv
refused 1 'no longer whole (delete it' $label -o spoilt --soft-targets top-k --soft-k 3
# Of a finished job, damaged soft targets are made again, and they alone.
cp -r whole mended
printf 'x' | dd of=mended/soft/000004.soft bs=1 seek=900 conv=notrunc 2>/dev/null
rm mended/soft/000008.soft
head -c 500 whole/soft/000012.soft >mended/soft/000012.soft
refused 1 "'mended' is no longer whole (the same .coho label. again mends.*000004.soft' has changed" "$coho" label -o mended --check
expect 0 $label -o mended --soft-targets top-k --soft-k 3
[ "$(grep -c 'mended/soft/0000[01][482].soft. is missing, or has changed' .seen/stderr)" = 3 ] || fail "not three shards are made again"
same mended
expect 0 "$coho" label -o mended --check
echo '{' >mended/job.json
refused 1 'plan of the job is damaged; label into a new folder' "$coho" label -o mended --check
refused 1 "'nowhere' holds no labels" "$coho" label -o nowhere --check

# ---- another job in the same folder is refused, by what differs ----

refused 1 'beam is 2 there and 3 here' $label --beam 3 --soft-targets top-k --soft-k 3 -o whole
refused 1 'soft-k is 3 there and 4 here' $label --soft-targets top-k --soft-k 4 -o whole
sed '30s/.*/another line/' in.txt >changed.txt
refused 1 "holds the labels of 'in.txt': one of the lines 26 to 50 of 'changed.txt' is not as there" "$coho" label -q -m model -i changed.txt $search --shard-lines 25 --soft-targets top-k --soft-k 3 -o whole
cp in.txt moving.txt
expect 0 "$coho" label -q -m model -i moving.txt $search --shard-lines 25 -o moved
echo more >>moving.txt
refused 1 "moved' holds the labels of 'moving.txt' as it was, of 900 lines, and now it has 901" "$coho" label -o moved --check

head -n 60 in.txt >few.txt
few="$coho label -q -m model -i few.txt --soft-targets top-k --soft-k 3 --shard-lines 25"
expect 0 $few -t few.txt -o few
sed '30s/.*/another line/' few.txt >other.trg
refused 1 "few' holds the labels of 'few.txt': one of the given lines 26 to 50 of 'other.trg' is not as there" $few -t other.trg -o few
refused 1 'target_given is true there and false here' $few -o few
refused 1 "few' holds the labels of 'few.txt', of 60 lines, and 'in.txt' has 900" "$coho" label -q -m model -i in.txt -t in.txt --soft-targets top-k --soft-k 3 --shard-lines 25 -o few
sed -i '30s/.*/another line/' few.txt
refused 1 "few' holds the labels of 'few.txt' as it was: one of its lines 26 to 50 has changed since" $few -t few.txt -o few

# ---- two processes on one folder ----

$label -o shared --soft-targets top-k --soft-k 3 &
first=$!
wait_for 'shared/shards'
kill -STOP $first
if kill -0 $first 2>/dev/null && [ ! -e shared/labels.json ]; then
    refused 1 "in use: process $first" $label -o shared --soft-targets top-k --soft-k 3
fi
kill -CONT $first
wait $first || fail "the first process did not finish"
same shared

# ---- shares, whoever does them ----

expect 0 "$coho" label -m model -i in.txt $search --shard-lines 25 --threads 1 --soft-targets top-k --soft-k 3 -o shares --shard 2/3
stderr_has '12 of 36 shards labelled; 24 are left to others'
absent shares/best.txt
$label -o shares --soft-targets top-k --soft-k 3 --shard 1/3 &
expect 0 $label -o shares --soft-targets top-k --soft-k 3 --shard 3/3
wait $! || fail "a share failed beside another"
same shares
for rank in 0 1 2 3; do
    OMPI_COMM_WORLD_RANK=$rank OMPI_COMM_WORLD_SIZE=4 $label -o ranks --soft-targets top-k --soft-k 3 &
done
wait
same ranks

if mpirun -np 3 --oversubscribe true 2>/dev/null; then
    expect 0 mpirun -np 3 --oversubscribe $label -o team --soft-targets top-k --soft-k 3
    same team
    # Some ranks are killed, and the rest of the job with them; another number of ranks goes on.
    mpirun -np 2 --oversubscribe $label -o team2 --soft-targets top-k --soft-k 3 >/dev/null 2>&1 &
    team=$!
    wait_for 'team2/shards/*.json'
    kill -TERM $team 2>/dev/null
    wait $team
    expect 0 mpirun -np 3 --oversubscribe $label -o team2 --soft-targets top-k --soft-k 3
    same team2
fi

# ---- progress is for people ----

expect 0 $label -o unwatched
checks=$((checks + 1))
! tr '\r' '\n' <.seen/stderr | grep -q ETA || fail "progress is shown where nobody watches"
if command -v script >/dev/null; then
    checks=$((checks + 1))
    # Progress is shown after two seconds: the text is made to take four, whatever the machine's speed.
    begun=$(date +%s%N)
    for i in 1 2 3 4 5 6 7 8; do cat in.txt; done >long.txt
    $coho label -q -m model -i long.txt $search --shard-lines 100 --threads 1 -o timed >/dev/null 2>&1
    copies=$((4000000000 / ($(date +%s%N) - begun) + 1))
    while [ $copies -gt 0 ]; do
        cat long.txt
        copies=$((copies - 1))
    done >watched.txt
    script -qec "$coho label -m model -i watched.txt $search --shard-lines 100 --threads 1 -o watched" /dev/null </dev/null >screen 2>&1
    tr '\r' '\n' <screen | grep -q 'labelling .*lines.*/s.*ETA' || fail "a terminal is shown no progress: $(tail -c 300 screen)"
fi

# ---- what the input may be ----

# Scores are compared but for their last digit, which may depend on what shared a batch.
texts()
{
    cut -f 1,4,5 "$1/nbest.tsv"
}
texts whole >texts
for pack in gzip zstd xz; do
    command -v $pack >/dev/null || continue
    $pack -c <in.txt >in.$pack
    rm -rf compressed
    expect 0 "$coho" label -q -m model -i in.$pack $search --shard-lines 400 -o compressed
    texts compressed | cmp -s - texts || fail "text packed by $pack is labelled otherwise"
done
head -n 333 in.txt >one.txt
tail -n +334 in.txt | gzip >two.gz
: >none.txt
expect 0 "$coho" label -q -m model -i one.txt none.txt two.gz $search -o several
texts several | cmp -s - texts || fail "several files are labelled otherwise"
expect 0 "$coho" label -o several --check
{ head -n 3 in.txt; printf 'a \377 dog\n'; printf 'a \000 dog\n'; awk 'BEGIN { for (i = 0; i < 4000; i++) printf "dog "; print "" }'
  tail -n 2 in.txt; } >odd.txt
expect 0 "$coho" label -m model -i odd.txt --beam 1 --max-length 5 --long-lines refuse --max-source 100 -o odd
[ "$(wc -l <odd/best.txt)" = 8 ] || fail "odd lines are lost"
[ "$(cut -f 4 odd/nbest.tsv | sed -n 4,6p | tr '\n' ' ')" = "u u l " ] || fail "odd lines are not marked"
stderr_has '2 lines are marked u (bad_text)'
expect 0 "$coho" label -m model -i odd.txt --beam 1 --max-length 5 --max-source 100 -o cut
sed -n 6p cut/nbest.tsv | cut -f 4 | grep -q t || fail "a line that was cut is not marked"
refused 1 'odd.txt:4' "$coho" label -m model -i odd.txt --bad-text refuse -o strict

# ---- given translations ----

sed 's/a/o/g' in.txt >given.txt
expect 0 "$coho" label -q -m model model -i in.txt -t given.txt --soft-targets top-p --soft-p 0.5 -o given
cmp -s given/best.txt given.txt || fail "given translations have changed"
"$coho" score -q -m model -s in.txt -t given.txt >scores
cut -f 3 given/nbest.tsv | paste - scores | awk '{ d = $1 - $2; if (d > 0.01 || d < -0.01) exit 1 }' \
    || fail "given translations are scored otherwise than by coho score"
head -n 899 given.txt >short.txt
refused 1 "'short.txt' ends after 899 lines, 'in.txt' does not" "$coho" label -m model -i in.txt -t short.txt -o short

# ---- ensembles with weights ----

expect 0 "$coho" train $tiny --arch lstm -o lstm
expect 0 "$coho" label -q -m model lstm --weights 3 1 --average log -i one.txt --beam 2 -o ensemble
file_has ensemble/labels.json '"weight": 3.0'
expect 0 "$coho" translate -q -m model lstm --weights 3 1 --average log -i one.txt --beam 2 -o ensemble.txt
cmp -s ensemble/best.txt ensemble.txt || fail "an ensemble labels otherwise than it translates"
refused 1 '1 numbers for 2 models' "$coho" label -m model lstm --weights 3 -i one.txt -o weights
refused 1 "--weights: '0' is not a number above 0" "$coho" label -m model lstm --weights 3 0 -i one.txt -o weights
refused 1 "holds the labels of 'model' (fingerprint [0-9a-f]*), not of 'lstm' (fingerprint" "$coho" label -m lstm -i in.txt $search --shard-lines 25 --soft-targets top-k --soft-k 3 -o whole

# ---- training from what was kept ----

# losses FOLDER: of the updates, four digits each.
losses()
{
    grep -o '"loss":[0-9.]*' "$1/log.jsonl" | cut -c 8-13
}
kd="$tiny --max-updates 12 --log-every 1 --dropout 0 --objective word-kd --alpha 0.7"
expect 0 "$coho" train $tiny --max-updates 40 -o wise
expect 0 "$coho" label -q -m wise lstm --weights 2 1 -i source.txt -t target.txt --soft-targets top-k --soft-k 65535 -o kept_all
expect 0 "$coho" train $kd --soft-targets kept_all/soft -o from_store
expect 0 "$coho" train $kd --teacher wise lstm --teacher-weights 2 1 -o from_teacher
losses from_store >store.losses
losses from_teacher | paste - store.losses | awk '{ d = $1 - $2; if (d > 0.003 || d < -0.003) exit 1; n++ } END { exit n < 12 }' \
    || fail "a store of everything teaches otherwise than its teachers"
file_has from_store/lineage.json '"teachers": \['
sed 5d source.txt >fewer.src
sed 5d target.txt >fewer.trg
expect 0 "$coho" train $kd -s fewer.src -t fewer.trg --soft-targets kept_all/soft -o from_fewer
sed '9s/.*/something else/' target.txt >other.trg
expect 1 "$coho" train $kd -t other.trg --soft-targets kept_all/soft -o other
stderr_has "made from another corpus ('source.txt', .*its pair 9 is not"
expect 0 "$coho" vocab source.txt target.txt -o own.spm --size 60 --soft-limit
expect 1 "$coho" train $kd -v own.spm --soft-targets kept_all/soft -o other
stderr_has 'number the source pieces by the vocabulary of their teacher'
expect 2 "$coho" train $kd -o none
stderr_has 'needs --teacher or --soft-targets'
# Teachers that are named as well do not run along: they must be those that were asked.
expect 0 "$coho" train $kd --teacher wise lstm --teacher-weights 2 1 --soft-targets kept_all -o from_both
expect 0 cmp from_store/model.safetensors from_both/model.safetensors
expect 1 "$coho" train $kd --teacher wise --soft-targets kept_all -o none
stderr_has "'kept_all/soft' were made by 2 teachers ('wise', fingerprint [0-9a-f]*), not by the 1 of 'wise'"
expect 1 "$coho" train $kd --teacher wise model --soft-targets kept_all -o none
stderr_has "were made by 2 teachers ('wise', .*not by the 2 of 'wise', 'model' (fingerprint"
expect 1 "$coho" train $kd --teacher wise lstm --soft-targets kept_all -o none
stderr_has "made by 'wise', 'lstm' in another order, or with other weights or another mean"
expect 1 "$coho" train $kd --teacher wise lstm --teacher-weights 2 1 --teacher-mean geometric --soft-targets kept_all -o none
stderr_has 'another mean'
expect 0 "$coho" label -q -m wise -i source.txt -t target.txt --soft-targets top-k --soft-k 4 -o four
expect 1 "$coho" train $kd --objective kd-topk --k 5 --soft-targets four -o none
stderr_has "kd-topk: k is 5, and soft targets 'four/soft' keep 4 pieces a token"
expect 0 "$coho" train $kd --objective kd-topk --k 4 --max-updates 1 --soft-targets four -o top_four
refused 2 'kd-sim needs the teacher itself' "$coho" train $kd --objective kd-sim --soft-targets four -o none
expect 2 "$coho" train $tiny --soft-targets kept_all/soft -o none
stderr_has 'takes neither'
expect 2 "$coho" train $tiny --objective word-dk --teacher wise -o none
stderr_has "did you mean 'word-kd'"

# In a recipe: the stage that keeps, and the stage that learns.
cat >recipe.yml <<'END'
name: kept
stages:
  corpus: { kind: corpus, source: in.txt, target: given.txt, source-lang: a, target-lang: b, dev: 40, test: 40 }
  vocabulary: { kind: vocabulary, corpus: corpus, size: 90, soft-limit: true }
  teacher: { kind: train, corpus: corpus, vocabulary: vocabulary, dim: 16, ffn: 32, heads: 2, encoder-layers: 1,
             decoder-layers: 1, max-updates: 3, batch-tokens: 300 }
  soft: { kind: label, model: teacher, corpus: corpus, gold: true, soft-targets: top-p, soft-p: 0.8, shard-lines: 100 }
  student: { kind: train, corpus: soft, vocabulary: vocabulary, soft-targets: true, objective: word-kd, dim: 16,
             ffn: 32, heads: 2, encoder-layers: 1, decoder-layers: 1, max-updates: 3, batch-tokens: 300 }
END
expect 0 "$coho" distill recipe.yml -o run --threads 1
file_has run/student/lineage.json '"labelled_with": "soft targets of gold"'
sed 's/corpus: soft,/corpus: corpus,/' recipe.yml >wrong.yml
refused 1 "the corpus 'corpus' has none" "$coho" distill wrong.yml -o wrong -q

finish
