# What a line gives in float32 hangs on nothing but the line: neither on the batch, nor on the threads, the window, the
# budget or the way in; bit for bit, on models that have learnt something.  $1: the coho program.
. "$(dirname "$0")/lib.sh"
. "$here/toy.sh"

expect 0 "$coho" vocab toy.src toy.trg -o toy.spm --size 44 --soft-limit
train="$coho train -s toy.src -t toy.trg -v toy.spm --dim 32 --ffn 64 --heads 4 --encoder-layers 1 --decoder-layers 1
       --batch-tokens 300 --learning-rate 0.006 --warmup 20 --max-updates 150 --threads 2"
expect 0 $train -o transformer
expect 0 $train -o ssru --decoder-layer ssru
expect 0 $train -o lstm --arch lstm --learning-rate 0.01
{ head -n 60 toy.src; echo; tail -n 40 toy.src; } >lines
expect 0 "$coho" shortlist -q -s toy.src -t toy.trg -v toy.spm -o list

# alike MODELS OPTION…: everything that is told of all lines, nine digits a number, is the same whatever changes around them.
alike()
{
    models=$1
    shift
    expect 0 "$coho" translate -q -m $models -i lines --json --threads 1 --batch-sentences 1 "$@"
    stdout_lines 101
    cp .seen/stdout alone
    for how in '--threads 1 --batch-sentences 7' '--threads 2' '--threads 3 --window 11' '--threads 2 --batch-tokens 60' \
               '--threads 2 --stream' '--threads 2 --memory 160M'; do
        expect 0 "$coho" translate -q -m $models -i lines --json $how "$@"
        checks=$((checks + 1))
        cmp -s .seen/stdout alone || fail "$models $* differs with $how"
    done
}
for model in transformer ssru lstm; do
    alike $model --beam 5 --n-best 5
    expect 0 "$coho" translate -q -m $model -i lines --beam 5
    grep -v '^$' .seen/stdout | sort -u | wc -l | awk '{ exit $1 < 30 }' || fail "$model has learnt nothing: few different outputs"
done
alike transformer --beam 1
alike lstm --beam 4 --beam-groups 2 --n-best 4
alike ssru --sampling --sampling-top-p 0.9 --n-best 3
alike transformer --beam 3 --shortlist list
alike 'transformer lstm' --beam 4 --n-best 2 --average log

finish
