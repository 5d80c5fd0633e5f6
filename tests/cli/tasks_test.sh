# Students of several tasks by a recipe, and coho predict.  $1: the coho program.
. "$(dirname "$0")/lib.sh"

# Texts of 12 words.  colour: which colour stands in it; order: whether the second text is the
# first one turned around; size: how many words; tags: colours and things.
awk 'BEGIN {
    srand(5); split("red green blue", c, " "); split("cat dog cow fox hen", t, " "); split("the a my one", d, " ")
    for (i = 0; i < 500; i++) {
        colour = c[1 + int(rand() * 3)]; thing = t[1 + int(rand() * 5)]; n = 1 + int(rand() * 4); s = g = ""
        for (j = 0; j < n; j++) { s = s d[1 + int(rand() * 4)] " "; g = g "O " }
        s = s colour " " thing; g = g "B-COLOUR B-THING"
        set = i < 400 ? "train" : i < 450 ? "dev" : "test"
        print colour "\t" s >("colour." set); print g "\t" s >("tags." set); print n + 2 "\t" s >("size." set)
        other = c[1 + int(rand() * 3)]
        print (other == colour ? "same" : "other") "\t" s "\t" "the " other " hat" >("pair." set)
    }
}'
cat >recipe.yml <<'END'
name: tasks
seed: 1
stages:
  colour: { kind: task, train: colour.train, dev: colour.dev, test: colour.test }
  tags: { like: colour, task: tag, train: tags.train, dev: tags.dev, test: tags.test }
  size: { like: colour, task: regress, train: size.train, dev: size.dev, test: size.test }
  pair: { like: colour, train: pair.train, dev: pair.dev, test: pair.test }
  vocabulary: { kind: vocabulary, tasks: [colour, tags, size, pair], type: bpe, size: 60 }
  one:
    kind: train-tasks
    tasks: [colour]
    vocabulary: vocabulary
    dim: 32
    ffn: 64
    heads: 2
    encoder-layers: 2
    decoder-layers: 0
    batch-sentences: 32
    learning-rate: 0.01
    warmup: 20
    validate-every: 50
    max-updates: 150
  lstm: { like: one, arch: lstm, pool: attention, head-layer: true, dim: 16, encoder-layers: 1 }
  all:
    like: one
    tasks: [colour, tags, size, pair]
    teachers: { colour: one }
    alpha: linear 1 0
    max-updates: 400
  one_scores: { kind: evaluate-tasks, model: one, tasks: [colour] }
  all_scores: { kind: evaluate-tasks, model: all, tasks: [colour, tags, size, pair] }
  table: { kind: task-table, tasks: [colour, tags, size, pair], rows: { one: [one_scores], all: all_scores } }
END
expect 0 "$coho" distill recipe.yml -o run --dry-run
expect 0 "$coho" distill recipe.yml -o run --threads 2

stdout_has '^one  *100.00 '
stdout_has '^all  *[0-9.]*  *[0-9.]*  *[0-9.]*  *[0-9.]*  *[0-9.]* *$'
awk '/"all"/ { on = 1 } on && /"tags"/ { gsub(/[^0-9.]/, ""); exit !($0 + 0 > 90) }' run/table.json || fail "few spans are found"
[ "$(wc -l <run/all_scores/size.answers)" = 50 ] || fail "an answer a line is missing"

right() { paste answers "$1" | awk -F'\t' '{ n++; ok += $1 == $2 } END { print (ok / n >= share) ? "enough" : ok / n }' share="$2"; }
for model in one lstm all; do
    expect 0 "$coho" predict -m run/$model --task colour --examples -i colour.test -o answers
    [ "$(right colour.test 0.9)" = enough ] || fail "$model tells too few colours: $(right colour.test 0.9)"
done
expect 0 "$coho" predict -m run/all --task tags --examples -i tags.test -o answers
[ "$(right tags.test 0.9)" = enough ] || fail "too few tags are right"
expect 0 "$coho" predict -m run/all --task pair --examples -i pair.test -o answers
[ "$(right pair.test 0.6)" = enough ] || fail "too few pairs are right"
expect 0 "$coho" predict -m run/all --task size --examples -i size.test -o answers
paste answers size.test | awk -F'\t' '{ d = $1 - $2; s += d < 0 ? -d : d } END { exit !(s / NR < 0.6) }' || fail "numbers are far off"

