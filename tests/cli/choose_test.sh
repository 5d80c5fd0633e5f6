# Of several models, and of those that a training kept, the best by the dev set passes on.  $1: the coho program.
. "$(dirname "$0")/lib.sh"

. "$here/toy.sh"
cat >recipe.yml <<'END'
name: choose
seed: 3
stages:
  corpus: { kind: corpus, source: toy.src, target: toy.trg, dev: 30, test: 30 }
  vocabulary: { kind: vocabulary, corpus: corpus, size: 48, train-threads: 2 }
  other_vocabulary: { like: vocabulary, size: 52 }
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
    max-updates: 40
    validate-every: 10
    keep-models: 3
  small: { like: teacher, dim: 16, ffn: 32, keep-models: null }
  other: { like: small, vocabulary: other_vocabulary }
  born: { like: small, objective: word-kd, teacher: teacher, generations: 2, max-updates: 10 }
  best: { kind: choose, models: [small, teacher, born-*], corpus: corpus }
  by_chrf: { like: best, metric: chrf, validate-lines: 20, models: { one: small, two: other, three: teacher } }
  student: { like: small, objective: word-kd, teacher: best, max-updates: 3 }
  further: { like: teacher, start: best, max-updates: 3, keep-models: null }
  scores: { kind: evaluate, model: best, corpus: corpus }
END
expect 0 "$coho" distill recipe.yml -o run --threads 2
stderr_has 'chosen: .*, dev nll [0-9.]*, of 7'

# ---- what a training keeps ----

[ "$(ls run/teacher/validated | tr '\n' ' ')" = "update-20 update-30 update-40 " ] || fail "other models are kept"
absent run/small/validated
file_has run/teacher/manifest.json '"path": "validated/update-20/model.safetensors"'
expect 0 "$coho" translate -q -m run/teacher/validated/update-20 -i run/corpus/dev.src -o dev.out
best_update=$(sed -n 's/^ *"best_update": \([0-9]*\).*/\1/p' run/teacher/manifest.json)
expect 0 cmp run/teacher/model.safetensors run/teacher/validated/update-"$best_update"/model.safetensors

# ---- the choice ----

# nll_of LABEL: as the choice measured it.
nll_of() { grep -A1 "^ *\"$1\": {" run/best/choice.json | sed -n 's/.*"nll": \([0-9.]*\).*/\1/p'; }
for label in small teacher 'teacher at 20' 'teacher at 30' 'teacher at 40' born-1 born-2; do
    echo "$(nll_of "$label") $label"
done >nlls
checks=$((checks + 1))
[ "$(grep -c '^[0-9]' nlls)" = 7 ] || fail "not all models were measured"
chosen=$(sort -g nlls | sed -n '1s/^[0-9.]* //p')
file_has run/best/choice.json "\"chosen\": \"$chosen\""
file_has run/best/manifest.json "\"chosen\": \"$chosen\""
grep "chosen$" run/best/choice.txt | grep -q "^$chosen " || fail "the table marks another"
[ "$(wc -l <run/best/choice.txt)" = 9 ] || fail "the table has not a row for each"
awk -v all="$(nll_of teacher)" -v one="$(sed -n 's/^ *"dev_nll": \([0-9.]*\).*/\1/p' run/teacher/manifest.json)" 'BEGIN {
    d = all - one; exit !(d < 1e-4 && d > -1e-4) }' || fail "it is not the NLL that the training told"
checks=$((checks + 3))
expect 0 cmp run/best/model.safetensors run/"${chosen% at *}"/model.safetensors
absent run/best/dev.ids

# By name it is a teacher, a start, a model to be measured.
expect 0 "$coho" model info run/student
stdout_has 'taught by best'
stdout_has "chosen: ${chosen% at *}"
file_has run/further/lineage.json '"stage": "best"'
file_has run/scores/manifest.json '"bleu_beam5": [0-9]'

# Worse models leave the choice as it was; without the best one another is chosen.
expect 0 "$coho" distill recipe.yml -o run --dry-run
stdout_has 'all 13 stages are done'
sed 's/models: .small, teacher, born-../models: [small, born-*]/' recipe.yml >fewer.yml
expect 0 "$coho" distill fewer.yml -o run --threads 2 --stage best
file_has run/best/choice.json '"chosen": "small"'
expect 0 cmp run/best/model.safetensors run/small/model.safetensors

# ---- by a metric; vocabularies ----

best_chrf=$(sed -n 's/.*"chrf": \([0-9.]*\).*/\1/p' run/by_chrf/choice.json | sort -gr | head -n 1)
label=$(sed -n 's/^ *"chosen": "\(.*\)".*/\1/p' run/by_chrf/choice.json)
checks=$((checks + 1))
grep -A3 "^ *\"$label\": {" run/by_chrf/choice.json | grep -q "\"chrf\": $best_chrf" || fail "it is not the best by chrF"
file_has run/by_chrf/choice.json '"nll": null'
sed 's/metric: chrf/metric: nll/' recipe.yml >mixed.yml
expect 1 "$coho" distill mixed.yml -o run --stage by_chrf
stderr_has "'models': the vocabulary of 'other' is 'other_vocabulary', but that of 'small' is 'vocabulary'"
sed 's/metric: chrf/metric: chfr/' recipe.yml >wrong.yml
refused 1 "there is no metric 'chfr'" "$coho" distill wrong.yml -o wrong

# ---- from the command line ----

. "$here/tiny.sh"
head -n 5 source.txt >dev.en
head -n 5 target.txt >dev.de
kept="$tiny --dev-source dev.en --dev-target dev.de --validate-every 1 --keep-models 2"
expect 0 "$coho" train $kept -o kept --max-updates 3
[ "$(ls kept/validated | tr '\n' ' ')" = "update-2 update-3 " ] || fail "other models are kept"
expect 0 "$coho" train $kept -o kept --max-updates 5 --resume
[ "$(ls kept/validated | tr '\n' ' ')" = "update-4 update-5 " ] || fail "other models are kept after a stop"
rm -r kept/checkpoints
expect 0 "$coho" train $kept -o kept --max-updates 1
[ "$(ls kept/validated)" = update-1 ] || fail "models of an earlier training are left"
expect 1 "$coho" train $tiny --keep-models 2 -o nothing
stderr_has 'keep-models needs a validation corpus'

finish
