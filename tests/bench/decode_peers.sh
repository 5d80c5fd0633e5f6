# coho and CTranslate2 on the same text with the same weights (a CTranslate2 model is made of coho's), in
# alternating runs, medians.
#   sh tests/bench/run.sh decode_peers [ROW…]       without: all rows, about 15 minutes
# Rows: student_fp32_1t student_fp32_2t student_int8_1t student_int8_2t base_int8_beam5 int8_over_fp32 shortlist threads
# agreement int8_bleu_loss latency rss_ratio.  In the environment:
#   RUNS=5              alternating runs
#   LINES=100000        that go by in row rss_ratio; 1000000 takes about half an hour, the more so of
#   PEER_LINES=LINES    CTranslate2's share of it, whose memory can but grow with more
#   MODEL=FOLDER SPM=FILE   a trained transformer (pre-norm, all embeddings tied, joint vocabulary) for the rows agreement,
#                       int8_bleu_loss and latency; without: one of 4+4 layers, d=128, trained here for TRAIN=150 seconds
# Speed is that of random weights whose outputs all have 14 tokens, so that both do the same work: a student (6+2 layers of
# 256, ffn 1536) and transformer-base (6+6, 512/2048), vocabulary 32,000.  CTranslate2 gets the best of several
# batch sizes, of threads outside or inside its replicas, and of its int8 types, found before the runs that count.
data=$root/../shared/data
runs=${RUNS:-5}
lines=${LINES:-100000}
rows=${*:-student_fp32_1t student_fp32_2t student_int8_1t student_int8_2t base_int8_beam5 int8_over_fp32 shortlist threads \
agreement int8_bleu_loss latency rss_ratio}
if [ ! -r "$data/multi30k/train.en" ] || [ ! -r "$data/tatoeba_deu/train.en" ]; then
    echo "decode_peers: skipped, $data is absent" >&2
    exit 0
fi
need_peers ctranslate2 sentencepiece numpy || { echo "decode_peers: skipped, no CTranslate2" >&2; exit 0; }
peers="$python $root/tests/bench/decode_peers.py"
export OMP_NUM_THREADS=1

text=$work/text
thousand=$work/thousand
few=$work/few
spm=$work/v32k.spm
cat "$data"/multi30k/test_*.en >"$text"
head -n 1000 "$text" >"$thousand"
head -n 200 "$text" >"$few"

# ---- models, made when a row first wants them ----

vocabulary() {
    [ -e "$spm" ] || cat "$data"/tatoeba_deu/train.?? "$data/multi30k/train.en" "$data/multi30k/train.de" |
        "$coho" vocab - -o "$spm" --size 32000 >&2
}
model() {       # model NAME OPTION…: random weights
    name=$1
    shift
    [ ! -e "$work/$name.ct2" ] || return 0
    vocabulary
    head -n 200 "$data/multi30k/train.en" >"$work/begin.en"
    head -n 200 "$data/multi30k/train.de" >"$work/begin.de"
    "$coho" train -s "$work/begin.en" -t "$work/begin.de" -v "$spm" -o "$work/$name" --heads 8 --batch-tokens 300 \
        --max-updates 1 "$@" >&2
    $peers convert "$work/$name" "$spm" "$work/$name.ct2"
}
student() {
    model student --dim 256 --ffn 1536 --encoder-layers 6 --decoder-layers 2
}
base() {
    model base --dim 512 --ffn 2048 --encoder-layers 6 --decoder-layers 6
}
trained=${MODEL:-$work/trained}
trained_spm=${SPM:-$work/v4k.spm}
trained() {
    [ ! -e "$work/trained.ct2" ] || return 0
    if [ -z "${MODEL:-}" ]; then
        "$coho" vocab "$data/multi30k/train.en" "$data/multi30k/train.de" -o "$trained_spm" --size 4000 >&2
        "$coho" train -s "$data/multi30k/train.en" -t "$data/multi30k/train.de" -v "$trained_spm" -o "$trained" --dim 128 \
            --ffn 256 --heads 4 --encoder-layers 4 --decoder-layers 4 --dropout 0.1 --learning-rate 0.004 --warmup 300 \
            --batch-tokens 2500 --max-seconds "${TRAIN:-150}" >&2
    fi
    $peers convert "$trained" "$trained_spm" "$work/trained.ct2"
}

# ---- ways to measure ----

