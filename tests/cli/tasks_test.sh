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

# What is refused.
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
printf 'stages:\n  colour: { kind: task, train: colour.train, labels: [blue, green, red, pink] }\n' >changed.yml
refused_recipe "label 'pink' of task 'colour' has no example in"
: >nothing
sed 's/train: pair.train/train: nothing/' recipe.yml >changed.yml
refused_recipe "'nothing' holds no examples"
sed 's/teachers: { colour: one }/teachers: { color: one }/' recipe.yml >changed.yml
refused_recipe "'teachers' names a teacher of 'color', which is none of the 'tasks'"
sed 's/decoder-layers: 0/decoder-layers: 2/' recipe.yml >changed.yml
refused_recipe 'none of the tasks is a translation; give 0'
sed 's/model: one, tasks: .colour./model: one, tasks: [tags]/' recipe.yml >changed.yml
refused_recipe "the model does not know task 'tags'"

finish
