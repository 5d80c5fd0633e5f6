# eval_peers: wall time of whole processes, sacreBLEU's over ours: BLEU, chrF and TER of one system of
# WMT 2017 (3,004 segments), the paired bootstrap of all 16 systems with 1,000 samples; and our BLEU
# of 1,000,000 lines.
need_peers sacrebleu==2.6.0
systems=$root/../shared/data/wmt17_en_de_systems
ref=$systems/newstest2017.ref.de
hyp=$systems/newstest2017.uedin-nmt.4722.en-de.de
if [ ! -f "$ref" ]; then
    echo "skipped: no $ref" >&2
    exit 0
fi

# seconds TIMES COMMAND…: the fastest of so many runs.
seconds() {
    "$python" - "$@" <<'EOF'
import subprocess, sys, time
best = float("inf")
for _ in range(int(sys.argv[1])):
    start = time.perf_counter()
    subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
    best = min(best, time.perf_counter() - start)
print(f"{best:.5f}")
EOF
}

ratio() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a / b }'
}

# against NAME TIMES THEIR_TIMES ARGUMENTS…: both programs with the same arguments, the fastest runs.
against() {
    name=$1 times=$2 their_times=$3
    shift 3
    ours=$(seconds "$times" "$coho" eval "$@")
    theirs=$(seconds "$their_times" "$peers/bin/sacrebleu" "$@")
    figure "eval.${name}_s" "$ours" s
    figure "eval.${name}_sacrebleu_s" "$theirs" s
    figure "eval.$name" "$(ratio "$theirs" "$ours")" times
}

figure eval.start_s "$(seconds 20 "$coho" --version)" s
against bleu 40 5 "$ref" -i "$hyp"
against chrf 40 5 "$ref" -i "$hyp" -m chrf
against ter 20 2 "$ref" -i "$hyp" -m ter
against bootstrap 5 1 "$ref" -i "$systems"/newstest2017.*.en-de.de --paired-bs --paired-bs-n 1000 -f text -q

i=0
while [ $i -lt 333 ]; do
    cat "$ref" >&3
    cat "$hyp" >&4
    i=$((i + 1))
done 3>"$work/ref" 4>"$work/hyp"
figure eval.bleu_1m_lines_s "$(seconds 2 "$coho" eval "$work/ref" -i "$work/hyp")" s
