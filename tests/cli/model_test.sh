# coho model: what is told of a model, and means of models.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
golden=$here/../tokenize/golden

# ---- models to look at ----

head -n 60 "$golden/text.txt" >text
train()         # train FOLDER OPTION…
{
    folder=$1
    shift
    expect 0 "$coho" train -s text -t text -v "$golden/bpe.model" -o "$folder" --threads 1 \
        --dim 16 --ffn 24 --heads 2 --encoder-layers 2 --decoder-layers 1 --max-updates 2 \
        --batch-tokens 200 "$@"
}
train a --seed 1
train b --seed 2
train c --seed 3
train lstm --arch lstm
expect 0 "$coho" vocab text -o own.spm --size 60 --soft-limit
expect 0 "$coho" vocab text -o other.spm --size 60 --soft-limit --type bpe

# ---- usage ----

expect 2 "$coho" model
stderr_has '^usage: coho model STEP'
expect 0 "$coho" model --help
stdout_has '^  average  '
expect 2 "$coho" model inof a
stderr_has "unknown step 'inof', did you mean 'info'?"
stderr_is_one_line
expect 2 "$coho" model info
stderr_is_one_line
expect 2 "$coho" model info a b
stderr_has "unexpected 'b'"
expect 2 "$coho" model average -o mean a
stderr_has 'two model folders'
expect 2 "$coho" model average a b
stderr_has 'output'
stderr_is_one_line

# ---- info ----

expect 0 "$coho" model info a
stderr_is ""
stdout_has '^arch  *transformer$'
stdout_has '^heads  *2$'
stdout_has '^dropout  *0\.1$'
stdout_has '^both sides  .*bpe  *[0-9a-f]\{16\}$'
stdout_has '^a [0-9a-f]\{16\}$'
stdout_has '^   cross-entropy.*, .*pairs, seed 1$'
awk '$1 == "part" { on = 1 } on && $1 ~ /^(embed|encoder|decoder|output)$/ { gsub(",", "", $2); sum += $2 }
     on && $1 == "all" { gsub(",", "", $2); exit sum != $2 || sum == 0 }' .seen/stdout \
    || fail "the parts do not add up to all weights"
checks=$((checks + 1))

expect 0 "$coho" model info a --json
stdout_has '"arch": "transformer"'
stdout_has '"seed": 1'
grep -q '"encoder-direction"' .seen/stdout && fail "a transformer has no encoder-direction"
expect 0 "$coho" model info lstm --json
stdout_has '"encoder-direction": "bidirectional"'
grep -q '"heads"' .seen/stdout && fail "an LSTM has no heads"

# Two vocabularies, and what a recipe's model tells of its ancestors.
expect 0 "$coho" train -s text -t text -v own.spm --target-vocab other.spm --tied decoder -o two --threads 1 \
    --dim 16 --heads 2 --max-updates 1
expect 0 "$coho" model info two
stdout_has '^source  .*unigram'
stdout_has '^target  .*bpe'
cat >a/lineage.json <<'END'
{ "name": "student", "recipe": "quick", "seed": 7,
  "objective": { "name": "word-kd", "alpha": 0.5, "t-squared": true },
  "corpus": { "stage": "labels", "fingerprint": "0", "pairs": 12345 },
  "teachers": [ { "stage": "big", "fingerprint": "00112233445566ff", "labelled_with": "beam search",
                  "beam": 5, "lineage": { "name": "big", "seed": 3, "start": { "stage": "seed" } } },
                { "stage": "small" } ],
  "start": { "stage": "baseline", "fingerprint": "1", "lineage": { "seed": 4 } },
  "figures": { "dev_nll": 2.34567 } }
END
expect 0 "$coho" model info a
sed -n '/^lineage/,$p' .seen/stdout | sed 's/^student [0-9a-f]*$/student FINGERPRINT/' >tree
file_is tree "lineage
-------
student FINGERPRINT
│  word-kd (alpha 0.5, t-squared true), 12,345 pairs of labels, seed 7, dev NLL 2.346, recipe quick
├─ taught by big 00112233445566ff, through its outputs (beam search, beam 5)
│  │  seed 3
│  └─ started from seed
├─ taught by small
└─ started from baseline 1
      seed 4"
rm a/lineage.json
expect 0 "$coho" model info a

# ---- average ----