# Answers of the peers' script are `name ours theirs ratio …`.
ratio() {
    read -r name ours theirs ratio _ rest
    figure "decode.$name" "$ratio" ratio
    figure "decode.$name.coho" "$ours" "${1:-words/s}"
    figure "decode.$name.ctranslate2" "$theirs" "${1:-words/s}"
    echo "decode.$name: $rest" >&2
}
against_peer() {        # against_peer NAME MODEL TEXT THREADS BEAM PRODUCTS
    $peers run "$1" "$runs" "$coho" "$work/$2" "$work/$2.ct2" "$spm" "$3" "$4" "$5" 14 "$6" | ratio
}
# Words a second of coho, into a file of them.
speed() {       # speed FILE TEXT OPTION…
    file=$1 in=$2
    shift 2
    "$coho" translate -i "$in" -o "$work/out" --beam 1 --min-length 14 --max-length 14 "$@" 2>&1 |
        sed -n 's/.*: \([0-9,]*\) words.s$/\1/p' | tr -d , >>"$work/$file"
}
median() {
    sort -n "$work/$1" | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'
}
over() {        # over NAME FILE FILE: the ratio of two medians
    figure "decode.$1" "$(awk "BEGIN { printf \"%.3f\", $(median "$2") / $(median "$3") }")" ratio
    figure "decode.$1.$2" "$(median "$2")" words/s
    figure "decode.$1.$3" "$(median "$3")" words/s
}
bleu() {        # bleu PRODUCTS BEAM: of all three test sets
    "$coho" translate -q -m "$trained" --beam "$2" --products "$1" -i "$work/tests.en" -o "$work/tests.out"
    "$coho" eval "$work/tests.de" -i "$work/tests.out" -m bleu -b -w 3
}
# The most memory of coho in MB, and what it had when a tenth of the text had gone by.
memory() {
    "$coho" translate -m "$work/student8" --beam 1 --max-length 14 -i "$work/stream" -o - 2>/dev/null |
        awk -v tenth=$((lines / 10)) -v mark="$work/tenth" 'NR == tenth { print >mark; close(mark) }' &
    job=$!
    program=
    most=0 early=0
    while kill -0 $job 2>/dev/null; do
        [ -n "$program" ] || program=$(pgrep -n -f "^$coho translate -m $work/student8" || :)
        size=$(awk '/^VmHWM/ { print $2 }' "/proc/$program/status" 2>/dev/null || :)
        [ -z "$size" ] || most=$size
        [ "$early" != 0 ] || [ ! -e "$work/tenth" ] || early=$most
        sleep 0.1
    done
    wait $job
}

# ---- rows ----

for row in $rows; do
    case $row in
    student_*)
        student
        products=int8
        [ "${row#student_fp32}" = "$row" ] || products=float32
        threads=${row##*_}
        against_peer "$row" student "$text" "${threads%t}" 1 "$products" ;;
    base_int8_beam5)
        base
        against_peer "$row" base "$few" 1 5 int8 ;;
    int8_over_fp32)
        base
        for run in $(seq "$runs"); do
            speed float32 "$thousand" -m "$work/base" --threads 1 --products float32
            speed int8 "$thousand" -m "$work/base" --threads 1 --products int8
        done
        over "$row" int8 float32 ;;
    shortlist)
        student
        "$coho" shortlist -s "$data/multi30k/train.en" -t "$data/multi30k/train.de" -v "$spm" -o "$work/shortlist" >&2
        for run in $(seq "$runs"); do
            speed whole "$text" -m "$work/student" --threads 1 --products int8
            speed short "$text" -m "$work/student" --threads 1 --products int8 --shortlist "$work/shortlist"
        done
        over "$row" short whole ;;
    threads)            # seconds of work, so that the last few sentences, which one thread may have alone, weigh little
        student
        cat "$text" "$text" >"$work/long"
        for run in $(seq "$runs"); do
            speed one "$work/long" -m "$work/student" --products int8 --threads 1
            speed two "$work/long" -m "$work/student" --products int8 --threads 2
        done
        over "$row" two one ;;
    agreement)
        trained
        $peers run "$row" "$runs" "$coho" "$trained" "$work/trained.ct2" "$trained_spm" "$text" 1 1 0 float32 >"$work/answer"
        read -r _ _ _ quicker equal _ <"$work/answer"
        figure "decode.$row" "$equal" share
        figure "decode.$row.speed" "$quicker" ratio ;;
    int8_bleu_loss)
        trained
        cat "$data"/multi30k/test_*.en >"$work/tests.en"
        cat "$data"/multi30k/test_*.de >"$work/tests.de"
        for beam in 1 5; do
            before=$(bleu float32 $beam)
            after=$(bleu int8 $beam)
            [ $beam = 1 ] || row=$row.beam5
            figure "decode.$row" "$(awk "BEGIN { printf \"%.3f\", $before - $after }")" BLEU
        done ;;
    latency)
        trained
        $peers latency "$row" "$coho" "$trained" "$work/trained.ct2" "$trained_spm" "$few" float32 | ratio ms
        $peers latency "$row.int8" "$coho" "$trained" "$work/trained.ct2" "$trained_spm" "$few" int8 | ratio ms ;;
    rss_ratio)
        student
        "$coho" model quantize -q -o "$work/student8" "$work/student"
        $peers convert "$work/student" "$spm" "$work/student8.ct2" int8
        while cat "$data/multi30k/train.en"; do :; done 2>/dev/null | head -n "$lines" >"$work/stream"
        memory
        figure "decode.$row.coho" $((most / 1024)) MB
        figure "decode.$row.coho_growth" "$(((most - early) / 1024))" MB
        head -n "${PEER_LINES:-$lines}" "$work/stream" >"$work/stream.peer"
        theirs=$($peers rss "$work/student8.ct2" "$spm" "$work/stream.peer" 64)
        figure "decode.$row.ctranslate2" "$theirs" MB
        figure "decode.$row" "$(awk "BEGIN { printf \"%.3f\", $theirs / ($most / 1024) }")" ratio ;;
    *)
        echo "decode_peers: there is no row '$row'" >&2
        exit 2 ;;
    esac
done
