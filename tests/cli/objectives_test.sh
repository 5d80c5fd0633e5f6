# Every objective in a recipe, weights that change, and the student's own outputs as targets, on a toy language.
# $1: the coho program.
. "$(dirname "$0")/lib.sh"

. "$here/toy.sh"
objectives="word-kd kd-pt kd-topk kd-sim selective-kd cwtm dkpp double-distillation reverse-kl jsd skew-kl
            skew-reverse-kl tvd"
{
    cat <<'END'
name: objectives
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
  second: { like: teacher, dim: 16, ffn: 32, max-updates: 40, seed: 9 }
  student: { like: second, max-updates: 8, validate-every: 4, seed: null, teacher: teacher, objective: word-kd }
  ensemble: { like: student, teacher: [teacher, second], teacher-mean: geometric, teacher-weights: [2, 1] }
  fitted: { like: student, teacher: [teacher, second], teacher-temperature: fit }
  annealed: { like: student, alpha: linear 1 0 }
  eskd: { like: student, alpha: cut-off 0.5 50% }
  queue: { like: student, objective: selective-kd, hard-among: queue, queue: 500, share: linear 1 0.3 }
  gkd: { like: student, objective: jsd, beta: 0.1, on-policy: 0.5, on-policy-top-p: 0.9 }
  imitkd: { like: student, on-policy: exponential 0 1 200, on-policy-decoding: greedy }
  air: { like: student, objective: air, teacher: null, alpha: linear 0.2 0.8, copy-every: 2 }
  distillm:
    like: student
    objective: skew-kl
    on-policy: triggered 0.5 1 0.25
    replay-buffer: 100
    max-updates: 120
    validate-every: 10
    save-every: 3
END
    for objective in $objectives; do
        echo "  $objective: { like: student, objective: $objective }"
    done
} >recipe.yml

expect 0 "$coho" distill recipe.yml -o run --threads 2
for objective in $objectives; do
    file_has run/$objective/lineage.json "\"name\": \"$objective\""
    file_has run/$objective/manifest.json '"dev_nll": [0-9]'
done
file_has run/annealed/lineage.json '"alpha": "linear 1 0"'
file_has run/air/lineage.json '"copy-every": 2'
[ "$(grep -c '"fingerprint"' run/ensemble/lineage.json)" -ge 3 ] || fail "an ensemble's lineage lacks a teacher"
# The teacher's temperature is fitted, told, and used: a number set to it gives the same student.
fitted=$(sed -n 's/^ *"teacher_temperature": \([0-9.]*\),*/\1/p' run/fitted/manifest.json)
checks=$((checks + 1))
awk -v t="$fitted" 'BEGIN { exit !(t > 0.0625 && t < 16 && t != 1) }' || fail "the fitted temperature is '$fitted'"
file_has run/fitted/lineage.json "\"teacher-temperature\": $fitted"
awk -F '[:,]' '/"teacher_nll"/ { at = $2 } /"teacher_nll_unfitted"/ { exit !(at < $2) }' run/fitted/manifest.json ||
    fail "the fitted teacher is no better"
expect 0 cp -r run given
expect 0 "$coho" distill recipe.yml -o given --threads 2 --set fitted.teacher-temperature="$fitted" --stage fitted
expect 0 cmp run/fitted/model.safetensors given/fitted/model.safetensors
expect 0 "$coho" distill recipe.yml -o given --threads 2 --set fitted.teacher-temperature=1 --stage fitted
expect 1 cmp run/fitted/model.safetensors given/fitted/model.safetensors

expect 0 "$coho" model info run/ensemble
stdout_has 'taught by teacher'
stdout_has 'taught by second'

# A training on its own outputs that is stopped in the middle goes on to the same weights.
expect 0 cp -r run half
rm -r half/distillm
"$coho" distill recipe.yml -o half --threads 2 2>stopped.txt >/dev/null &
wait_for 'half/distillm/checkpoints/update-*'
kill -TERM $!
wait $!
[ $? = 1 ] || fail "the run was over before it could be stopped"
expect 0 "$coho" distill recipe.yml -o half --threads 2
expect 0 cmp run/distillm/model.safetensors half/distillm/model.safetensors

# From the command line.
. "$here/tiny.sh"
expect 0 "$coho" train $tiny --objective air --copy-every 1 -o air_model
grep -q 'gold alone' .seen/stderr && fail "a warning where the model of before has taught"
file_has air_model/lineage.json '"name": "air"'
refused 2 'takes neither --teacher' "$coho" train $tiny --objective air --teacher air_model -o other_model

refused 2 'copy-every 2: the training is over with update 2, before' "$coho" train $tiny --objective air --copy-every 2 -o other_model
expect 0 "$coho" train $tiny --objective air -o gold_model
stderr_has '^warning: air: gold alone has taught, since the training was over before the model was copied'

