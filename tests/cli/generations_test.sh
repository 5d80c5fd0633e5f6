# Generations of a training in a recipe: who teaches whom, what is relabelled, what is reset; their ensemble; lineage.
# $1: the coho program.
. "$(dirname "$0")/lib.sh"

. "$here/toy.sh"
cat >recipe.yml <<'END'
name: generations
seed: 3
stages:
  corpus: { kind: corpus, source: toy.src, target: toy.trg, dev: 30, test: 30 }
  vocabulary: { kind: vocabulary, corpus: corpus, size: 48, train-threads: 2 }
  first:
    kind: train
    corpus: corpus
    vocabulary: vocabulary
    dim: 32
    ffn: 64
    heads: 4
    positions: learned
    encoder-layers: 2
    decoder-layers: 2
    batch-tokens: 300
    learning-rate: 0.005
    warmup: 20
    max-updates: 40
    max-length: 40
    max-positions: 64
  born:
    like: first
    objective: word-kd
    teacher: first
    generations: 3
    max-updates: 12
    generation: { 3: { alpha: 0.9 } }
  told:
    like: first
    generations: 2
    teacher: first
    taught-by: first
    data: relabelled
    labelling: { beam: 2 }
    max-updates: 8
  wise: { like: born, generations: 2, taught-by: all, objective: reverse-kl, generation: null }
  evolved:
    like: first
    generations: 2
    start-from: previous
    reset: kels
    keep: 0.5
    max-updates: 10
  random_part: { like: evolved, reset: wels }
  copied: { like: born, generations: 2, generation: { 2: { objective: reverse-kl, seed: 11 } }, start-from: teacher }
  thin:
    like: born
    generations: 2
    generation: null
    encoder-layers: 1
    decoder-layers: 1
    start: first
    start-by: layers
    start-encoder-layers: [1]
    start-decoder-layers: [0]
    max-updates: 4
  cut: { like: born, generations: 2, generation: null, start: evolved, start-by: slice, dim: 16, heads: 2, ffn: 32, max-updates: 4 }
  slim: { kind: slice, model: evolved, keep: 0.5 }
  shallow:
    like: first
    start: first
    start-by: layers
    start-encoder-layers: [1]
    start-decoder-layers: [1]
    encoder-layers: 1
    decoder-layers: 1
    max-updates: 4
  narrow: { like: first, start: first, start-by: slice, dim: 16, heads: 2, ffn: 32, max-updates: 4 }
  last_scores: { kind: evaluate, model: born, corpus: corpus, set: dev }
  all_scores: { like: last_scores, model: [first, born-*] }
  slim_scores: { like: last_scores, model: slim }
  table: { kind: table, rows: { last: last_scores, all: all_scores, slim: slim_scores } }
END

expect 0 "$coho" distill recipe.yml -o run --threads 2
for stage in born-1 born-2 born-3 told-1 told-1-labels told-2-labels wise-2 evolved-1 evolved-2 random_part-2; do
    [ -s run/$stage/manifest.json ] || fail "there is no $stage"
done
[ ! -e run/born ] || fail "the stage with generations is there itself"
file_has run/born-3/lineage.json '"alpha": 0.9'
file_has run/born-2/lineage.json '"alpha": 0.5'
file_has run/born-3/lineage.json '"generation": 3'
file_has run/evolved-2/lineage.json '"reset": "kels"'
file_has run/evolved-1/lineage.json '"generation": 1'
file_has run/copied-2/lineage.json '"name": "reverse-kl"'
file_has run/copied-2/lineage.json '"seed": 11'
file_has run/cut-2/lineage.json '"start-by": "slice"'
grep -q '"reset"' run/evolved-1/lineage.json && fail "the first generation has nothing to reset"
cmp -s run/born-1/model.safetensors run/born-2/model.safetensors && fail "two generations are the same"

