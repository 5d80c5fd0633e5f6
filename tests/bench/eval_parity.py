"""Compares `coho eval` with sacreBLEU; see eval_parity.sh."""
import glob
import json
import logging
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "eval", "golden"))
from hard_cases import SETTINGS, cases
from sacrebleu.metrics import BLEU, CHRF, TER

logging.disable(logging.WARNING)
coho, work, case_count, wmt17 = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
compared = {"sentence_scores": 0, "corpus_reports": 0}
wrong = {"sentence_scores": 0, "corpus_reports": 0}
shown = 0


def note(kind, equal, text):
    global shown
    compared[kind] += 1
    if equal:
        return
    wrong[kind] += 1
    shown += 1
    if shown <= 20:
        print("differs:", text, file=sys.stderr)


def options(metric, arguments):
    names = {"tokenize": "-tok", "lowercase": "-lc", "smooth_method": "-s", "smooth_value": "-sv"}
    words = ["-m", metric]
    for key, value in arguments.items():
        if metric != "bleu":
            name = f"--{metric}-" + key.replace("_", "-")
        else:
            name = names.get(key, "--" + key.replace("_", "-"))
        if value is not False:
            words += [name] if value is True else [name, str(value)]
    return words


def run(refs, hyp, words):
    return subprocess.run([coho, "eval", *refs, "-i", hyp, "-q", "--force", *words],
                          check=True, capture_output=True, text=True).stdout


def make(metric, arguments):
    return {"bleu": BLEU, "chrf": CHRF, "ter": TER}[metric](**arguments)


def compare_corpus(refs, hyp, ref_lines, hyp_lines, metric, arguments):
    ours = json.loads(run(refs, hyp, options(metric, arguments) + ["-w", "9", "--json"]))
    scorer = make(metric, arguments)
    score = scorer.corpus_score(hyp_lines, ref_lines)
    theirs = json.loads(score.format(9, False, scorer.get_signature().format(), True))
    for report in ours, theirs:
        report["signature"] = report["signature"].replace(report.pop("version"), "")
    note("corpus_reports", list(ours.items()) == list(theirs.items()), f"{hyp}: {ours} / {theirs}")


def compare_sentences(refs, hyp, ref_lines, hyp_lines, metric, arguments):
    arguments = dict(arguments)
    if metric == "bleu":
        arguments["effective_order"] = True
    words = options(metric, arguments) + ["-sl", "-b", "-w", "6"]
    scorer = make(metric, arguments)
    ours = run(refs, hyp, words).splitlines()
    assert len(ours) == len(hyp_lines)
    for i, line in enumerate(hyp_lines):
        theirs = f"{scorer.sentence_score(line, [r[i] for r in ref_lines]).score:.6f}"
        note("sentence_scores", ours[i] == theirs,
             f"{words} {line!r} {[r[i] for r in ref_lines]!r}: {ours[i]}, sacreBLEU {theirs}")


def write(name, lines):
    path = os.path.join(work, name)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)
    return path


def in_file(text):
    """As a line of a file holds it and sacreBLEU reads it."""
    return text.replace("\n", " ").rstrip()


hard = [(in_file(h), [in_file(r) for r in refs if r is not None])
        for h, refs in cases(case_count, seed=2)]
for nrefs in 1, 2, 3:
    group = [(h, r) for h, r in hard if len(r) == nrefs]
    hyp_lines = [h for h, _ in group]
    ref_lines = [[r[k] for _, r in group] for k in range(nrefs)]
    hyp = write(f"hyp{nrefs}", hyp_lines)
    refs = [write(f"ref{nrefs}.{k}", lines) for k, lines in enumerate(ref_lines)]
    print(f"{len(group)} hard cases with {nrefs} references", file=sys.stderr)
    for metric, arguments in SETTINGS:
        compare_corpus(refs, hyp, ref_lines, hyp_lines, metric, arguments)
        compare_sentences(refs, hyp, ref_lines, hyp_lines, metric, arguments)

WMT17 = [("bleu", dict(tokenize=t, lowercase=lc)) for t, lc in
         (("13a", False), ("13a", True), ("intl", False), ("none", False), ("char", False),
          ("zh", False))] + [("chrf", dict()), ("chrf", dict(word_order=2)),
     ("ter", dict()), ("ter", dict(normalized=True, no_punct=True)), ("ter", dict(case_sensitive=True))]


def read(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return [line.rstrip() for line in file]


ref = os.path.join(wmt17, "newstest2017.ref.de")
systems = [p for p in sorted(glob.glob(os.path.join(wmt17, "newstest2017.*.en-de.de")))]
if not systems:
    print("skipped: no", wmt17, file=sys.stderr)
for hyp in systems:
    print(os.path.basename(hyp), file=sys.stderr)
    for metric, arguments in WMT17:
        compare_corpus([ref], hyp, [read(ref)], read(hyp), metric, arguments)

print("figure eval_parity.cases", len(hard), "cases")
print("figure eval_parity.systems", len(systems), "systems")
for kind in compared:
    print(f"figure eval_parity.{kind}", compared[kind], "figures")
    print(f"figure eval_parity.{kind}_different", wrong[kind], "figures")
sys.exit(1 if sum(wrong.values()) else 0)