fingerprint()
{
    "$coho" model info "$1" --json | sed -n 's/^  "fingerprint": "\(.*\)",/\1/p'
}
expect 0 "$coho" model average -o same a a a -q
stderr_is ""
[ "$(fingerprint same)" = "$(fingerprint a)" ] || fail "the mean of one model thrice is another one"
expect 0 "$coho" model average -o ab a b
stderr_has "the mean of 2 models is in 'ab'"
expect 0 "$coho" model average -o ba b a
[ "$(fingerprint ab)" != "$(fingerprint a)" ] || fail "the mean of two models is the first"
expect 0 "$coho" model average -o abc a b c
expect 0 "$coho" model info abc
stdout_has "^├─ mean of a $(fingerprint a)\$"
stdout_has "^└─ mean of c $(fingerprint c)\$"
stdout_has '^      cross-entropy.*seed 3'
expect_from text 0 "$coho" translate -m abc --beam 1 --max-length 5
stdout_lines "$(wc -l <text)"

# The mean itself, seen in a weight of one number a model: the first one of the embeddings.
first_weight()
{
    header=$(od -An -t u8 -N 8 "$1/model.safetensors" | tr -d ' ')
    od -An -t f4 -j $((8 + header)) -N 4 "$1/model.safetensors" | tr -d ' '
}
awk -v a="$(first_weight a)" -v b="$(first_weight b)" -v c="$(first_weight c)" -v m="$(first_weight abc)" \
    'BEGIN { d = (a + b + c) / 3 - m; exit !(d < 1e-6 && d > -1e-6 && a != b) }' \
    || fail "the first weight is not the mean of three"
checks=$((checks + 1))

# A model that starts from another one descends from it, whatever that one descends from.
train on --start ab --seed 9
expect 0 "$coho" model info on
stdout_has '^│  cross-entropy.*seed 9$'
stdout_has "^└─ started from ab $(fingerprint ab)\$"
stdout_has "^   ├─ mean of a $(fingerprint a)\$"

train deep --encoder-layers 3
expect 1 "$coho" model average -o x a deep
stderr_is "coho model average: 'a' and 'deep' cannot be averaged: encoder-layers is 2 in the first, 3 in the second"
train heads --heads 4
expect 1 "$coho" model average -o x a b heads
stderr_has "'a' and 'heads' cannot be averaged: heads is 2"
expect 1 "$coho" model average -o x a lstm
stderr_has "arch is"
expect 0 "$coho" train -s text -t text -v own.spm -o own --threads 1 --dim 16 --ffn 24 --heads 2 \
    --encoder-layers 2 --decoder-layers 1 --max-updates 1
expect 1 "$coho" model average -o x a own
stderr_is "coho model average: 'a' and 'own' cannot be averaged: their source vocabularies differ"
absent x

# ---- quantize ----

expect 2 "$coho" model quantize a
stderr_is_one_line
for model in a lstm; do
    expect 0 "$coho" model quantize -o $model.int8 $model
    stderr_is "the int8 model is in '$model.int8'"
    expect 0 "$coho" model info $model.int8
    stdout_has '^all '
    expect 0 "$coho" model quantize -q -o $model.again $model.int8
    expect 0 cmp $model.int8/model.safetensors $model.again/model.safetensors
done
[ "$(wc -c <a.int8/model.safetensors)" -lt "$(wc -c <a/model.safetensors)" ] || fail "int8 is not smaller"
checks=$((checks + 1))
expect 1 "$coho" model quantize -o a a
stderr_is_one_line
cp -r a.int8 damaged8
printf '\377' | dd of=damaged8/model.safetensors bs=1 seek=$(($(wc -c <a.int8/model.safetensors) - 9)) conv=notrunc 2>dd.log
expect 1 "$coho" translate -m damaged8 -i text
stderr_has 'model.safetensors. is damaged'
stderr_is_one_line

# ---- bad input ----

expect 1 "$coho" model info absent
stderr_has 'absent'
stderr_is_one_line
cp -r a damaged
size=$(wc -c <damaged/model.safetensors)
printf '\377' | dd of=damaged/model.safetensors bs=1 seek=$((size - 9)) conv=notrunc 2>dd.log
expect 1 "$coho" model info damaged
stderr_has 'model.safetensors. is damaged'
stderr_is_one_line
expect 1 "$coho" model average -o x a damaged
stderr_has 'damaged'
head -c $((size - 400)) a/model.safetensors >damaged/model.safetensors
expect 1 "$coho" model info damaged
stderr_is_one_line
expect 1 "$coho" model average -o text/x a b
stderr_is_one_line
no_partial_files
finish