# The whole ancestry, as a tree.
expect 0 "$coho" model info run/born-3
stdout_has 'generation 3, word-kd (alpha 0.9'
stdout_has '└─ taught by born-2 '
stdout_has '   └─ taught by born-1 '
stdout_has '      └─ taught by first '
expect 0 "$coho" model info run/copied-2
stdout_has '├─ taught by copied-1 '
stdout_has '└─ started from copied-1 '
stdout_has '   └─ started from first '
expect 0 "$coho" model info run/thin-2
stdout_has '├─ taught by thin-1 '
stdout_has '└─ started from first .*, by layers'
expect 0 "$coho" model info run/cut-2
stdout_has '└─ started from evolved-2 .*, by slice'
expect 0 "$coho" model info run/wise-2
stdout_has '├─ taught by first '
stdout_has '└─ taught by wise-1 '
expect 0 "$coho" model info run/told-2
stdout_has 'taught by first .*through its outputs'
expect 0 "$coho" model info run/slim
stdout_has 'leading channels, share 0.5'
stdout_has 'started from evolved-2 '
stdout_has 'started from evolved-1 .*, keeping kels 0.5'
expect 0 "$coho" model info run/shallow
stdout_has 'started from first .*, by layers'

# The ensemble of all is evaluated as one: as many weights as all have.
weights=$(sed -n 's/.*"parameters": \([0-9]*\).*/\1/p' run/last_scores/manifest.json)
file_has run/all_scores/manifest.json "\"parameters\": $((4 * weights))"
file_has run/all_scores/manifest.json '"perplexity": [0-9]'
expect_from toy.src 0 "$coho" translate -m run/slim

# Again, nothing is left to do; another key of one generation reaches those after it.
expect 0 "$coho" distill recipe.yml -o run --dry-run
stdout_has 'all .* stages are done'
sed 's/3: { alpha: 0.9 }/2: { alpha: 0.9 }/' recipe.yml >other.yml
expect 0 "$coho" distill other.yml -o run --dry-run
stdout_has '^born-1 .* done'
stdout_has '^born-2 .* alpha: 0.9, was 0.5'

# Seeds multiply generations.
sed 's/^seed: 3/seeds: [1, 2]/' recipe.yml >seeds.yml
expect 0 "$coho" distill seeds.yml -o seeds --dry-run
stdout_has '^born-3@2 '
stdout_has '^wise-2@1 '

# Mistakes name the line.
wrong() {       # wrong SED-COMMAND MESSAGE
    sed "$1" recipe.yml >wrong.yml
    expect 1 "$coho" distill wrong.yml -o wrong
    stderr_is_one_line
    stderr_has "$2"
}
wrong 's/generations: 3/generations: 0/' "wrong.yml:26: stage 'born': 'generations' is a whole number"
wrong 's/taught-by: first/taught-by: frist/' "'frist' is none of previous, first, all"
wrong 's/start-from: teacher/start-from: teachers/' "'teachers' is none of nothing, previous, first, teacher"
wrong 's/start-from: teacher/start-from: teacher, taught-by: all/' 'start-from: teacher needs a single one'
wrong 's/3: { alpha/4: { alpha/' "'4', which is none of the generations 1 … 3"
wrong 's/taught-by: first/taught-by: 3/' "stage 'told': 'taught-by' is not a text"
wrong 's/labelling: { beam: 2 }/labelling: 2/' "stage 'told': 'labelling' is a mapping"
wrong 's/data: relabelled/data: kept/' "'labelling' goes with data: relabelled"
wrong 's/objective: word-kd/objective: cross-entropy/' "stage 'born': objective cross-entropy takes no 'teacher'"
wrong 's/start-from: previous/start-from: nothing/' "stage 'evolved': there is nothing to reset"
wrong 's/start-encoder-layers: .1./start-encoder-layers: [one]/' "start-encoder-layers: 'one' is not the number of a layer"
wrong 's/start-encoder-layers: .1./start-encoder-layers: [0, 1]/' 'start-encoder-layers lists 2, and encoder-layers is 1'
wrong 's/max-updates: 12/max-updats: 12/' "wrong.yml:27: unknown key 'max-updats' in stage 'born-1'"
wrong 's/kind: slice, /kind: slice, generations: 2, /' 'only a stage of kind train has generations'
wrong '/start-encoder-layers: .1./d; /start-decoder-layers: .1./d' 'goes with start-encoder-layers'
wrong 's/^    start: first//' "start-by needs 'start'"

# What only the models show.
sed 's/positions: learned/positions: sinusoidal/' recipe.yml >wrong.yml
expect 1 "$coho" distill wrong.yml -o sinusoids --stage slim -q
stderr_has 'take positions: learned'
sed 's/start-encoder-layers: .1./start-encoder-layers: [2]/' recipe.yml >wrong.yml
expect 1 "$coho" distill wrong.yml -o run --stage shallow -q
stderr_has "has no weight 'encoder.2"

finish
