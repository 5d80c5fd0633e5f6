# Quality on Multi30k en-de after training from scratch: BLEU (cased, detokenised, 13a) of the small
# transformer and of an LSTM on test_2016_flickr, beam 5 and greedy, with the training time.
#   sh tests/bench/run.sh multi30k [transformer|lstm]      both, by default; 35 and 20 minutes
data=$root/../shared/data/multi30k
if [ ! -r "$data/train.en" ]; then
    echo "multi30k: skipped, $data is absent" >&2
    exit 0
fi

# Trains with the remaining options and prints the figures of one model.
multi30k_model() {
    model=$1
    shift
    start=$(date +%s)
    "$coho" train -s "$data/train.en" -t "$data/train.de" --dev-source "$data/val.en" \
        --dev-target "$data/val.de" -v "$work/joint.spm" -o "$work/$model" --arch "$model" \
        --schedule linear --validate-decode --metric bleu "$@" >&2
    figure "multi30k.${model}_minutes" "$(( ($(date +%s) - start + 30) / 60 ))" min
    for beam in 1 5; do
        "$coho" translate -q -m "$work/$model" --beam $beam -i "$data/test_2016_flickr.en" -o "$work/out" >&2
        figure "multi30k.${model}_bleu_beam$beam" \
            "$("$coho" eval "$data/test_2016_flickr.de" -i "$work/out" -b -w 2)" BLEU
    done
}

"$coho" vocab "$data/train.en" "$data/train.de" -o "$work/joint.spm" --size 4000 --character-coverage 1 >&2
case ${1:-both} in
both|transformer)
    multi30k_model transformer --dim 128 --ffn 256 --heads 4 --encoder-layers 4 --decoder-layers 4 \
        --dropout 0.25 --batch-tokens 3000 --learning-rate 0.003 --warmup 1000 --ema 0.999 --max-epochs 45 ;;
esac
case ${1:-both} in
both|lstm)
    multi30k_model lstm --dim 256 --encoder-layers 2 --decoder-layers 2 --dropout 0.3 \
        --batch-tokens 2000 --learning-rate 0.002 --warmup 400 --ema 0.998 --max-epochs 13 ;;
esac
