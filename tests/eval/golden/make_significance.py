"""Writes significance.json, the figures that tests/eval/significance_test.c compares with:

    pip install sacrebleu==2.6.0 numpy && python tests/eval/golden/make_significance.py

Three systems are made of the cases of sacrebleu.jsonl (but the very long ones): the hypotheses;
these with every third one replaced by its reference; these with every fourth one replaced by the
hypothesis after it.  References are all of a case, or the first one alone.
"""
import json
import logging
import os

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

logging.disable(logging.WARNING)
here = os.path.dirname(os.path.abspath(__file__))
lines = open(os.path.join(here, "sacrebleu.jsonl"), encoding="utf-8").read().split("\n")[1:-1]
cases = [c for c in map(json.loads, lines) if c["times"] == 1]
first = [next(r for r in c["refs"] if r is not None) for c in cases]
hyps = [c["hyp"] for c in cases]
N = len(hyps)
systems = [("a", hyps), ("b", [first[i] if i % 3 == 0 else hyps[i] for i in range(N)]),
           ("c", [hyps[(i + 1) % N] if i % 4 == 0 else hyps[i] for i in range(N)])]
widest = max(len(c["refs"]) for c in cases)
streams = {"first_ref": [first],
           "all_refs": [[c["refs"][k] if k < len(c["refs"]) else None for c in cases]
                        for k in range(widest)]}
SETTINGS = [("bleu", dict()), ("bleu", dict(smooth_method="add-k", smooth_value=0.4)),
            ("bleu", dict(smooth_method="floor", effective_order=True, tokenize="char")),
            ("chrf", dict()), ("chrf", dict(word_order=2, eps_smoothing=True)), ("ter", dict())]
KINDS = {"bleu": BLEU, "chrf": CHRF, "ter": TER}


def plain(result):
    return [None if x is None else float(x) for x in
            (result.score, result.mean, result.ci, result.p_value)]


out = {"sacrebleu": sacrebleu.__version__, "tests": []}
for metric, arguments in SETTINGS:
    for refs in streams:
        options = {("" if metric == "bleu" else metric + "-") + k.replace("_", "-"): v
                   for k, v in arguments.items()}
        one = {"metric": metric, "options": options, "refs": refs}
        for kind, samples in ("bs", 200), ("ar", 300):
            test = PairedTest(systems, {"M": KINDS[metric](references=streams[refs], **arguments)}, None,
                              test_type=kind, n_samples=samples)
            _, scores = test()
            one[kind] = [plain(r) for r in next(v for k, v in scores.items() if k != "System")]
        score = KINDS[metric](references=streams[refs], **arguments).corpus_score(hyps, None, n_bootstrap=150)
        one["ci"] = [float(score.score), float(score._mean), float(score._ci)]
        out["tests"].append(one)
with open(os.path.join(here, "significance.json"), "w", encoding="utf-8") as file:
    json.dump(out, file, indent=1)
    file.write("\n")
