# coho distill and coho report: a whole recipe on a toy language.  $1: the coho program.
. "$(dirname "$0")/lib.sh"

recipe=$here/distill.yml

toy_lines=700
. "$here/toy.sh"

# Usage.
expect 2 "$coho" distill
stderr_has 'which recipe?'
expect 2 "$coho" distill a b
stderr_has "one too many"
expect 2 "$coho" distill --dryrun x.yml
stderr_has "did you mean '--dry-run'?"
expect 0 "$coho" distill --help
stdout_has '--dry-run'
expect 1 "$coho" distill nowhere.yml
stderr_is_one_line
stderr_has 'nowhere.yml'
expect 1 "$coho" report nowhere
stderr_is_one_line
expect 2 "$coho" report

# Mistakes in a recipe name the line and the nearest name; nothing is made.
sed 's/batch-tokens/batch-tokns/' "$recipe" >wrong.yml
expect 1 "$coho" distill wrong.yml -o wrong
stderr_is_one_line
stderr_has "wrong.yml:27: unknown key 'batch-tokns' in stage 'teacher' (kind train), did you mean 'batch-tokens'?"
sed 's/objective: word-kd/objective: word-dk/' "$recipe" >wrong.yml
expect 1 "$coho" distill wrong.yml -o wrong
stderr_has "unknown objective 'word-dk', did you mean 'word-kd'?"
sed 's/ teacher: teacher, alpha/ alpha/' "$recipe" >wrong.yml
expect 1 "$coho" distill wrong.yml -o wrong
stderr_has "objective word-kd needs a 'teacher'"
expect 1 "$coho" distill "$recipe" -o wrong --set teacher.learning-rate=50
stderr_has 'out of range'
stderr_has '--set teacher.learning-rate=50'
expect 1 "$coho" distill "$recipe" -o wrong --set corpus.source=absent.txt
stderr_has "cannot read absent.txt"
[ ! -e wrong/corpus ] || fail "a refused recipe left a folder"

# A dry run before anything is done.
expect 0 "$coho" distill "$recipe" -o run --dry-run
stdout_has '15 of 15 stages to run'
stdout_has '^baseline .*after corpus'
! grep -q unknown .seen/stdout || fail "a first dry run does not know what some stage will take"
[ ! -e run ] || fail "a dry run made a folder"

# The whole recipe.
expect 0 "$coho" distill "$recipe" -o run --threads 2
stdout_has '^seq_inter '
stderr_has 'table: done in'
for row in teacher baseline word_kd seq_kd seq_inter; do
    file_has run/table.json "\"$row\": {"
done
for key in parameters bleu_greedy bleu_beam5 chrf_greedy chrf_beam5 perplexity mode_share \
           words_per_s_greedy words_per_s_beam5 train_seconds; do
    [ "$(grep -c "\"$key\": [0-9]" run/table.json)" = 5 ] || fail "table.json lacks $key"
