"""Writes sacrebleu.jsonl, the figures that tests/eval/golden_test.c compares with:

    pip install sacrebleu==2.6.0 && python tests/eval/golden/make.py

Line 1 holds the settings and, for all cases taken as one corpus, sacreBLEU's text and JSON under
each of them: with all references (their number varies) and with the first one alone.  Each
further line is a case: hyp, refs, and its sentence score under each setting with 4 decimals.
`times` repeats a case's texts, which keeps very long lines out of this file; TER, which takes
sacreBLEU the square of their length, gets at most TER_TIMES of them.
"""
import json
import logging
import os

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF, TER

from hard_cases import LONG, SETTINGS, cases

logging.disable(logging.WARNING)
CASES = 500
TER_TIMES = 200


def repeated(metric, text, times):
    return None if text is None else text * min(times, TER_TIMES if metric == "ter" else times)


def make(metric, arguments):
    return {"bleu": BLEU, "chrf": CHRF, "ter": TER}[metric](**arguments)


def report(metric, hyps, refs):
    score = metric.corpus_score(hyps, refs)
    signature = metric.get_signature().format().replace(sacrebleu.__version__, "VERSION")
    return {"text": score.format(4, False, signature),
            "json": score.format(7, False, signature, True)}


def option(metric, key):
    return ("" if metric == "bleu" else metric + "-") + key.replace("_", "-")


all_cases = [(h, r, 1) for h, r in cases(CASES)] + LONG
widest = max(len(r) for _, r, _ in all_cases)


def corpus(metric):
    hyps = [repeated(metric, h, t) for h, _, t in all_cases]
    streams = [[repeated(metric, r[k], t) if k < len(r) else None for _, r, t in all_cases]
               for k in range(widest)]
    first = [[repeated(metric, next(x for x in r if x is not None), t) for _, r, t in all_cases]]
    return hyps, streams, first


out = open(os.path.join(os.path.dirname(__file__), "sacrebleu.jsonl"), "w", encoding="utf-8")
head = {"sacrebleu": sacrebleu.__version__, "ter_times": TER_TIMES, "settings": []}
for metric, arguments in SETTINGS:
    hyps, streams, first = corpus(metric)
    head["settings"].append({
        "metric": metric, "options": {option(metric, k): v for k, v in arguments.items()},
        "all_refs": report(make(metric, arguments), hyps, streams),
        "first_ref": report(make(metric, arguments), hyps, first)})
print(json.dumps(head), file=out)
for h, r, t in all_cases:
    scores = []
    for metric, arguments in SETTINGS:
        refs = [repeated(metric, x, t) for x in r]
        score = make(metric, arguments).sentence_score(repeated(metric, h, t), refs).score
        scores.append(f"{score:.4f}")
    print(json.dumps({"hyp": h, "refs": r, "times": t, "scores": scores}), file=out)
