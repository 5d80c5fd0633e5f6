# eval_parity [CASES [SYSTEMS]]: coho eval against the sacrebleu package, segment by segment, report by
# report and command by command, on generated hard cases and, where the shared data is there, on the
# systems of WMT 2017 (those whose names match the expression SYSTEMS; all: some 25 minutes on 2 cores).
# SentencePiece 0.2 chooses otherwise among pieces as likely as each other: 4 of 5,351 hard texts.
need_peers "sacrebleu[ja,ko]==2.6.0" sentencepiece==0.1.99
"$python" "$root/tests/bench/eval_parity.py" "$coho" "$work" "${1:-2500}" \
    "$root/../shared/data/wmt17_en_de_systems" "${2:-.}"
