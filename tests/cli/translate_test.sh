# coho translate and coho score: a line for a line, scores, limits, bad input.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
golden=$here/../tokenize/golden

head -n 60 "$golden/text.txt" >text
train()         # train FOLDER OPTION…
{
    folder=$1
    shift
    expect 0 "$coho" train -s text -t text -v "$golden/bpe.model" -o "$folder" --threads 1 \
        --dim 16 --ffn 24 --heads 2 --encoder-layers 1 --decoder-layers 1 --max-updates 2 \
        --batch-tokens 200 "$@"
}
train a --seed 1
train lstm --arch lstm
short='--max-length-factor 0 --max-length-offset 6'
printf 'The dog runs.\n\n   \nA cat\nÜber 17 Häuser, a much longer line with many words in it\n' >in

# ---- usage ----

expect 2 "$coho" translate
stderr_has 'model'
stderr_is_one_line
expect 0 "$coho" translate --help
stdout_has '^usage: coho translate'
stdout_has '--length-penalty'
expect 2 "$coho" translate -m a --beam 2 in
stderr_has "unexpected 'in'"
stderr_is_one_line
expect 2 "$coho" translate -m a -i in --beam 4 --n-best 5
stderr_has '--n-best 5'
stderr_is_one_line
expect 2 "$coho" translate -m a -i in --baem 4
stderr_has "beam"
stderr_is_one_line
expect 2 "$coho" translate -m a -i in --beam 0
stderr_is_one_line
expect 2 "$coho" translate -m a -i in --scores --json
stderr_is_one_line

# ---- a line for a line ----

for model in a lstm; do
    expect 0 "$coho" translate -q -m $model -i in $short --beam 3
    stdout_lines 5
    cp .seen/stdout $model.beam3
    expect 0 sed -n '2,3p' $model.beam3
    stdout_is '
'
    expect 0 sed -n '2,3s/./X/p' $model.beam3
    stdout_is ''
    expect_from in 0 "$coho" translate -q -m $model $short --beam 3
    cp .seen/stdout from-stdin
    expect 0 cmp from-stdin $model.beam3
    expect 0 "$coho" translate -q -m $model -i in $short --beam 3 -o out --threads 3 --window 2 \
        --batch-sentences 1
    stdout_is ''
    expect 0 cmp out $model.beam3
done
expect_with 'The dog runs.' 0 "$coho" translate -q -m a $short --beam 1
stdout_lines 1
expect_with '' 0 "$coho" translate -q -m a
stdout_is ''
gzip -c in >in.gz
expect 0 "$coho" translate -q -m a -i in.gz $short --beam 3 -o out
expect 0 cmp out a.beam3
expect 0 "$coho" translate -m a -i in $short --beam 1
stderr_has '^5 lines, 17 source words in .* words/s$'

# ---- the same bits in float32, whatever the batch ----

for model in a lstm; do
    expect 0 "$coho" translate -q -m $model -i in $short --beam 3 --scores --threads 1
    cp .seen/stdout one
    for batch in 1 2 5; do
        for threads in 1 3; do
            expect 0 "$coho" translate -q -m $model -i in $short --beam 3 --scores --threads $threads \
                --batch-sentences $batch
            cp .seen/stdout another.txt
            expect 0 cmp one another.txt
        done
    done
done

# ---- numbers to multiply in ----

for model in a lstm; do
    expect 0 "$coho" model quantize -q -o $model.int8 $model
    expect 0 "$coho" translate -q -m $model.int8 -i in $short --beam 3
    cp .seen/stdout stored
    expect 0 "$coho" translate -q -m $model -i in $short --beam 3 --products int8
    cp .seen/stdout made
    expect 0 cmp stored made
    for products in float32 bfloat16; do
        expect 0 "$coho" translate -q -m $model.int8 -i in $short --beam 3 --products $products
        stdout_lines 5
    done
done
expect 0 "$coho" score -q -m a.int8 -s in -t in
stdout_lines 5

# ---- a budget of memory ----

expect 0 "$coho" translate -q -m a -i in $short --beam 3 --threads 1 --memory 120M
cp .seen/stdout within
expect 0 cmp within a.beam3
expect 1 "$coho" translate -q -m a -i in $short --memory 20M
stderr_has '--memory 20M is too little for this model'
stderr_is_one_line
awk 'BEGIN { for (i = 0; i < 50000; i++) printf "dog "; print "" }' >long
cat in long in >longer
expect 0 "$coho" translate -m a -i longer --max-length 6 --threads 1 --memory 120M --max-source 100000 -o out
stderr_has '^warning: longer:6: [0-9]* tokens, cut to the first [0-9]*'
expect 1 "$coho" translate -m a -i longer --max-length 6 --threads 1 --memory 120M --max-source 100000 --long-lines refuse
stderr_has 'longer:6: '

# ---- scores ----

