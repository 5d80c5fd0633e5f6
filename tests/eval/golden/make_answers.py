"""Writes answers.json, the figures that tests/eval/answers_test.c compares with:

    pip install scikit-learn scipy seqeval && python tests/eval/golden/make_answers.py

Each case holds the lines of gold answers and predictions, and for each metric the score and the
ends of SciPy's bootstrap interval with default_rng(12345).
"""
import json
import os
import random
import warnings

import numpy as np
import scipy
from importlib.metadata import version
import sklearn
from scipy import stats
from seqeval.metrics import f1_score as span_f1, precision_score as span_p, recall_score as span_r
from sklearn import metrics as sk

warnings.simplefilter("ignore")
SAMPLES = 120
rng = random.Random(7)


LABELS = {"accuracy": sk.accuracy_score,
          "exact_match": sk.accuracy_score,
          "f1_macro": lambda g, p: sk.f1_score(g, p, average="macro", zero_division=0),
          "f1_micro": lambda g, p: sk.f1_score(g, p, average="micro", zero_division=0),
          "f1_weighted": lambda g, p: sk.f1_score(g, p, average="weighted", zero_division=0),
          "mcc": sk.matthews_corrcoef}
NUMBERS = {"pearson": lambda g, p: stats.pearsonr(g, p).statistic,
           "spearman": lambda g, p: stats.spearmanr(g, p).statistic,
           "mse": sk.mean_squared_error,
           "mae": sk.mean_absolute_error}


def split(function):
    return lambda g, p: function([x.split() for x in g], [x.split() for x in p], zero_division=0)


TAGS = {"span_f1": split(span_f1), "span_precision": split(span_p), "span_recall": split(span_r)}


def case(functions, gold, predicted):
    n = len(gold)
    out = {"gold": [str(x) for x in gold], "predicted": [str(x) for x in predicted], "figures": {}}
    for name, function in functions.items():
        def statistic(draws):
            draws = [int(i) for i in draws]
            return function([gold[i] for i in draws], [predicted[i] for i in draws])
        interval = stats.bootstrap((np.arange(n),), statistic, n_resamples=SAMPLES, vectorized=False,
                                   method="percentile", rng=np.random.default_rng(12345))
        low, high = interval.confidence_interval
        out["figures"][name] = [None if np.isnan(x) else float(x) for x in
                                (function(gold, predicted), low, high)]
    return out


def noisy(gold, values, share):
    return [rng.choice(values) if rng.random() < share else g for g in gold]


def tagging(words, style):
    out = []
    while len(out) < words:
        kind, length = rng.choice(["PER", "LOC", "ORG-X", "MISC"]), rng.randint(1, 4)
        if rng.random() < 0.5:
            out += ["O"] * length
        elif style == "iob2":
            out += ["B-" + kind] + ["I-" + kind] * (length - 1)
        elif style == "iob1":
            out += ["I-" + kind] * length
        elif style == "bioes":
            out += ["S-" + kind] if length == 1 else \
                ["B-" + kind] + ["I-" + kind] * (length - 2) + ["E-" + kind]
        else:
            out += [rng.choice("BIES") + "-" + kind for _ in range(length)]
    return " ".join(out[:words])


cases = []
for n, values, share in (120, ["yes", "no"], 0.3), (80, list("abcdefgh"), 0.5), (40, ["x y", "größer", "O"], 0.9):
    gold = [rng.choice(values) for _ in range(n)]
    cases.append(case(LABELS, gold, noisy(gold, values + ["unseen"], share)))
cases.append(case(LABELS, ["a"] * 20, ["a"] * 20))
cases.append(case(LABELS, ["a"] * 20, ["b"] * 20))
for n, spread in (100, 1.0), (60, 30.0):
    gold = [rng.gauss(5, 3) for _ in range(n)]
    cases.append(case(NUMBERS, gold, [g + rng.gauss(0, spread) for g in gold]))
gold = [rng.randint(0, 5) for _ in range(90)]
cases.append(case(NUMBERS, gold, noisy(gold, range(6), 0.4)))
cases.append(case(NUMBERS, [1e6 + i * 1e-3 for i in range(50)], [rng.random() for _ in range(50)]))
for style in "iob2", "iob1", "bioes", "wild":
    gold = [tagging(rng.randint(1, 15), style) for _ in range(60)]
    predicted = [" ".join(noisy(g.split(), tagging(30, style).split(), 0.25)) for g in gold]
    cases.append(case(TAGS, gold, predicted))

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "answers.json")
with open(path, "w", encoding="utf-8") as file:
    json.dump({"scikit-learn": sklearn.__version__, "scipy": scipy.__version__,
               "seqeval": version("seqeval"), "samples": SAMPLES, "cases": cases}, file,
              ensure_ascii=False, indent=1)
    file.write("\n")
