# eval_peers: wall time of whole processes, sacreBLEU's over ours, on one system of WMT 2017
# (3,004 segments), and our BLEU of 1,000,000 lines.
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

figure eval.start_s "$(seconds 20 "$coho" --version)" s
for metric in bleu chrf; do
    ours=$(seconds 20 "$coho" eval "$ref" -i "$hyp" -m $metric)
    theirs=$(seconds 3 "$python" -m sacrebleu "$ref" -i "$hyp" -m $metric)
    figure eval.${metric}_s "$ours" s
    figure eval.${metric}_sacrebleu_s "$theirs" s
    figure eval.$metric "$(ratio "$theirs" "$ours")" times
done

i=0
while [ $i -lt 333 ]; do
    cat "$ref" >&3
    cat "$hyp" >&4
    i=$((i + 1))
done 3>"$work/ref" 4>"$work/hyp"
figure eval.bleu_1m_lines_s "$(seconds 2 "$coho" eval "$work/ref" -i "$work/hyp")" s