done
[ "$(grep -c '": [0-9]' run/table.json)" = 50 ] || fail "table.json has more than its keys"
[ -s run/report.html ] || fail "there is no page"
file_has run/seq_kd/lineage.json '"labelled_with": "beam search"'
file_has run/word_kd/lineage.json '"alpha": 0.5'
file_has run/seq_inter/lineage.json '"start": {'
[ ! -e run/teacher/checkpoints ] || fail "checkpoints stay behind"
[ "$(wc -l <run/labels/train.src)" = "$(wc -l <run/labels/train.trg)" ] || fail "labels out of line"
cp run/table.json table.json

# Finished, it does nothing, and shows the table again.
expect 0 "$coho" distill "$recipe" -o run --threads 1
stdout_has '^seq_inter '
stderr_is ''
expect 0 cmp table.json run/table.json
expect 0 "$coho" distill "$recipe" -o run --dry-run
stdout_has 'all 15 stages are done'

# A changed option reaches what depends on it and nothing else.
expect 0 "$coho" distill "$recipe" -o run --dry-run --set seq_inter.max-updates=10
stdout_has '^seq_kd .* done'
stdout_has '^seq_inter .* max-updates: 10, was 20'
stdout_has '^seq_inter_scores .* after seq_inter'
stdout_has '3 of 15 stages to run'

# The page alone.
rm run/report.html
expect 0 "$coho" report run
stdout_is 'run/report.html'
file_has run/report.html '<td>seq_inter</td>'
file_has run/report.html 'Words a line'
expect 0 "$coho" report run/teacher
file_has run/teacher/report.html 'Dev NLL over updates'
rm run/teacher/report.html

# Killed in the middle of a training and run again, it ends with the same table.
"$coho" distill "$recipe" -o killed --threads 2 2>/dev/null >/dev/null &
wait_for 'killed/teacher/checkpoints/update-*'
kill -9 $!
wait $! 2>/dev/null
[ ! -e killed/table.json ] || fail "the run was over before it could be killed"

# Asked to stop, it saves, says how to go on, and does not leave a lock behind.
"$coho" distill "$recipe" -o killed --threads 2 2>stopped.txt >/dev/null &
wait_for killed/baseline
expect 1 "$coho" distill "$recipe" -o killed
stderr_has 'killed is in use by another run, process'
kill -TERM $!
wait $!
[ $? = 1 ] || fail "a stopped run ends with another status than 1"
file_has stopped.txt 'stopped; the same command goes on from here'

expect 0 "$coho" distill "$recipe" -o killed --threads 2
same_figures() { grep -v 'words_per_s\|train_seconds' "$1"; }
same_figures table.json >first
same_figures killed/table.json >second
expect 0 diff first second

# The gap between a teacher and a student; a model has none to itself.
texts="-s run/corpus/test.src -t run/corpus/test.trg --train-source run/corpus/train.src --train-target run/corpus/train.trg"
expect 0 "$coho" gap --teacher run/teacher --student run/seq_kd $texts --distilled run/labels/train.trg \
    --distilled-source run/labels/train.src --html gap.html --samples 100
stdout_has '^BLEU, beam .* [01]\.[0-9]*$'
stdout_has '^by the length of the source: gold'
stdout_has '^by how often the piece was seen in training: outputs of beam search'
stdout_has '^by how often the gold piece was seen in training'
file_has gap.html '<h2>Calibration</h2>'
stdout_has '^distilled corpus: complexity '
expect 0 "$coho" gap --teacher run/teacher run/baseline --teacher-weights 2 1 --student run/seq_kd -q --json --samples 10 \
    -s run/corpus/test.src -t run/corpus/test.trg
stdout_has '"calibration_error": [0-9]'
TMPDIR=nowhere refused 1 'cannot write nowhere/coho-gap-' "$coho" gap --teacher run/teacher --student run/seq_kd -q --samples 10 \
    -s run/corpus/test.src -t run/corpus/test.trg
expect 0 "$coho" gap --teacher run/teacher --student run/teacher $texts --distilled run/corpus/train.trg --json
stdout_has '"exact": 1.0'
stdout_has '"faithfulness": -*0.0,*$'
grep -q '"divergence": [^-0-9e.]*-*[0-9.]*[1-9][0-9]*[,}]*$' .seen/stdout && grep '"divergence"' .seen/stdout | grep -qv '0.0$\|e-' &&
    fail "a model diverges from itself"
expect 1 "$coho" gap --teacher run/teacher --student run/seq_kd -s run/corpus/test.src -t run/corpus/train.trg
stderr_has 'they must be aligned line by line'
expect 1 "$coho" gap --teacher run/teacher --student run/seq_kd -s run/corpus/test.src -t run/corpus/test.trg --distilled x
stderr_has '[-][-]distilled needs --train-source and --train-target'

# What cannot be compared is told before anything is decoded, and no output is left half written.
pair="$coho gap --teacher run/teacher --student run/seq_kd -q --samples 10"
test="-s run/corpus/test.src -t run/corpus/test.trg"
printf '\n\n' >blank
: >nothing
refused 1 "'blank' and 'blank': there are no sentences to compare on: every line has an empty side" $pair -s blank -t blank
refused 1 "'nothing' and 'nothing': there are no sentences to compare on$" $pair -s nothing -t nothing
refused 1 "'blank' holds no text: it is to tell how often" $pair $test --train-target blank
refused 1 "'blank' holds no text" $pair $test --train-source run/corpus/train.src --train-target run/corpus/train.trg \
    --distilled blank --distilled-source blank
refused 1 'cannot read missing' $pair $texts --distilled missing
refused 2 'go with --distilled, which is missing' $pair $test --distilled-source run/labels/train.src
refused 1 'cannot write nowhere/gap.html: there is no folder nowhere' $pair $test --html nowhere/gap.html
refused 1 'the gap is that of greedy and of beam search: leave out sampling' $pair $test --sampling
refused 1 'leave out sampling, mbr and n-best' $pair $test --n-best 3 --mbr bleu
expect 0 $pair $test --beam 4 --beam-groups 2
no_partial_files

# The same as a stage.
cat >gap.yml <<EOF
$(cat "$recipe")
  gap: { kind: gap, teacher: [teacher, baseline], student: seq_kd, corpus: corpus, distilled: labels, samples: 100 }
EOF
expect 0 "$coho" distill gap.yml -o run --stage gap -q
file_has run/gap/gap.html '<title>seq_kd beside teacher</title>'
file_has run/gap/gap.json '"by_frequency"'
file_has run/gap/gap.txt '^distilled corpus: complexity '
file_has run/gap/manifest.json '"bleu_beam_gap": [-0-9]'

# Pruned, and trained again with its zeros kept; a start without zeros has none to keep.
cat >pruned.yml <<EOF
$(cat "$recipe")
  pruned: { kind: prune, model: teacher, share: 0.6 }
  retrained: { like: teacher, seed: 4, start: pruned, keep-zeros: true, max-updates: 20 }
  unpruned: { like: retrained, start: teacher }
EOF
expect 0 "$coho" distill pruned.yml -o run --stage retrained
expect 1 "$coho" distill pruned.yml -o run --stage unpruned -q
stderr_has 'keep-zeros: no weight is zero'
zeros=$(sed -n 's/.*"zeros": \([0-9]*\).*/\1/p' run/pruned/manifest.json)
expect 0 "$coho" model prune run/retrained --share 0 -o again      # nothing more; tells how many there are
[ "$(tr -d , <.seen/stderr | sed -n 's/^\([0-9]*\) of .* weights in matrices are zero.*/\1/p')" = "$zeros" ] ||
    fail "not the $zeros zeros that there were: $(cat .seen/stderr)"
stderr_has '^warning: a share of 0 prunes nothing: 60.0% of the weights in matrices are zero already; take a larger one'
expect 0 "$coho" model prune run/retrained --share 0.3 -o again
stderr_has '^warning: a share of 0.3 prunes nothing'
expect 0 "$coho" model prune run/retrained --share 0.7 -o again
grep -q warning .seen/stderr && fail "a warning where something was pruned"
refused 1 "keep-zeros: no weight of 'run/teacher' is zero; prune it first" "$coho" train --start run/teacher --keep-zeros \
    -s run/corpus/train.src -t run/corpus/train.trg -o unpruned --max-updates 1
refused 2 'keep-zeros: the zeros are those of the model to start from' "$coho" train -v run/vocabulary/joint.spm --keep-zeros \
    -s run/corpus/train.src -t run/corpus/train.trg -o unpruned --max-updates 1
absent unpruned
sed 's/start: pruned, keep/keep/' pruned.yml >wrong.yml
refused 1 'keep-zeros: the zeros are those of the model to start from' "$coho" distill wrong.yml -o run --stage retrained

# The zeros shrink the file; the models that come of it are the same; export writes them out again.
size() { wc -c <"$1/model.safetensors"; }
fingerprint() { "$coho" model info "$1" --json | sed -n 's/^  "fingerprint": "\(.*\)",/\1/p'; }
[ $(($(size run/pruned) * 2)) -lt "$(size run/teacher)" ] || fail "a pruned model is as large as the whole one"
expect 0 "$coho" model info run/pruned
stdout_has '^model.safetensors: [0-9,]* bytes, float32, zeros packed; 4[0-9]\.[0-9]% of the weights are not zero$'
expect 0 "$coho" model info run/teacher
stdout_has '^model.safetensors: [0-9,]* bytes, float32$'
expect 0 "$coho" model export run/pruned -o plain
stderr_has "as float32, are in 'plain/model.safetensors'"
[ "$(size plain)" -eq "$(size run/teacher)" ] || fail "a plain file is not as large as the whole model's"
[ "$(fingerprint plain)" = "$(fingerprint run/pruned)" ] || fail "a plain file holds another model"
expect 0 "$coho" translate -m run/pruned -i run/corpus/test.src -o packed.out -q
expect 0 "$coho" translate -m plain -i run/corpus/test.src -o plain.out -q
expect 0 cmp packed.out plain.out
expect 1 "$coho" model export run/pruned -o run/pruned
expect 2 "$coho" model prune run/teacher --share 1.5 -o again
expect 1 "$coho" model prune run/teacher -o run/teacher

# Several seeds: what hangs on chance once each, one row of means and deviations.
sed 's/^seed: 3/seeds: [1, 2]/; s/^  teacher:$/&\n    seed: 3/; s/baseline: { like: teacher,/& seed: null,/' "$recipe" >seeds.yml
expect 0 "$coho" distill seeds.yml -o seeds --threads 2
stdout_has '^baseline .* ±'
! grep -q '^teacher .* ±' .seen/stdout || fail "a teacher with a seed of its own varies"
stdout_has 'standard deviation over 2 seeds'
file_has table.json '"bleu_greedy": '
file_has seeds/table.json '"bleu_greedy_sd": '
[ -d seeds/labels ] && [ -d seeds/seq_kd@2 ] && [ ! -e seeds/seq_kd ] || fail "the wrong stages were run once a seed"
sed 's/^seed: 3/seeds: [1, 1]/' "$recipe" >wrong.yml
expect 1 "$coho" distill wrong.yml -o wrong
stderr_has "wrong.yml:3: 'seeds' is a list of different whole numbers"

# A teacher of another vocabulary cannot teach words.
cat >mismatch.yml <<EOF
stages:
$(sed -n '/^  corpus:/,$p' "$recipe" | sed "s/\${size}/48/")
  other_vocabulary: { like: vocabulary, size: 40 }
  other_teacher: { like: teacher, vocabulary: other_vocabulary, max-updates: 10 }
  mismatch: { like: word_kd, teacher: other_teacher }
EOF
expect 1 "$coho" distill mismatch.yml -o mismatch --stage mismatch -q
stderr_is_one_line
stderr_has "stage 'mismatch'"
stderr_has 'vocabular'
stderr_has 'sequence-level distillation'
[ ! -e mismatch ] || fail "it was told only after something had run"

finish
