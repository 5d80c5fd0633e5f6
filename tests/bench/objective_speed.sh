# Training speed with every objective beside plain cross-entropy, the small transformer of
# train_small on Multi30k en-de, the teacher of the same size: target tokens/s, and as a share of
# cross-entropy's once the teacher's own pass is taken off.
data=$root/../shared/data/multi30k
if [ ! -r "$data/train.en" ]; then
    echo "objective_speed: skipped, $data is absent" >&2
    exit 0
fi
cmake --build "$build" --target objective_speed >&2
"$coho" vocab "$data/train.en" "$data/train.de" -o "$work/joint.spm" --size 4000 >&2
"$coho" corpus store "$data/train.en" "$data/train.de" -o "$work/train.store" -m "$work/joint.spm" >&2
"$build/bench/objective_speed" --vocab "$work/joint.spm" --store "$work/train.store" \
    --arch transformer --dim 128 --ffn 256 --heads 4 --encoder-layers 4 --decoder-layers 4 --dropout 0.2 \
    --batch-tokens 4000 --batch-source-tokens 6000 "$@"
