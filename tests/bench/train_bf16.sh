# Whether training at bfloat16 learns as much: the Multi30k transformer (4+4 layers, d=128, ffn=256, V=4,000)
# from scratch at fp32 and at bf16, the same batches, masks and first weights; the NLL of the
# validation set at the end, mean of the seeds, and the speed of both.
#   sh tests/bench/run.sh train_bf16 [UPDATES [SEEDS]]      400 and "1 2"; some 6 minutes
# The longer one: sh tests/bench/run.sh train_learning --systems "fp32 bf16".
m30k=$root/../shared/data/multi30k
if [ ! -r "$m30k/train.en" ]; then
    echo "train_bf16: skipped, $m30k is absent" >&2
    exit 0
fi
if ! grep -q avx512_bf16 /proc/cpuinfo; then
    echo "train_bf16: skipped, this processor has no AVX512-BF16" >&2
    exit 0
fi
updates=${1:-400}
seeds=${2:-1 2}
"$coho" vocab "$m30k/train.en" "$m30k/train.de" -o "$work/joint.spm" --size 4000 >&2
for seed in $seeds; do
    for precision in fp32 bf16; do
        rm -rf "$work/model"
        "$coho" train -s "$m30k/train.en" -t "$m30k/train.de" --dev-source "$m30k/val.en" --dev-target "$m30k/val.de" \
            -v "$work/joint.spm" -o "$work/model" --precision $precision --seed "$seed" --dim 128 --ffn 256 --heads 4 \
            --encoder-layers 4 --decoder-layers 4 --dropout 0.2 --batch-tokens 2500 --learning-rate 0.002 --warmup 300 \
            --ema 0.99 --max-updates "$updates" --validate-every "$updates" >&2
        nll=$(sed -n 's/.*"valid_nll":\([0-9.]*\).*/\1/p' "$work/model/log.jsonl" | tail -n 1)
        rate=$(sed -n 's/.*"tokens_per_s":\([0-9.]*\).*/\1/p' "$work/model/log.jsonl" | tail -n 1)
        echo "$precision $nll $rate" >>"$work/all"
    done
done
awk '{ nll[$1] += $2; rate[$1] += $3; n[$1]++ }
    END { for (p in n) { printf "figure train_bf16.%s_nll %.4f nats\n", p, nll[p] / n[p]
                         printf "figure train_bf16.%s %.0f target-tokens/s\n", p, rate[p] / n[p] }
          printf "figure train_bf16.nll_difference %.4f nats\n", nll["bf16"] / n["bf16"] - nll["fp32"] / n["fp32"] }' "$work/all"