# As JSON, from standard input, whatever stands beside it.
printf 'the red cat\na blue dog\n' >texts
input=texts expect 0 "$coho" predict -m run/all --task colour --json
stdout_has '"label":"red","probabilities":{"blue":0'
head -1 texts >first
input=first expect 0 "$coho" predict -m run/one --probabilities
cp .seen/stdout alone
input=texts expect 0 "$coho" predict -m run/one --probabilities
head -1 .seen/stdout >beside
expect 0 diff alone beside

# Texts and labels in files of their own, line by line: the same examples, and so the same of all that follows.
for set in train dev test; do
    cut -f1 pair.$set >pair.$set.labels
    cut -f2 pair.$set >pair.$set.a
    cut -f3 pair.$set >pair.$set.b
    cut -f2 tags.$set >tags.$set.text
    cut -f1 tags.$set >tags.$set.labels
done
cat >lined.yml <<'END'
stages:
  one: { kind: task, train: pair.train, dev: pair.dev, test-examples: 50 }
  three:
    kind: task
    train: pair.train.a
    train-second: pair.train.b
    train-labels: pair.train.labels
    dev: pair.dev.a
    dev-second: pair.dev.b
    dev-labels: pair.dev.labels
    test-examples: 50
  tags: { kind: task, task: tag, train: tags.train.text, train-labels: tags.train.labels, test: tags.test.text, test-labels: tags.test.labels }
END
expect 0 "$coho" distill lined.yml -o lined -q
for file in train.tsv dev.tsv test.tsv train.txt; do
    expect 0 cmp lined/one/$file lined/three/$file
done
expect 0 cmp tags.train lined/tags/train.tsv
expect 0 cmp tags.test lined/tags/test.tsv
cut -f2- pair.test >pair.texts
expect 0 "$coho" predict -m run/all --task pair -i pair.texts -o answers
expect 0 "$coho" predict -m run/all --task pair -i pair.test.a --second pair.test.b -o again
expect 0 cmp answers again

# Answers are compared with labels in a file of their own, or in front of the texts.
expect 0 "$coho" eval pair.test.labels -i answers -m accuracy --score-only
cp .seen/stdout apart
expect 0 "$coho" eval pair.test --first-column -i answers -m accuracy --score-only
cp .seen/stdout before
expect 0 cmp before apart
awk -F'[:,]' '/"pair.accuracy"/ { printf "%.4f\n", $2 / 100 }' run/all_scores/manifest.json >stage
expect 0 cmp stage apart

# What is refused.
expect 1 "$coho" predict -m run/one -i pair.texts
stderr_has "pair.texts:1: task 'colour' takes one text, but there are two"
expect 1 "$coho" predict -m run/all --task pair -i pair.test.a
stderr_has "pair.test.a:1: task 'pair' takes two texts"
head -3 pair.test.b >short.b
expect 1 "$coho" predict -m run/all --task pair -i pair.test.a --second short.b
stderr_has "'pair.test.a' has 50 lines but 'short.b' has 3"
expect 2 "$coho" predict -m run/all --task pair -i pair.test --examples --second pair.test.b
expect 1 "$coho" eval colour.test --first-column -i answers -m pearson
stderr_has "colour.test:1: '[a-z]*' is no number"
expect 1 "$coho" eval texts --first-column -i texts -m accuracy
stderr_has 'texts:1: expected 2 columns'
expect 2 "$coho" eval colour.test --first-column -i answers -m bleu
expect 1 "$coho" predict -m run/all -i texts
stderr_has 'knows several tasks; name one with --task: colour, tags, size, pair'
expect 1 "$coho" predict -m run/all --task color -i texts
stderr_has "knows no task 'color'"
printf 'the red cat\n\n' >empty
expect 1 "$coho" predict -m run/one -i empty
stderr_has 'empty:2: text 1 is empty'
printf 'a\tb\tc\n' >three
expect 1 "$coho" predict -m run/one -i three
stderr_has 'three:1: more than two texts'

