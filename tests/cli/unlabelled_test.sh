# Unlabelled text: lines that are made up, and targets that are wrong on purpose.  $1: the coho program.
. "$(dirname "$0")/lib.sh"

. "$here/toy.sh"

# coho corpus corrupt: so many targets change places.
expect 0 "$coho" corpus corrupt toy.trg -o wrong.trg --share 0.4 --json
stdout_has '"moved": 160'
expect 0 sh -c 'sort toy.trg >a; sort wrong.trg | cmp - a'
checks=$((checks + 1))
moved=$(paste -d '|' toy.trg wrong.trg | awk -F '|' '$1 != $2' | wc -l)
[ "$moved" -gt 150 ] && [ "$moved" -le 160 ] || fail "$moved lines differ"
refused 2 'there is one input at most' "$coho" corpus corrupt toy.src toy.trg -o x
refused 1 'toy.trg' "$coho" corpus corrupt toy.trg -o toy.trg

# coho corpus munge: new lines of old words.
expect 0 "$coho" corpus munge toy.src -o made.src --copies 2 --replace 0.5 --originals
stdout_has '^lines made *1200$'
checks=$((checks + 1))
[ "$(wc -l <made.src)" -eq 1200 ] || fail "made.src has not 1200 lines"
expect 0 sh -c "tr ' ' '\n' <toy.src | sort -u >words; tr ' ' '\n' <made.src | sort -u | cmp - words"
refused 2 'replace' "$coho" corpus munge toy.src -o x --replace 2

# Text without translations is a corpus that waits for labels: made more of, chosen from, labelled.
tr a e <toy.src | sort -u >mono.src
cat >mono.yml <<'END'
name: mono
stages:
  corpus: { kind: corpus, source: toy.src, target: toy.trg, dev: 30, test: 30 }
  vocabulary: { kind: vocabulary, corpus: corpus, size: 48, train-threads: 2 }
  mono: { kind: corpus, source: mono.src, side: source }
  more: { kind: munge, corpus: mono }
  new: { kind: novelty, corpus: corpus, candidates: mono, vocabulary: vocabulary, width: 32, epochs: 1 }
  model: { kind: train, corpus: corpus, vocabulary: vocabulary, dim: 32, ffn: 64, heads: 2, encoder-layers: 1,
           decoder-layers: 1, batch-tokens: 300, learning-rate: 0.005, warmup: 20, max-updates: 60, unlabelled: mono, mixing-weights: [1, 0] }
  labelled: { kind: label, model: model, corpus: new, beam: 1 }
END
expect 0 "$coho" distill mono.yml -o mono --threads 2
expect 0 cmp mono.src mono/mono/train.src
checks=$((checks + 1))
[ "$(wc -l <mono/mono/train.trg)" -eq "$(wc -l <mono.src)" ] && ! grep -q . mono/mono/train.trg || fail "targets are not as many empty lines"
absent mono/mono/dev.src
file_has mono/labelled/corpus.json '"source": "../corpus/dev.src"'
sed 's/source: mono.src, side: source/source: mono.src/' mono.yml >wrong.yml
refused 1 "'mono': target is missing beside 'mono.src'; of text without translations say side: source" "$coho" distill wrong.yml -o x
sed 's/side: source/side: target/' mono.yml >wrong.yml
refused 1 "label, with .monolingual. and direction: back" "$coho" distill wrong.yml -o x
sed 's/side: source/&, dev-source: toy.src, dev-target: toy.trg/' mono.yml >wrong.yml
refused 1 'text without translations, which has no dev and test sets' "$coho" distill wrong.yml -o x
absent x