head -n 5 source.txt >dev.en
head -n 5 target.txt >dev.de
expect 0 "$coho" train $tiny --dev-source dev.en --dev-target dev.de --objective word-kd --teacher air_model \
    --teacher-temperature fit -o fit_model
stderr_has 'teacher temperature [0-9.]*: its dev NLL is [0-9.]* there, and [0-9.]* at 1'
file_has fit_model/lineage.json '"teacher-temperature": [0-9]'
refused 2 "teacher-temperature: 'warm' is neither fit nor a number" "$coho" train $tiny --objective word-kd \
    --teacher air_model --teacher-temperature warm -o other_model
expect 1 "$coho" train $tiny --objective word-kd --teacher air_model --teacher-temperature fit -o no_dev
stderr_has 'fit needs a dev set'

# A course that would never move is refused, and one that moves too late is told.
refused 2 "label-smoothing: 'triggered 0 0.1 0.5' follows the dev loss, and there is no validation corpus" "$coho" train $tiny \
    --label-smoothing 'triggered 0 0.1 0.5' -o other_model
refused 2 "mixing-weights: 'triggered 0 1 0.5' follows the dev loss" "$coho" train $tiny --also-source dev.en \
    --also-target dev.de --mixing-weights 1 'triggered 0 1 0.5' -o other_model
refused 2 "label-smoothing: 'linear 0 0.1' goes with the share" "$coho" train $tiny --label-smoothing 'linear 0 0.1' \
    --dev-source dev.en --dev-target dev.de --max-updates 0 --patience 2 -o other_model
absent other_model
expect 0 "$coho" train $tiny --label-smoothing 'ramp 0 0.1 100 200' -o late_model
stderr_has "^warning: label-smoothing: 'ramp 0 0.1 100 200' stays as it is until update 100, and the training ends with update 2$"
expect 0 "$coho" train $tiny --label-smoothing 'triggered 0 0.1 0.5' --dev-source dev.en --dev-target dev.de -o followed_model

# What cannot be, said before anything runs.
wrong() {       # wrong STAGE-KEYS MESSAGE
    sed "s/^  annealed: .*/  annealed: { like: student, $1 }/" recipe.yml >wrong.yml
    expect 1 "$coho" distill wrong.yml -o wrong
    stderr_is_one_line
    stderr_has "$2"
    [ ! -e wrong ] || fail "a refused recipe left a folder"
}
wrong 'alpha: linaer 1 0' "did you mean 'linear'"
wrong 'alpha: ramp 0 3 10 20' "3 is out of range 0 … 1"
wrong 'objective: kd-sim, on-policy: 0.5' "has no word of a teacher on the student's own outputs"
wrong 'objective: cross-entropy, on-policy: 1, teacher: null' "has no word of a teacher"
wrong 'on-policy: 0.5, on-policy-decoding: greedy, on-policy-top-k: 5' 'say how to sample, but on-policy-decoding is greedy'
wrong 'on-policy: 0.5, replay-fresh: 0.5' 'say how much it keeps by replay-buffer'
wrong 'on-policy: 0.5, replay-buffer: 10, replay-fresh: cut-off 0 3' 'let some be made afresh'
wrong 'alpha: linear 1 0, max-updates: 0, patience: 3' "alpha: 'linear 1 0' goes with the share of the training that is done"
wrong 'mixing-weights: [ramp 0 1 10% 20%], max-updates: 0, patience: 3' "mixing-weights: 'ramp 0 1 10% 20%' goes with"
wrong 'objective: air, teacher: null, copy-every: 8' 'before there is a model of before to learn from'
wrong 'objective: air' "takes no 'teacher'"
wrong 'teacher-weights: [1, 2]' "teacher-weights has 2 numbers for 1 models: give one each"
wrong 'teacher-weights: -1' "'-1' is not a number above 0"
wrong 'objective: kd-sim, teacher-temperature: fit' "objective kd-sim has no teacher's distributions"
wrong 'teacher-temperature: 0' "neither fit nor a number"
wrong 'teacher-temperature: fit, teacher: null, soft-targets: true' "with soft-targets give a number"
wrong 'objective: kd-sim, teacher: [teacher, second]' 'kd-sim takes one teacher'
wrong 'objective: kd-sim, teacher: null, soft-targets: true' 'kd-sim needs the teacher itself'
wrong 'objective: kd-topk, tail: bucket, teacher: null, soft-targets: true' 'kd-topk knows no tail in a bucket'
wrong 'alpha: exponential 0 1 1' '1 is not more than 1; wanted: exponential FROM TO BASE'
wrong 'alpha: triggered 0 1 0' '0 is not more than 0'
wrong 'objective: kd-topk, k: 0' "out of range"
wrong 'objective: kd-tokp' "did you mean 'kd-topk'"

finish
