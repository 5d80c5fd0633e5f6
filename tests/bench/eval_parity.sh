# eval_parity [CASES]: coho eval against the sacrebleu package, segment by segment and report by
# report, on generated hard cases and, where the shared data is there, on the systems of WMT 2017.
need_peers sacrebleu==2.6.0
"$python" "$root/tests/bench/eval_parity.py" "$coho" "$work" "${1:-2500}" \
    "$root/../shared/data/wmt17_en_de_systems"