# Both as stages of a recipe: a teacher labels what was made up.
cat >recipe.yml <<'END'
name: unlabelled
seed: 3
stages:
  corpus: { kind: corpus, source: toy.src, target: toy.trg, dev: 30, test: 30 }
  vocabulary: { kind: vocabulary, corpus: corpus, size: 48, train-threads: 2 }
  teacher:
    kind: train
    corpus: corpus
    vocabulary: vocabulary
    dim: 32
    ffn: 64
    heads: 2
    encoder-layers: 1
    decoder-layers: 1
    batch-tokens: 300
    learning-rate: 0.005
    warmup: 20
    max-updates: 60
  wrong: { kind: corrupt, corpus: corpus, share: 0.4 }
  misled: { like: teacher, corpus: wrong, max-updates: 4 }
  made: { kind: munge, corpus: corpus, copies: 2 }
  labelled: { kind: label, model: teacher, corpus: made, beam: 2 }
  student: { like: teacher, corpus: labelled, max-updates: 4 }
  turned: { kind: corpus, source: toy.trg, target: toy.src, dev: 30, test: 30 }
  new: { kind: novelty, corpus: corpus, candidates: made, vocabulary: vocabulary, foreign: turned, width: 64 }
  meta:
    kind: train-meta
    corpus: corpus
    unlabelled: made
    vocabulary: vocabulary
    teacher: teacher
    dim: 16
    ffn: 32
    heads: 2
    encoder-layers: 1
    decoder-layers: 1
    batch-tokens: 300
    max-updates: 400
    save-every: 3
  plain: { like: teacher, dim: 16, ffn: 32, max-updates: 20, validate-every: 5 }
  silent: { like: plain, unlabelled: made, mixing-weights: [1, ramp 0 3 20 40] }
  pseudo:
    like: teacher
    start: teacher
    max-updates: 120
    validate-every: 40
    save-every: 3
    unlabelled: [made, corpus]
    mixing-weights: [1, ramp 0 3 20% 80%, 1]
  pseudo_kd: { like: pseudo, objective: word-kd, teacher: teacher, max-updates: 6, mixing-weights: [1, 2, 0] }
  tuned: { like: teacher, start: meta, dim: 16, ffn: 32, max-updates: 4 }
  matched:
    kind: match
    corpus: corpus
    teacher: teacher
    dim: 16
    ffn: 32
    heads: 2
    encoder-layers: 1
    decoder-layers: 1
    batch-tokens: 300
    updates: 6
  after: { like: tuned, start: matched }
  areas: { kind: figures, rows: { new lines: new, made: made }, columns: [auc_foreign, lines] }
  scores: { kind: evaluate, model: student, corpus: labelled, set: dev }
END
expect 0 "$coho" distill recipe.yml -o run --threads 2
file_has run/wrong/corpus.json '"source": "../corpus/train.src"'
file_has run/made/manifest.json '"lines": [0-9]'
file_has run/student/lineage.json '"labelled_with": "beam search"'
file_has run/misled/manifest.json '"dev_nll": [0-9]'

file_has run/new/manifest.json '"auc_shuffled": 0\.[0-9]'
file_has run/new/manifest.json '"auc_foreign": \(0\.9\|1\)'
checks=$((checks + 1))
made=$(wc -l <run/made/train.src)
[ "$(wc -l <run/new/train.src)" -eq $(((made * 95 + 50) / 100 - (made + 1) / 2)) ] || fail "not 45% of $made lines were chosen"
file_has run/areas/figures.txt '^new lines  *\(0\.9\|1\)[0-9]*  *–$'
file_has run/areas/figures.txt "^made  *–  *$made\$"
sed 's/foreign: turned, width: 64/from: 0.9, to: 0.9/' recipe.yml >wrong.yml
expect 1 "$coho" distill wrong.yml -o wrong
stderr_has 'no line lies between'

# The same from the command line.
expect 0 "$coho" corpus novelty run/corpus/train.src run/made/train.src -m run/vocabulary/joint.spm -o new.src \
    --in-domain run/corpus/dev.src --foreign run/turned/train.src --width 64 --seed 3 --scores new.scores
stdout_has '^AUC against foreign *\(0\.9\|1\)'
expect 0 cmp new.src run/new/train.src
checks=$((checks + 1))
[ "$(wc -l <new.scores)" -eq "$made" ] || fail "not every candidate has a score"
refused 1 'foreign needs --in-domain' "$coho" corpus novelty toy.src toy.src -m run/vocabulary/joint.spm -o x --foreign toy.trg
known="run/corpus/train.src toy.src -m run/vocabulary/joint.spm --epochs 1"
: >none
head -n 1 toy.src >one.src
refused 1 "'none' holds no text to learn from" "$coho" corpus novelty none toy.src -m run/vocabulary/joint.spm -o x
refused 1 "'none' holds no text to choose from" "$coho" corpus novelty toy.src none -m run/vocabulary/joint.spm -o x
refused 1 "of the 1 lines of 'one.src' none lies between" "$coho" corpus novelty toy.src one.src -m run/vocabulary/joint.spm \
    -o x --from 0.6 --to 0.7
refused 1 "'none' holds no text to measure with" "$coho" corpus novelty $known -o x --in-domain none
refused 1 'cannot read missing' "$coho" corpus novelty $known -o x --in-domain one.src --foreign missing
refused 1 'cannot write nowhere/x: there is no folder' "$coho" corpus novelty $known -o nowhere/x
refused 1 'cannot write nowhere/y: there is no folder' "$coho" corpus novelty $known -o x --scores nowhere/y
absent x
no_partial_files
refused 2 'an input is missing' "$coho" corpus novelty toy.src -m run/vocabulary/joint.spm -o x