refused_recipe() { expect 1 "$coho" distill changed.yml -o changed -q; stderr_is_one_line; stderr_has "$1"; }
sed 's/red\t/pink\t/' colour.test >pink.test
sed 's/test: colour.test/test: pink.test/' recipe.yml >changed.yml
refused_recipe "pink.test:[0-9]*: unknown label 'pink' of task 'colour', which knows blue, green, red"
sed '3s/.*/no column/' colour.train >column.train
sed 's/train: colour.train/train: column.train/' recipe.yml >changed.yml
refused_recipe 'column.train:3: no tab: an example is a label, a tab and a text'
sed '2s/^[^\t]*/nan/' size.dev >nan.dev
sed 's/dev: size.dev/dev: nan.dev/' recipe.yml >changed.yml
refused_recipe "nan.dev:2: 'nan' is no number"
sed '3s/^[^\t]*/inf/' size.train >inf.train
sed 's/train: size.train/train: inf.train/' recipe.yml >changed.yml
refused_recipe "inf.train:3: 'inf' is no number"
cut -f2 size.test >size.test.text
cut -f1 size.test | sed '4s/.*/NaN/' >nan.labels
sed 's/test: size.test/test: size.test.text, test-labels: nan.labels/' recipe.yml >changed.yml
refused_recipe "nan.labels:4: 'NaN' is no number"
lined() { sed "$1" lined.yml >changed.yml; }
sed 7q pair.train.labels >short.labels
lined 's/train-labels: pair.train.labels/train-labels: short.labels/'
refused_recipe "pair.train.a:8: nothing stands beside it: 'short.labels' has 7 lines"
head -9 tags.test.text >short.text
lined 's/test: tags.test.text/test: short.text/'
refused_recipe "tags.test.labels:10: nothing stands beside it: 'short.text' has 9 lines"
sed '5s/.*//' pair.dev.labels >empty.labels
lined 's/dev-labels: pair.dev.labels/dev-labels: empty.labels/'
refused_recipe 'empty.labels:5: the label is empty'
sed '6s/.*/similar/' pair.dev.labels >new.labels
lined 's/dev-labels: pair.dev.labels/dev-labels: new.labels/'
refused_recipe "new.labels:6: unknown label 'similar' of task 'three', which knows other, same"
sed '4s/^[^ ]*/O O/' tags.train.labels >more.labels
lined 's/train-labels: tags.train.labels/train-labels: more.labels/'
refused_recipe 'more.labels:4: [0-9]* labels for [0-9]* words'
sed '2s/^/\t/' pair.train.b >tab.b
lined 's/train-second: pair.train.b/train-second: tab.b/'
refused_recipe "tab.b:2: a tab in the text; with a second file of texts, 'pair.train.a', a line is one text"
lined '/train-labels: pair/d'
refused_recipe "changed.yml:6: stage 'three': train-second goes with train-labels"
printf 'stages:\n  colour: { kind: task, train: colour.train, labels: [blue, green, red, pink] }\n' >changed.yml
refused_recipe "changed.yml:2: stage 'colour': colour.train: label 'pink' of task 'colour' has no example; "
awk -F'\t' '$1 != "red" || !n++' colour.train >rare.train      # one of a class, which goes to those to validate with
printf 'stages:\n  colour: { kind: task, train: rare.train, dev-examples: %d }\n' $(($(wc -l <rare.train) - 3)) >changed.yml
refused_recipe "rare.train: label '[a-z]*' of task 'colour' has no example left when"
: >nothing
sed 's/train: pair.train/train: nothing/' recipe.yml >changed.yml
refused_recipe "changed.yml:7: stage 'pair': 'nothing' holds no examples of task 'pair'"
lined 's/train-labels: pair.train.labels/train-labels: nothing/'
refused_recipe "pair.train.a:1: nothing stands beside it: 'nothing' has 0 lines"
printf 'stages:\n  pair: { kind: task, test: pair.test }\n' >changed.yml
refused_recipe "changed.yml:2: stage 'pair': 'train', a file of examples, is missing"
sed 's/tasks: .colour.$/tasks: []/' recipe.yml >changed.yml
refused_recipe "changed.yml:9: stage 'one' (kind train-tasks) lacks 'tasks', which names a stage that makes a task"
sed 's/, test: colour.test }/ }/' recipe.yml >changed.yml
cp -r run changed
refused_recipe "stage 'one_scores': 'tasks': 'colour' has no test set"
rm -r changed
sed 's/teachers: { colour: one }/teachers: { color: one }/' recipe.yml >changed.yml
refused_recipe "'teachers' names a teacher of 'color', which is none of the 'tasks'"
sed 's/decoder-layers: 0/decoder-layers: 2/' recipe.yml >changed.yml
refused_recipe 'none of the tasks is a translation; give 0'
sed 's/model: one, tasks: .colour./model: one, tasks: [tags]/' recipe.yml >changed.yml
refused_recipe "'one' does not know task 'tags'"

finish
