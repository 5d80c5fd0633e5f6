# A lexical shortlist: the speed that it gives a student of 6+2 layers, width 256, vocabulary 32,000, and
# what it costs in BLEU on Multi30k.
#   sh tests/bench/run.sh decode_shortlist [MODEL SPM]
# Speed: greedy, one thread, newstest2017's first lines, as many tokens out as in, whole processes less
# their start, 5 alternating rounds, medians; the weights are random, which changes nothing in speed.
# BLEU: the model in the folder MODEL with vocabulary SPM; without: one trained here for 15 minutes.
pairs=$root/../shared/data/tatoeba_deu
text=$root/../shared/data/wmt17_en_de_systems/newstest2017.src.en
multi=$root/../shared/data/multi30k
for file in "$pairs/train.en" "$text" "$multi/train.en"; do
    [ -r "$file" ] || { echo "decode_shortlist: skipped, $file is absent" >&2; exit 0; }
done

# ---- speed ----

head -n 400 "$text" >"$work/in"
head -n 2000 "$pairs/train.en" >"$work/few.en"
head -n 2000 "$pairs/train.de" >"$work/few.de"
"$coho" vocab "$pairs/train.en" "$pairs/train.de" -o "$work/big.spm" --size 32000 >&2
"$coho" shortlist -s "$pairs/train.en" -t "$pairs/train.de" -v "$work/big.spm" -o "$work/big.sl" >&2
"$coho" train -s "$work/few.en" -t "$work/few.de" -v "$work/big.spm" -o "$work/student" --dim 256 --ffn 1024 \
    --heads 8 --encoder-layers 6 --decoder-layers 2 --batch-tokens 500 --max-updates 1 >&2

# Seconds of translating, as the program itself tells them.
seconds() {
    "$coho" translate -m "$work/student" -i "$work/in" --beam 1 --threads 1 --max-length-factor 1 \
        --max-length-offset 0 --min-length-factor 1 -o "$work/out" "$@" 2>&1 >/dev/null |
        sed -n 's/.* source words in \([0-9.]*\) s: .*/\1/p'
}
median() {
    sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
seconds --shortlist "$work/big.sl" >/dev/null
for round in 1 2 3 4 5; do
    seconds >>"$work/whole"
    seconds --shortlist "$work/big.sl" >>"$work/short"
done
figure decode.shortlist "$(awk "BEGIN { printf \"%.2f\", $(median "$work/whole") / $(median "$work/short") }")" ratio

# ---- what it costs ----

if [ $# -ge 2 ]; then
    model=$1
    spm=$2
else
    model=$work/model
    spm=$work/joint.spm
    "$coho" vocab "$multi/train.en" "$multi/train.de" -o "$spm" --size 4000 >&2
    "$coho" train -s "$multi/train.en" -t "$multi/train.de" -v "$spm" -o "$model" --dim 128 --ffn 256 --heads 4 \
        --encoder-layers 4 --decoder-layers 4 --dropout 0.2 --batch-tokens 3000 --learning-rate 0.003 \
        --warmup 600 --ema 0.999 --max-epochs 18 >&2
fi
"$coho" shortlist -s "$multi/train.en" -t "$multi/train.de" -v "$spm" -o "$work/multi.sl" >&2
bleu() {
    "$coho" translate -q -m "$model" -i "$multi/test_2016_flickr.en" "$@" |
        "$coho" eval "$multi/test_2016_flickr.de" -b -w 2
}
for beam in 1 5; do
    whole=$(bleu --beam $beam)
    short=$(bleu --beam $beam --shortlist "$work/multi.sl")
    figure decode.shortlist_bleu_loss_beam$beam "$(awk "BEGIN { printf \"%.2f\", $whole - $short }")" BLEU
done