# A teacher that learns from what its labels do to the student; a stopped training goes on to the same weights.
file_has run/meta/lineage.json '"name": "meta-pseudo-labels"'
file_has run/tuned/lineage.json '"unlabelled"'
cmp -s run/meta/teacher/model.safetensors run/teacher/model.safetensors && fail "the teacher has not learnt"
expect 0 "$coho" model info run/meta
stdout_has 'taught by teacher'
expect 0 cp -r run half
rm -r half/meta
"$coho" distill recipe.yml -o half --threads 2 2>stopped.txt >/dev/null &
wait_for 'half/meta/checkpoints/update-*'
kill -TERM $!
wait $!
[ $? = 1 ] || fail "the run was over before it could be stopped"
expect 0 "$coho" distill recipe.yml -o half --threads 2
expect 0 cmp run/meta/model.safetensors half/meta/model.safetensors
expect 0 cmp run/meta/teacher/model.safetensors half/meta/teacher/model.safetensors
sed 's/^    save-every: 3/    accumulate: 2/' recipe.yml >wrong.yml
expect 1 "$coho" distill wrong.yml -o wrong
stderr_has 'take 1, and larger batches'

# The student's own labels (Pseudo-Label): without a weight they change nothing, to the bit; with one, those
# that do not end are left out, and a stopped training goes on to the same weights.
expect 0 cmp run/plain/model.safetensors run/silent/model.safetensors
file_has run/pseudo_kd/manifest.json '"dev_nll": [0-9]'
file_has run/silent/lineage.json '"unlabelled"'
file_has run/silent/manifest.json '"labels": 0,'
file_has run/pseudo/manifest.json '"labels_left_out": [1-9]'
absent run/pseudo/train-3.ids
expect 0 cp -r run halfway
rm -r halfway/pseudo
"$coho" distill recipe.yml -o halfway --threads 2 2>stopped.txt >/dev/null &
wait_for 'halfway/pseudo/checkpoints/update-*'
kill -TERM $!
wait $!
[ $? = 1 ] || fail "the run was over before it could be stopped"
expect 0 "$coho" distill recipe.yml -o halfway --threads 2
expect 0 cmp run/pseudo/model.safetensors halfway/pseudo/model.safetensors
for folder in run halfway; do
    grep '"labels' "$folder/pseudo/manifest.json" >"$folder.labels"
done
expect 0 cmp run.labels halfway.labels
sed 's/unlabelled: made, mixing-weights: .1, ramp 0 3 20 40./unlabelled: made/' recipe.yml >wrong.yml
refused 1 'unlabelled text needs mixing-weights' "$coho" distill wrong.yml -o wrong
sed 's/ramp 0 3 20 40/0, 1/' recipe.yml >wrong.yml
refused 1 'mixing-weights has 3 numbers for 2 corpora' "$coho" distill wrong.yml -o wrong
sed 's/ramp 0 3 20 40./&, soft-targets: true/' recipe.yml >wrong.yml
refused 1 'soft-targets are of a corpus' "$coho" distill wrong.yml -o wrong

# Features matched stage by stage are where a training may start.
file_has run/matched/manifest.json '"loss_encoder_1": [0-9]'
file_has run/after/lineage.json '"name": "feature-matching"'

# Sentences must have places where positions are learned, the student's and its teacher's.
sed 's/^    updates: 6/&\n    positions: learned\n    max-positions: 200/' recipe.yml >wrong.yml
refused 1 "'matched': max-length 256: learned positions end at max-positions 200; lower" "$coho" distill wrong.yml -o wrong
sed 's/^    save-every: 3/&\n    positions: learned\n    max-positions: 200/' recipe.yml >wrong.yml
refused 1 "'meta': max-length 256: learned positions end at max-positions 200; lower" "$coho" distill wrong.yml -o wrong
for stage in matched meta; do
    sed "/^  $stage:/,/^  [a-z]/s/teacher: teacher\$/teacher: short/" recipe.yml >short.yml
    echo '  short: { like: teacher, positions: learned, max-positions: 30, max-length: 29, max-updates: 1 }' >>short.yml
    refused 1 "'$stage': max-length 256: the learned positions of 'short' end at 30; lower it" "$coho" distill short.yml -o x -q
    absent x
done

# Text of which no line fits is named.
seq 1 9 | sed 's/.*/ba be bi bo da de di do ga ge gi go ka ke ki ko ba be bi bo da de di do ga ge gi go &/' >long.src
sed 's/unlabelled: made, mixing/unlabelled: long, max-length: 25, mixing/' recipe.yml >long.yml
echo '  long: { kind: corpus, source: long.src, side: source }' >>long.yml
expect 1 "$coho" distill long.yml -o run --stage silent -q
stderr_has "'silent': 'long': no sentence to use in "

# Nobody learns from lines that no teacher has labelled.
sed 's/corpus: labelled, max-updates/corpus: made, max-updates/' recipe.yml >unlabelled.yml
expect 1 "$coho" distill unlabelled.yml -o run --stage student -q
stderr_has "stage 'student': 'corpus': 'made' has no targets"
finish
