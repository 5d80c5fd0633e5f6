# Sequence targets in a recipe: n-best lists with weights, samples, monolingual text forward and back, filters on
# pseudo-labels, and corpora mixed by weight.  $1: the coho program.
. "$(dirname "$0")/lib.sh"

. "$here/toy.sh"
head -n 60 toy.src | sed 's/^[a-z]* //' >mono1.src
head -n 40 toy.src | sed 's/ [a-z]*$//' | gzip >mono2.src.gz
{ sed -n 1,70p toy.trg; echo; } | sed 's/^[a-z]* //' >mono.trg
cat >recipe.yml <<'END'
name: targets
seed: 3
stages:
  corpus: { kind: corpus, source: toy.src, target: toy.trg, source-lang: src, target-lang: trg, dev: 30, test: 30 }
  vocabulary: { kind: vocabulary, corpus: corpus, size: 52, symbols: [<BT>], train-threads: 2 }
  teacher:
    kind: train
    corpus: corpus
    vocabulary: vocabulary
    dim: 32
    ffn: 64
    heads: 4
    encoder-layers: 1
    decoder-layers: 1
    batch-tokens: 300
    learning-rate: 0.006
    warmup: 20
    max-updates: 150
    max-length: 40
  turned: { kind: reverse, corpus: corpus }
  backward: { like: teacher, corpus: turned, max-updates: 60 }

  best: { kind: label, model: teacher, corpus: corpus, beam: 3 }
  lists:
    like: best
    n-best: 3
    hypotheses: all
    pair-weights: probability
  sampled: { like: best, sampling: true, sampling-top-p: 0.9, n-best: 4, hypotheses: all, pair-weights: equal }
  forward: { like: best, monolingual: [mono1.src, mono2.src.gz], shard-lines: 30 }
  back: { like: best, model: backward, monolingual: [mono.trg], direction: back, tag: <BT> }

  near: { kind: filter, corpus: best, max-ter: 0.5, dedup: none }
  likely: { kind: filter, corpus: best, reverse-model: backward, drop-worst: 0.1, dedup: none }
  different: { kind: filter, corpus: lists, dedup: target, max-ratio: 1.5 }

  student:
    like: teacher
    corpus: [corpus, different, back]
    mixing-weights: [1, 0.5, ramp 0 2 5 10]
    max-updates: 12
    log-every: 4
  aware: { like: student, corpus: best, mixing-weights: null, start: student, quantize-aware: true, max-updates: 5 }
  shipped: { kind: quantize, model: aware }
  scores: { kind: evaluate, model: shipped, corpus: corpus }
END
expect 0 "$coho" distill recipe.yml -o run --threads 2

# aligned STAGE N: all files that stand beside each other have N lines.
aligned()
{
    checks=$((checks + 1))
    for file in run/$1/train.*; do
        [ "$(wc -l <"$file")" -eq "$2" ] || fail "$file has not $2 lines"
    done
}

# ---- n-best lists with weights, samples ----

awk -F '\t' '$4 == "-" { print $5 }' run/lists/labels/nbest.tsv >usable
expect 0 cmp usable run/lists/train.trg
aligned lists "$(wc -l <usable)"
paste run/lists/train.lines run/lists/train.weights | awk '{ sum[$1] += $2 }
     END { for (i in sum) if (sum[i] < 0.999 || sum[i] > 1.001) exit 1 }' || fail "a list's weights do not sum to 1"
awk -F '\t' '$4 == "-" { print $1 + 1, $3 }' run/lists/labels/nbest.tsv | paste -d ' ' - run/lists/train.weights | awk '
    $1 == line { d = log($3 / weight) - ($2 - logp); if ($3 > 1e-4 && (d > 0.01 || d < -0.01)) exit 1 }
    $1 != line { line = $1; logp = $2; weight = $3 }' || fail "weights are not the model's probabilities"
checks=$((checks + 2))
aligned sampled "$(awk -F '\t' '$4 == "-"' run/sampled/labels/nbest.tsv | wc -l)"
sort run/sampled/train.lines | uniq -c | awk '{ print $2, $1 }' | sort >counts
paste -d ' ' run/sampled/train.lines run/sampled/train.weights | sort -u | join - counts | awk '
    { d = $2 * $3 - 1; if (d > 1e-4 || d < -1e-4) exit 1; n++ } END { exit n < 100 }' || fail "samples of a line count unequally"
