# coho and CTranslate2 on the same text with the same weights (a CTranslate2 model is made of coho's), in
# alternating runs: words/s on one and two cores, float32 and int8, latency, memory, and how many lines come
# out alike.  Speed is measured on models of random weights whose outputs all have 14 tokens, so that both
# do the same work: a student (6+2 layers of 256, ffn 1536) and transformer-base (6+6, 512/2048), vocabulary
# 32,000.  Agreement and BLEU are of a model (4+4, 128) that is trained here for TRAIN seconds.
#   sh tests/bench/run.sh decode_peers [RUNS [TRAIN [LINES]]]      5 runs, 150 seconds, 20,000 lines for memory
data=$root/../shared/data
runs=${1:-5}
train=${2:-150}
lines=${3:-20000}
if [ ! -r "$data/multi30k/train.en" ] || [ ! -r "$data/tatoeba_deu/train.en" ]; then
    echo "decode_peers: skipped, $data is absent" >&2
    exit 0
fi
need_peers ctranslate2 sentencepiece numpy || { echo "decode_peers: skipped, no CTranslate2" >&2; exit 0; }
peers="$python $root/tests/bench/decode_peers.py"
export OMP_NUM_THREADS=1

text=$work/text
head -n 1000 "$data/multi30k/test_2016_flickr.en" >"$text"
head -n 120 "$text" >"$work/few"
head -n 200 "$data/multi30k/train.en" >"$work/begin.en"
head -n 200 "$data/multi30k/train.de" >"$work/begin.de"
cat "$data"/tatoeba_deu/train.?? "$data"/multi30k/train.en "$data"/multi30k/train.de >"$work/all"
"$coho" vocab "$work/all" -o "$work/v32k.spm" --size 32000 >&2

model()         # model NAME OPTION…: random weights
{
    name=$1
    shift
    "$coho" train -s "$work/begin.en" -t "$work/begin.de" -v "$work/v32k.spm" -o "$work/$name" --heads 8 \
        --batch-tokens 300 --max-updates 1 "$@" >&2
    $peers convert "$work/$name" "$work/v32k.spm" "$work/$name.ct2"
}
model student --dim 256 --ffn 1536 --encoder-layers 6 --decoder-layers 2
model base --dim 512 --ffn 2048 --encoder-layers 6 --decoder-layers 6

# Answers of the peers' script are `name ours theirs ratio …`.
ratio()
{
    read -r name ours theirs ratio _
    figure "decode.$name" "$ratio" ratio
    figure "decode.$name.coho" "$ours" "${1:-words/s}"
    figure "decode.$name.ctranslate2" "$theirs" "${1:-words/s}"
}
for threads in 1 2; do
    for products in float32 int8; do
        $peers run "student_$([ $products = int8 ] && echo int8 || echo fp32)_${threads}t" "$runs" "$coho" "$work/student" \
            "$work/student.ct2" "$work/v32k.spm" "$text" $threads 1 14 $products | ratio
    done
done
$peers run base_int8_beam5 "$runs" "$coho" "$work/base" "$work/base.ct2" "$work/v32k.spm" "$work/few" 1 5 14 int8 8,16,32 | ratio

# Speed of coho against itself: the medians of alternating runs.  --scores: both compute all logits.
speed()         # speed FILE TEXT OPTION…
{
    file=$1 in=$2
    shift 2
    "$coho" translate -i "$in" -o "$work/out" --threads 1 --beam 1 --min-length 14 --max-length 14 "$@" 2>&1 |
        sed -n 's/.*: \([0-9,]*\) words.s$/\1/p' | tr -d , >>"$file"
}
median()
{
    sort -n "$1" | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'
}
"$coho" shortlist -s "$data/multi30k/train.en" -t "$data/multi30k/train.de" -v "$work/v32k.spm" -o "$work/shortlist" >&2
for run in $(seq "$runs"); do
    speed "$work/fp32" "$work/few" -m "$work/base" --scores --products float32
    speed "$work/int8" "$work/few" -m "$work/base" --scores --products int8
    speed "$work/whole" "$text" -m "$work/student" --products int8 --scores
    speed "$work/short" "$text" -m "$work/student" --products int8 --scores --shortlist "$work/shortlist"
done
figure decode.int8_over_fp32 "$(awk "BEGIN { printf \"%.3f\", $(median "$work/int8") / $(median "$work/fp32") }")" ratio
figure decode.shortlist "$(awk "BEGIN { printf \"%.3f\", $(median "$work/short") / $(median "$work/whole") }")" ratio

# A trained model.
"$coho" vocab "$data/multi30k/train.en" "$data/multi30k/train.de" -o "$work/v4k.spm" --size 4000 >&2
"$coho" train -s "$data/multi30k/train.en" -t "$data/multi30k/train.de" -v "$work/v4k.spm" -o "$work/small" --dim 128 \
    --ffn 256 --heads 4 --encoder-layers 4 --decoder-layers 4 --dropout 0.1 --learning-rate 0.004 --warmup 300 \
    --batch-tokens 2500 --max-seconds "$train" >&2
$peers convert "$work/small" "$work/v4k.spm" "$work/small.ct2"
$peers run agreement "$runs" "$coho" "$work/small" "$work/small.ct2" "$work/v4k.spm" "$text" 1 1 0 float32 64 >"$work/answer"
read -r _ ours theirs speed equal _ <"$work/answer"
figure decode.agreement "$equal" share
figure decode.small_fp32_1t "$speed" ratio
$peers run small_int8_1t "$runs" "$coho" "$work/small" "$work/small.ct2" "$work/v4k.spm" "$text" 1 1 0 int8 64 | ratio
$peers latency latency "$coho" "$work/small" "$work/small.ct2" "$work/v4k.spm" "$work/few" float32 | ratio ms

bleu()          # bleu PRODUCTS: of all three test sets
{
    "$coho" translate -q -m "$work/small" --beam 1 --products "$1" -i "$work/tests.en" -o "$work/tests.out"
    "$coho" eval "$work/tests.de" -i "$work/tests.out" -m bleu --json | sed -n 's/.*"score": *\([0-9.]*\).*/\1/p' | head -n 1
}
cat "$data"/multi30k/test_*.en >"$work/tests.en"
cat "$data"/multi30k/test_*.de >"$work/tests.de"
figure decode.int8_bleu_loss "$(awk "BEGIN { printf \"%.2f\", $(bleu float32) - $(bleu int8) }")" BLEU

# Memory: the student in int8, streams of lines; the model of each is quantised on disk.
"$coho" model quantize -q -o "$work/student8" "$work/student"
$peers convert "$work/student" "$work/v32k.spm" "$work/student8.ct2" int8
while cat "$data/multi30k/train.en"; do :; done 2>/dev/null | head -n "$lines" >"$work/stream"
"$coho" translate -q -m "$work/student8" --beam 1 --max-length 14 -i "$work/stream" -o "$work/out" &
job=$!
most=0
while size=$(awk '/^VmHWM/ { print $2 }' "/proc/$job/status" 2>/dev/null) && [ -n "$size" ]; do
    most=$size
    sleep 0.1
done
wait $job
theirs=$($peers rss "$work/student8.ct2" "$work/v32k.spm" "$work/stream" 64)
figure decode.rss_ratio "$(awk "BEGIN { printf \"%.3f\", $theirs / ($most / 1024) }")" ratio
figure decode.rss_ratio.coho $((most / 1024)) MB
figure decode.rss_ratio.ctranslate2 "$theirs" MB
