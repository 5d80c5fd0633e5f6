# Training speed beside PyTorch's (its stock modules, eager and compiled, 2 threads) and, where it is
# installed, Marian's: the same sizes, the same batches, medians of alternating rounds.
#   sh tests/bench/run.sh train_peers [small|base|lstm …] [--rounds N]
# small: transformer 4+4, d=128, ffn=256, V=4,000, Multi30k; base: transformer 6+6, 512/2048, V=32,000,
# newstest2017; lstm: 2x500, attention, input feeding, V=8,000, Multi30k.
shared=$root/../shared/data
if [ ! -r "$shared/multi30k/train.en" ]; then
    echo "train_peers: skipped, $shared is absent" >&2
    exit 0
fi
need_peers torch
cmake --build "$build" --target train_rate >&2

# prepare MODEL SIZE SOURCE TARGET [MORE TEXT FOR THE VOCABULARY…]
prepare() {
    model=$1 size=$2 source=$3 target=$4
    shift 4
    "$coho" vocab "$source" "$target" "$@" -o "$work/$model.spm" --size "$size" >&2
    "$coho" corpus store "$source" "$target" -o "$work/$model.store" -m "$work/$model.spm" >&2
    echo "$size" >"$work/$model.size"
}

rounds=3
models=
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2; shift ;;
    *) models="$models $1" ;;
    esac
    shift
done
for model in ${models:-small base lstm}; do
    m30k=$shared/multi30k wmt=$shared/wmt17_en_de_systems tatoeba=$shared/tatoeba_deu
    case $model in
    small) prepare small 4000 "$m30k/train.en" "$m30k/train.de" ;;
    lstm) prepare lstm 8000 "$m30k/train.en" "$m30k/train.de" ;;
    base) prepare base 32000 "$wmt/newstest2017.src.en" "$wmt/newstest2017.ref.de" "$m30k/train.en" \
              "$m30k/train.de" "$tatoeba/train.en" "$tatoeba/train.de" ;;
    *) echo "train_peers: small, base or lstm, not '$model'" >&2; exit 2 ;;
    esac
    "$python" "$root/tests/bench/train_peers.py" "$build/bench/train_rate" "$work" "$model" "$rounds"
done

# Marian trains on text, so its rate comes from its own log; skipped where it is not installed.
if ! command -v marian >/dev/null; then
    echo "train_peers: no marian on the path, left out" >&2
elif [ -f "$work/small.spm" ]; then
    marian --cpu-threads 2 --type transformer --dim-emb 128 --transformer-dim-ffn 256 --transformer-heads 4 \
        --enc-depth 4 --dec-depth 4 --tied-embeddings-all --mini-batch-words 4000 --maxi-batch 32 --workspace 2000 \
        --train-sets "$shared/multi30k/train.en" "$shared/multi30k/train.de" --vocabs "$work/small.spm" "$work/small.spm" \
        --model "$work/marian.npz" --label-smoothing 0.1 --after-batches 60 --disp-freq 10 --clip-norm 1 >&2 2>"$work/marian.log"
    rate=$(sed -n 's/.* \([0-9.]*\) words\/s.*/\1/p' "$work/marian.log" | tail -n 4 | sort -n | sed -n 2p)
    figure train_peers.small.marian "$rate" target-words/s
fi