absent run/best/train.weights

# ---- monolingual text, forward and back ----

{ cat mono1.src; gzip -dc mono2.src.gz; } >mono.src
[ "$(wc -l <run/forward/labels/best.txt)" -eq 100 ] || fail "monolingual text is labelled in part"
awk 'NR == FNR { text[NR] = $0; next } { print text[$1] }' mono.src run/forward/train.lines >wanted
expect 0 cmp wanted run/forward/train.src
file_has run/forward/corpus.json '"source": "../corpus/dev.src"'
! grep -q '"gold"' run/forward/corpus.json || fail "monolingual text has gold"
awk 'NR == FNR { text[NR] = $0; next } { print text[$1] }' mono.trg run/back/train.lines >wanted
expect 0 cmp wanted run/back/train.trg
! grep -qv '^<BT> ' run/back/train.src || fail "a back-translated source has no tag"
! grep -q '^71$' run/back/train.lines || fail "an empty line became a pair"
file_has run/back/corpus.json '"direction": "back"'
aligned back "$(wc -l <wanted)"
cmp -s run/turned/corpus.json run/corpus/corpus.json && fail "the corpus is not turned"
file_has run/turned/corpus.json '"source": "../corpus/train.trg"'

# ---- filters ----

awk 'NR == FNR { text[NR] = $0; next } { print text[$1] }' run/corpus/train.trg run/best/train.lines >gold
expect 0 "$coho" eval gold -i run/best/train.trg -m ter --sentence-level
grep -o '[0-9.]*$' .seen/stdout >ters
paste ters run/best/train.trg | awk -F '\t' '$1 <= 50 { print $2 }' >wanted
expect 0 cmp wanted run/near/train.trg
[ -s wanted ] && [ "$(wc -l <wanted)" -lt "$(wc -l <run/best/train.trg)" ] || fail "the filter has nothing to do"
file_has run/near/manifest.json "\"dropped_ter\": $(($(wc -l <gold) - $(wc -l <wanted)))"

expect 0 "$coho" score -q -m run/backward -s run/best/train.trg -t run/best/train.src --per-token
awk -F '\t' '{ n = split($2, p, " "); print -$1 / n }' .seen/stdout >entropies
worst=$(($(wc -l <entropies) / 10))
paste entropies run/best/train.src run/best/train.trg >scored
[ "$(wc -l <run/likely/train.src)" -eq $(($(wc -l <scored) - worst)) ] || fail "not a tenth is dropped"
limit=$(sort -gr entropies | sed -n "$((worst + 1))p")
awk -F '\t' -v limit="$limit" '$1 < limit - 0.001 { print $2 }' scored | sort >surely
sort run/likely/train.src | comm -13 - surely >lost
[ ! -s lost ] || fail "pairs were dropped that the reverse model finds likelier than others that stayed"
checks=$((checks + 4))

sort run/different/train.trg | uniq -d >twice
[ ! -s twice ] || fail "a target comes twice"
paste -d '|' run/different/train.src run/different/train.trg | awk -F '|' '
    { n = split($1, a, " "); m = split($2, b, " "); if (n > 1.5 * m || m > 1.5 * n) exit 1 }' || fail "a ratio is beyond the limit"
paste run/lists/train.lines run/lists/train.weights run/lists/train.trg | sort >all
paste run/different/train.lines run/different/train.weights run/different/train.trg | sort | comm -23 - all >strange
[ ! -s strange ] || fail "weights did not stay with their pairs"
aligned different "$(wc -l <run/different/train.src)"
checks=$((checks + 3))

# ---- corpora mixed by weight ----

[ "$(grep -c '"pairs"' run/student/lineage.json)" -ge 3 ] || fail "lineage does not tell all corpora"
file_has run/student/lineage.json '"stage": "different"'
file_has run/student/lineage.json '"stage": "back"'
file_has run/student/lineage.json '"direction": "back"'
grep -q '"update":.*"drawn":\[' run/student/log.jsonl || fail "the log does not tell what was drawn"
tr -d ' \n' <run/student/manifest.json | grep -q '"drawn":{"corpus":[1-9][0-9]*,"different":[0-9]*,"back":[0-9]*}' ||
    fail "the figures do not tell what was drawn"