expect 0 "$coho" translate -q -m a -i in $short --beam 3 --scores
stdout_lines 5
cut -f 3 .seen/stdout >text-of-scores
expect 0 cmp text-of-scores a.beam3
expect 0 "$coho" translate -q -m a -i in $short --beam 3 --n-best 3
grep -c '^0 ||| ' .seen/stdout >count
file_is count 3
stdout_has '^1 |||  ||| F0= 0 ||| 0$'
stdout_has '^4 ||| .* ||| F0= -[0-9.]* ||| -[0-9.]*$'
stdout_lines 11
expect 0 "$coho" translate -q -m a -i in $short --beam 3 --n-best 2 --json
stdout_lines 5
stdout_has '^{"line":1,"source_tokens":[0-9]*,"cut_tokens":0,"hypotheses":\[{"text":.*"token_logp":\['
stdout_has '^{"line":2,"source_tokens":0,"cut_tokens":0,"hypotheses":\[{"text":"","score":0.0,"logp":0.0,"cut":false,"pieces":\[\],'

# ---- several models as one ----

expect 0 "$coho" translate -q -m a a -i in $short --beam 3
expect 0 "$coho" translate -q -m a lstm -i in $short --beam 3 --average log
stdout_lines 5
expect 0 "$coho" vocab text -o own.spm --size 60 --soft-limit
expect 0 "$coho" train -s text -t text -v own.spm -o other --threads 1 --dim 16 --heads 2 --max-updates 1
expect 1 "$coho" translate -q -m a other -i in
stderr_has "'other' has another source vocabulary ([0-9]* pieces) than 'a'"
stderr_is_one_line

# ---- long lines ----

awk 'BEGIN { print "one"; for (i = 0; i < 100000; i++) printf "dog "; print ""; print "three" }' >book
expect 0 "$coho" translate -q -m a -i book $short --beam 1 --max-source 30
stdout_lines 3
stderr_has 'book:2: [0-9]* tokens, cut to the first 30'
expect 1 "$coho" translate -q -m a -i book $short --beam 1 --long-lines refuse -o refused
stderr_has 'book:2: [0-9]* tokens, more than the 1000 allowed'
stderr_is_one_line
absent refused
no_partial_files

# ---- bad input ----

expect 1 "$coho" translate -q -m nowhere -i in
stderr_has 'nowhere'
stderr_is_one_line
expect 1 "$coho" translate -q -m a -i absent -o out2
stderr_has 'absent'
stderr_is_one_line
absent out2
printf 'fine\nb\377d\nfine\n' >bad
expect 1 "$coho" translate -q -m a -i bad $short -o out2
stderr_has 'bad:2'
stderr_is_one_line
absent out2
no_partial_files
expect 0 "$coho" translate -q -m a -i bad $short --bad-utf8 replace
stdout_lines 3
stderr_has '1 line.* not UTF-8'
expect 1 "$coho" translate -q -m a -i in -o no/such/folder/out
stderr_is_one_line
if [ -c /dev/full ]; then
    expect 1 sh -c '"$1" translate -q -m a -i in --max-length-factor 0 >/dev/full' sh "$coho"
    stderr_has 'No space left'
fi
mkdir broken
cp a/* broken/ 2>/dev/null
head -c 2000 a/model.safetensors >broken/model.safetensors
expect 1 "$coho" translate -q -m broken -i in
stderr_has 'broken/model.safetensors'
stderr_is_one_line

# ---- a conversation: with --window 1 the answer comes before the input ends ----

mkfifo asked
"$coho" translate -q -m a $short --window 1 <asked >answers 2>answers.err &
exec 3>asked
echo 'A cat' >&3
tries=600
until [ -s answers ] || [ $tries -eq 0 ]; do
    sleep 0.1
    tries=$((tries - 1))
done
checks=$((checks + 1))
[ -s answers ] || fail "no answer while the input is open"
exec 3>&-
wait $!

# ---- score ----

expect 2 "$coho" score -m a -s in
stderr_has 'target'
stderr_is_one_line
expect 0 "$coho" score -m a -s in -t a.beam3
stdout_lines 5
stderr_has '^5 pairs, [0-9]* target tokens in .* perplexity [0-9.]* a token$'
cp .seen/stdout single
expect 0 "$coho" score -q -m a a -s in -t a.beam3
stdout_lines 5
paste single .seen/stdout | awk '{ d = $1 - $2; if (d < -0.001 || d > 0.001) exit 1 }' \
    || fail "a model and its twin ensemble score differently"
checks=$((checks + 1))
expect 0 "$coho" score -q -m a -s in -t a.beam3 --per-token
awk -F '\t' '{ n = split($2, p, " "); s = 0; for (i = 1; i <= n; i++) s += p[i]
               if (s - $1 > 0.001 || $1 - s > 0.001 || n < 1) exit 1 }' .seen/stdout \
    || fail "the tokens do not add up to the sentence"
checks=$((checks + 1))
expect 0 "$coho" score -q -m a -s in -t a.beam3 --json
stdout_lines 5
stdout_has '^{"line":1,"logp":-[0-9.]*,"tokens":[0-9]*,"cut_tokens":0,"pieces":\[.*\],"token_logp":\[-'
head -n 3 in >in3
expect 1 "$coho" score -q -m a -s in -t in3 -o scores
stderr_has 'in3'
stderr_is_one_line
absent scores
no_partial_files

finish
