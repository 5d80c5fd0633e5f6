# Generations of students of several tasks, what teachers said and is kept, pre-training, pseudo-labels.
# $1: the coho program.
. "$(dirname "$0")/lib.sh"

# colour: which colour stands in a text; size: how many words; same: whether two texts have one colour.
awk 'BEGIN {
    srand(7); split("red green blue", c, " "); split("cat dog cow fox hen", t, " "); split("the a my one", d, " ")
    for (i = 0; i < 460; i++) {
        colour = c[1 + int(rand() * 3)]; n = 1 + int(rand() * 4); s = ""
        for (j = 0; j < n; j++) s = s d[1 + int(rand() * 4)] " "
        s = s colour " " t[1 + int(rand() * 5)]
        if (i >= 400) { print s >"unlabelled"; continue }
        set = i < 300 ? "train" : i < 350 ? "dev" : "test"
        print colour "\t" s >("colour." set); print n + 2 "\t" s >("size." set)
        other = c[1 + int(rand() * 3)]
        print (other == colour ? "same" : "other") "\t" s "\t" "the " other " hat" >("same." set)
    }
}'
cat >recipe.yml <<'END'
name: generations
seed: 1
stages:
  colour: { kind: task, train: colour.train, dev: colour.dev, test: colour.test }
  size: { like: colour, task: regress, train: size.train, dev: size.dev, test: size.test }
  same: { like: colour, train: same.train, dev: same.dev, test: same.test, balance: repeat }
  vocabulary: { kind: vocabulary, tasks: [colour, size, same], type: bpe, size: 60 }
  born:
    kind: train-tasks
    tasks: [colour, size, same]
    vocabulary: vocabulary
    arch: lstm
    dim: 16
    encoder-layers: 1
    decoder-layers: 0
    pool: attention
    pair: compare
    word-dropout: 0.05
    batch-sentences: 32
    learning-rate: 0.02
    warmup: 10
    metric: average
    validate-every: 40
    generations: [single, multi to single, single to multi]
    single: { max-updates: 80 }
    multi: { max-updates: 200 }
    of: { same: { max-updates: 120 } }
    taught: { alpha: linear 1 0 }
    kept: true
    variants:
      fixed: { generation: single to multi, alpha: 0.5, task-patience: 1 }
  born_table: { kind: task-table, tasks: [colour, size, same], rows: born-scores }
END
stdout_lacks() { ! grep -q "$1" .seen/stdout || fail "standard output has '$1'"; }
expect 0 "$coho" distill recipe.yml -o run --dry-run
stdout_has '^born-single-to-multi  *train-tasks  *run '
stdout_has '^born-multi-colour-outputs  *task-outputs  *run  *after born-multi'
stdout_lacks 'unknown'
expect 0 "$coho" distill recipe.yml -o run --threads 2
for row in single 'multi to single' 'single to multi' fixed; do
    stdout_has "^$row  *[0-9.]*  *[0-9.]*  *[0-9.]*  *[0-9.]* *\$"
done
stdout_lacks '^multi  '
colour() { awk -v row="\"$1\":" 'index($0, row) { on = 1 } on && /"colour"/ { gsub(/[^0-9.]/, ""); print; exit }' run/table.json; }
awk -v a="$(colour single)" -v b="$(colour 'single to multi')" 'BEGIN { exit !(a > 90 && b > 90) }' || fail "too few colours are told"
grep -q '"valid_colour": *[0-9.]*, *"valid_size": *[0-9.]*, *"valid_same": *[0-9]' run/born-fixed/log.jsonl ||
    fail "the log does not tell the scores of tasks"
grep -q '"outputs": *"born-single-colour-outputs"' run/born-single-to-multi/lineage.json || fail "the lineage does not tell who taught"

# As many of each class.
cut -f1 run/same/balanced.tsv | sort | uniq -c | awk '{ n[$1]++ } END { for (i in n) k++; exit k != 1 }' || fail "classes are of unequal size"

