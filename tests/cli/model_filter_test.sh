# Filters of a corpus that ask models: cross-entropy and dual conditional cross-entropy.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
. "$here/toy.sh"

expect 0 "$coho" vocab toy.src toy.trg -o toy.spm --size 48
train()         # train FOLDER SOURCE TARGET
{
    expect 0 "$coho" train -s "$2" -t "$3" -v toy.spm -o "$1" --threads 2 --dim 32 --ffn 64 --heads 2 --encoder-layers 1 \
        --decoder-layers 1 --batch-tokens 800 --learning-rate 0.01 --warmup 20 --dropout 0 --max-updates 120
}
train forward toy.src toy.trg
train backward toy.trg toy.src

# Every tenth translation is that of another line.
awk 'NR == FNR { line[NR] = $0; n = NR; next } { print FNR % 10 ? $0 : line[(FNR + 4) % n + 1] }' toy.trg toy.trg >noisy.trg
awk 'NR == FNR { a[NR] = $0; next } a[FNR] != $0 { print FNR }' toy.trg noisy.trg >wrong
clean="corpus clean toy.src noisy.trg --dedup none --max-ratio 0 --dropped dropped.tsv"

# found REASON: of those that were dropped for the reason, nearly all are wrong ones, and nearly all wrong ones are among them.
found()
{
    awk -F '\t' -v reason="$1" '$2 == reason { print $1 }' dropped.tsv | sort >gone
    sort wrong >sorted
    both=$(join gone sorted | wc -l)
    checks=$((checks + 1))
    [ $((20 * both)) -ge $((18 * $(wc -l <gone))) ] && [ $((20 * both)) -ge $((17 * $(wc -l <wrong))) ] ||
        fail "$1: $both of $(wc -l <wrong) wrong pairs are among $(wc -l <gone) that were dropped"
}
expect 0 "$coho" $clean -o one --score-model forward --max-cross-entropy 2
stdout_has '^cross_entropy  *[1-9]'
found cross_entropy
expect 0 "$coho" $clean -o two --score-model forward --reverse-model backward --max-dual-cross-entropy 2.5
found dual_cross_entropy
[ $(($(wc -l <two.src) + $(wc -l <gone))) -eq 400 ] || fail 'pairs are lost'

# The threshold is what coho score says, a token.
"$coho" score -q -m forward -s toy.src -t noisy.trg --per-token >scores
awk -F '\t' '{ n = split($2, each, " "); s = 0; for (i = 1; i <= n; i++) s -= each[i]; if (s / n > 2) print NR }' scores >above
"$coho" $clean -q -o one --score-model forward --max-cross-entropy 2 >/dev/null
cut -f 1 dropped.tsv >gone
checks=$((checks + 1))
cmp -s above gone || fail "other pairs than those that coho score finds: $(wc -l <above) and $(wc -l <gone)"

# A threshold without its model is an error that says which.
expect 1 "$coho" $clean -o none --max-cross-entropy 2
stderr_has 'score-model'
stderr_is_one_line
expect 1 "$coho" $clean -o none --score-model forward --max-dual-cross-entropy 2
stderr_has 'reverse-model'
expect 1 "$coho" $clean -o none --score-model absent --max-cross-entropy 2
stderr_has 'absent'
stderr_is_one_line
absent none.src
finish
