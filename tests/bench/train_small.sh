# Training speed of the small transformer (4+4 layers, d=128, ffn=256, vocabulary 4,000) on Multi30k
# en-de, batches of 4,000 target tokens, 2 threads: target tokens/s, and the share of the sgemm
# rate measured in the same run.
data=$root/../shared/data/multi30k
if [ ! -r "$data/train.en" ]; then
    echo "train_small: skipped, $data is absent" >&2
    exit 0
fi
cmake --build "$build" --target train_rate >&2
"$coho" vocab "$data/train.en" "$data/train.de" -o "$work/joint.spm" --size 4000 >&2
"$coho" corpus store "$data/train.en" "$data/train.de" -o "$work/train.store" -m "$work/joint.spm" >&2
"$build/bench/train_rate" --name train_small --vocab "$work/joint.spm" --store "$work/train.store" \
    --arch transformer --dim 128 --ffn 256 --heads 4 --encoder-layers 4 --decoder-layers 4 --dropout 0.2 \
    --batch-tokens 4000 --batch-source-tokens 6000 "$@"