# Kept outputs of other examples, or of other labels, are refused.
refused_born() { sed "$1" recipe.yml >changed.yml; expect 1 "$coho" distill changed.yml -o changed -q; stderr_is_one_line; stderr_has "$2"; }
refused_born 's/single to multi\]/single or multi]/' "'single or multi' is no way from model to model"
refused_born 's/of: { same:/of: { equal:/' "of: 'equal' is none of the 'tasks'"
refused_born 's/generation: single to multi, alpha/generation: single, alpha/' "'fixed' needs a 'generation' that knows all tasks"
refused_born 's/metric: average/metric: shape/' "metric: 'shape' is none of the 'tasks'"

# ---- pre-training, pseudo-labels ----

cat >more.yml <<'END'
name: more
seed: 1
stages:
  colour: { kind: task, train: colour.train, dev: colour.dev, test: colour.test, train-examples: 60 }
  others: { kind: task, task: denoise, texts: [colour], dev-examples: 10, infill: 0.4, span: 2 }
  vocabulary: { kind: vocabulary, tasks: [colour], type: bpe, size: 60 }
  restored:
    kind: train-tasks
    tasks: [others]
    vocabulary: vocabulary
    dim: 32
    ffn: 64
    heads: 2
    encoder-layers: 2
    decoder-layers: 1
    batch-sentences: 32
    learning-rate: 0.01
    warmup: 20
    validate-every: 40
    max-updates: 80
  first: { like: restored, tasks: [colour], start: restored, decoder-layers: 0, metric: colour }
  guessed: { kind: label-task, model: first, task: colour, texts: unlabelled, threshold: 0.6, balance: true }
  second: { like: first, pseudo: { colour: guessed }, pseudo-weight: ramp 0 3 20 60 }
  scores: { kind: evaluate-tasks, model: second, tasks: [colour] }
END
expect 0 "$coho" distill more.yml -o more --threads 2
grep -q '"valid_nll": *[0-9.]*' more/restored/log.jsonl || fail "restoring texts is not validated"
awk -F'\t' '{ split($2, w, " "); n++; ok += index(" " $2 " ", " " $1 " ") > 0 } END { exit !(n >= 9 && ok / n > 0.9) }' more/guessed/train.tsv ||
    fail "pseudo-labels are wrong, or too few"
cut -f1 more/guessed/train.tsv | sort | uniq -c | awk '{ n[$1]++ } END { for (i in n) k++; exit k != 1 }' || fail "pseudo-labels are not balanced"

refused_more() { sed "$1" more.yml >changed.yml; expect 1 "$coho" distill changed.yml -o changed -q; stderr_is_one_line; stderr_has "$2"; }
refused_more 's/threshold: 0.6/threshold: 1/' "no text of 'unlabelled' has"
refused_more 's/pseudo: { colour:/pseudo: { color:/' "'pseudo' names examples of 'color', which is none of the 'tasks'"
refused_more 's/texts: .colour., dev/dev/' "task: denoise takes 'texts'"
refused_more 's/model: second, tasks: .colour./model: restored, tasks: [others]/' "to restore damaged texts, which has no score"

# ---- int8 ----

expect 0 "$coho" model quantize run/born-single-to-multi -o small
expect 0 "$coho" predict -m small --task colour --examples -i colour.test -o answers
paste answers colour.test | awk -F'\t' '{ n++; ok += $1 == $2 } END { exit !(ok / n > 0.9) }' || fail "the int8 model tells too few colours"
expect 0 "$coho" predict -m small --task same --examples -i same.test -o answers
[ "$(wc -l <answers)" = 50 ] || fail "an answer a line is missing"
cut -f1 answers >one
expect 1 "$coho" predict -m small --task same -i one
stderr_has "one:1: task 'same' takes two texts, divided by a tab"

finish
