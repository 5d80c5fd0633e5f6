# Whether coho's updates teach as much as PyTorch's: the Multi30k transformer (4+4 layers, d=128, ffn=256,
# V=4,000, dropout 0.2, label smoothing 0.1, Adam, moving average) trained by both from scratch
# with the same number of updates over the same batches in the same order; BLEU of greedy decoding on
# test_2016_flickr, mean of the seeds.
#   sh tests/bench/run.sh train_learning [OPTIONS]
#     --updates N       4000, some 20 epochs
#     --seeds "1 2 3"
#     --systems "torch fp32"       also bf16: coho at that precision
#     --threads 2       of each; of both, so that seeds may run side by side with one
#     --keep FOLDER     works there: what was done before is not done again, what was stopped goes on
# Of 4,000 updates a seed takes PyTorch some 40 minutes of 2 cores and coho 13.  Piece by piece:
#   for seed in 1 2 3; do sh tests/bench/run.sh train_learning --keep ~/learning --seeds $seed; done
#   sh tests/bench/run.sh train_learning --keep ~/learning      # all done: the figures
m30k=$root/../shared/data/multi30k
if [ ! -r "$m30k/train.en" ]; then
    echo "train_learning: skipped, $m30k is absent" >&2
    exit 0
fi
updates=4000
seeds="1 2 3"
systems="torch fp32"
threads=2
keep=$work
while [ $# -gt 0 ]; do
    case $1 in
    --updates) updates=$2 ;;
    --seeds) seeds=$2 ;;
    --systems) systems=$2 ;;
    --threads) threads=$2 ;;
    --keep) mkdir -p "$2"; keep=$(cd "$2" && pwd) ;;
    *) echo "train_learning: what is '$1'?" >&2; exit 2 ;;
    esac
    shift 2
done
shape="--dim 128 --ffn 256 --heads 4 --encoder-layers 4 --decoder-layers 4 --dropout 0.2 --batch-tokens 2500"
[ -f "$keep/joint.spm" ] || "$coho" vocab "$m30k/train.en" "$m30k/train.de" -o "$keep/joint.spm" --size 4000 >&2

learn_torch() {
    need_peers torch sentencepiece
    cmake --build "$build" --target train_rate >&2
    "$coho" corpus store "$m30k/train.en" "$m30k/train.de" -o "$work/train.store" -m "$keep/joint.spm" >&2
    # shellcheck disable=SC2086
    "$build/bench/train_rate" $shape --seed "$1" --vocab "$keep/joint.spm" --store "$work/train.store" \
        --updates "$updates" --batches "$work/batches"
    "$python" "$root/tests/bench/train_learning.py" "$work/batches" "$updates" "$1" "$keep/joint.spm" \
        "$m30k/test_2016_flickr.en" "$work/out" "$keep/torch.$updates.$1" "$threads"
}

learn_coho() {
    folder=$keep/$2.$updates.$1
    # shellcheck disable=SC2086
    "$coho" train -s "$m30k/train.en" -t "$m30k/train.de" -v "$keep/joint.spm" -o "$folder" $shape --seed "$1" \
        --threads "$threads" --precision "$2" --learning-rate 0.002 --warmup 600 --ema 0.999 --max-updates "$updates" --save-every 500 \
        --resume >&2
    "$coho" translate -q -m "$folder" --beam 1 -i "$m30k/test_2016_flickr.en" -o "$work/out" >&2
}

for seed in $seeds; do
    for system in $systems; do
        score=$keep/$system.$updates.$seed.bleu
        [ -f "$score" ] && continue
        case $system in
        torch) learn_torch "$seed" ;;
        *) learn_coho "$seed" "$system" ;;
        esac
        "$coho" eval "$m30k/test_2016_flickr.de" -i "$work/out" -b -w 2 >"$work/bleu"
        mv "$work/bleu" "$score"
        echo "train_learning: $system, seed $seed, $updates updates: $(cat "$score") BLEU" >&2
    done
done
for system in $systems; do
    for seed in $seeds; do
        echo "$system $(cat "$keep/$system.$updates.$seed.bleu")"
    done
done | awk '{ sum[$1] += $2; count[$1]++ }
    END { for (name in sum) { mean[name] = sum[name] / count[name]
              printf "figure train_learning.%s %.2f BLEU\n", name, mean[name] }
          if ("torch" in mean && "fp32" in mean)
              printf "figure train_learning.difference %.2f BLEU\n", mean["fp32"] - mean["torch"]
          if ("bf16" in mean && "fp32" in mean)
              printf "figure train_learning.bf16_difference %.2f BLEU\n", mean["bf16"] - mean["fp32"] }'