checks=$((checks + 2))
expect 0 "$coho" model info run/student
stdout_has 'backward'
absent run/student/train-2.ids
expect 0 "$coho" distill recipe.yml -o run --dry-run
stdout_has 'all 17 stages are done'
sed 's/^    mixing-weights: .*/    mixing-weights: [1, 1, 1]/' recipe.yml >even.yml
expect 0 "$coho" distill even.yml -o run --dry-run
stdout_has '4 of 17 stages to run'

# ---- int8 ----

before=$(wc -c <run/aware/model.safetensors)
after=$(wc -c <run/shipped/model.safetensors)
checks=$((checks + 1))
[ $((after * 2)) -lt "$before" ] || fail "the int8 model has $after of $before bytes"
file_has run/shipped/lineage.json '"quantized": "int8"'
file_has run/scores/manifest.json '"bleu_beam5": [0-9]'
expect 0 "$coho" model info run/shipped
stdout_has 'student'

# ---- what does not go together ----

# wrong PATTERN KEY=VALUE…: the recipe with these keys is refused before anything runs.
wrong()
{
    pattern=$1
    shift
    sets=
    for set; do
        sets="$sets --set $set"
    done
    expect 1 "$coho" distill recipe.yml -o wrong $sets
    stderr_is_one_line
    stderr_has "$pattern"
    absent wrong/corpus
}
wrong 'gold keeps the corpus.s targets.*monolingual text' forward.gold=true
wrong 'soft-targets are of each line and its best hypothesis: a tag' back.soft-targets=top-k back.direction=forward
wrong 'hypotheses: all makes other pairs' lists.soft-targets=top-k
wrong 'direction: back makes other pairs' back.soft-targets=top-k
wrong 'mbr chooses one translation' lists.mbr=bleu
wrong "need a 'reverse-model'" near.drop-worst=0.1
wrong "need a 'model'" near.max-cross-entropy=3
sed 's/^    mixing-weights: .*/    mixing-weights: [1, 2]/' recipe.yml >two.yml
refused 1 'mixing-weights has 2 numbers for 3 corpora' "$coho" distill two.yml -o wrong
sed 's/^    mixing-weights: .*/    mixing-weights: [cut-off 1 5, 0, ramp 0 2 5 10]/' recipe.yml >gap.yml
refused 1 "mixing-weights: no corpus has a weight above 0 at update 5;" "$coho" distill gap.yml -o wrong
sed 's/^    mixing-weights: .*/    mixing-weights: [cut-off 1 50%, 0, ramp 0 2 40% 60%]/' recipe.yml >met.yml
expect 0 "$coho" distill met.yml -o run --dry-run
sed 's/^    mixing-weights: .*/    mixing-weights: [0, 0, 0]/' recipe.yml >zero.yml
refused 1 "no corpus has a weight above 0 at update 0" "$coho" distill zero.yml -o wrong
sed 's/ramp 0 2 5 10/ramp 0 -2 5 10/' recipe.yml >below.yml
refused 1 'mixing-weights' "$coho" distill below.yml -o wrong
sed 's/corpus: best, max-ter/corpus: forward, max-ter/' recipe.yml >nogold.yml
expect 1 "$coho" distill nogold.yml -o run -q --stage near
stderr_has "max-ter: stage 'forward' has no gold targets"


# fails STAGE PATTERN KEY=VALUE: that stage of the run, with the key, which cannot be seen beforehand.
fails()
{
    expect 1 "$coho" distill recipe.yml -o run -q --stage "$1" --set "$3"
    stderr_is_one_line
    stderr_has "$2"
}
fails back "stage 'back': 'model': 'teacher' translates src to trg, and the other direction is wanted" back.model=teacher
fails best "'backward' translates trg to src, and the other direction is wanted" best.model=backward
fails likely "'reverse-model': 'teacher' translates src to trg" likely.reverse-model=teacher
printf '\n \n\n' >blank
fails forward "'blank' has nothing but empty lines" forward.monolingual=blank
expect 0 "$coho" distill recipe.yml -o run -q --stage back --set back.tag='<XX>'
stderr_has "warning: .*stage 'back': the vocabulary does not know the tag '<XX>'"

finish
