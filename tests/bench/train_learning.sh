# Whether coho's updates teach as much as PyTorch's: the Multi30k transformer (4+4 layers, d=128, ffn=256,
# V=4,000, dropout 0.2, label smoothing 0.1, Adam, moving average) trained by both from scratch
# with the same number of updates over the same batches in the same order; BLEU of greedy decoding on
# test_2016_flickr, mean of the seeds.  Hours.
#   sh tests/bench/run.sh train_learning [UPDATES [SEEDS]]      4000 and "1 2 3"
#   sh tests/bench/run.sh train_learning 4000 "1 2 3" bf16      coho at bf16 as well
m30k=$root/../shared/data/multi30k
if [ ! -r "$m30k/train.en" ]; then
    echo "train_learning: skipped, $m30k is absent" >&2
    exit 0
fi
need_peers torch sentencepiece
cmake --build "$build" --target train_rate >&2
updates=${1:-4000}
seeds=${2:-1 2 3}
precisions="fp32 ${3:-}"
shape="--dim 128 --ffn 256 --heads 4 --encoder-layers 4 --decoder-layers 4 --dropout 0.2 --batch-tokens 2500"
"$coho" vocab "$m30k/train.en" "$m30k/train.de" -o "$work/joint.spm" --size 4000 >&2
"$coho" corpus store "$m30k/train.en" "$m30k/train.de" -o "$work/train.store" -m "$work/joint.spm" >&2

bleu() {
    "$coho" eval "$m30k/test_2016_flickr.de" -i "$1" -b -w 2
}

for seed in $seeds; do
    # shellcheck disable=SC2086
    "$build/bench/train_rate" $shape --seed "$seed" --vocab "$work/joint.spm" --store "$work/train.store" \
        --updates "$updates" --batches "$work/batches"
    "$python" "$root/tests/bench/train_learning.py" "$work/batches" "$updates" "$seed" "$work/joint.spm" \
        "$m30k/test_2016_flickr.en" "$work/out.torch"
    echo "torch $(bleu "$work/out.torch")" >>"$work/bleu"
    for precision in $precisions; do
        # shellcheck disable=SC2086
        "$coho" train -s "$m30k/train.en" -t "$m30k/train.de" -v "$work/joint.spm" -o "$work/model.$seed.$precision" \
            $shape --seed "$seed" --precision "$precision" --learning-rate 0.002 --warmup 600 --ema 0.999 \
            --max-updates "$updates" >&2
        "$coho" translate -q -m "$work/model.$seed.$precision" --beam 1 -i "$m30k/test_2016_flickr.en" -o "$work/out" >&2
        echo "$precision $(bleu "$work/out")" >>"$work/bleu"
    done
    sed "s/^/train_learning, seed $seed so far: /" "$work/bleu" >&2
done
awk '{ sum[$1] += $2; count[$1]++ }
    END { for (name in sum) { mean[name] = sum[name] / count[name]
              printf "figure train_learning.%s %.2f BLEU\n", name, mean[name] }
          printf "figure train_learning.difference %.2f BLEU\n", mean["fp32"] - mean["torch"]
          if ("bf16" in mean) printf "figure train_learning.bf16_difference %.2f BLEU\n", mean["bf16"] - mean["fp32"] }' \
    "$work/bleu"
