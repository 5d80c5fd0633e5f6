"""python3 papers.py NAME RUN: what the claims of the paper NAME come to in the table of the recipe's run.

Prints `figure papers.<name>.<claim> <value> <unit>` a claim, each row of the table on standard error, and
writes RUN/claims.md, the rows and `| claim | found | asked for | holds |`, for docs/results.md.

To add a claim: a row below.  A value is made of figures, row and key as in table.json, which carry the
deviation over seeds with them; where a row is absent, the claim is "not measured".
"""
import glob
import json
import math
import os
import sys


class Figure:
    """A mean and its deviation over seeds; of independent ones, as rows of other seeds are."""

    def __init__(self, mean, deviation=0.0):
        self.mean, self.deviation = mean, deviation

    def __sub__(self, other):
        return Figure(self.mean - other.mean, math.hypot(self.deviation, other.deviation))

    def __truediv__(self, other):
        ratio = self.mean / other.mean
        return Figure(ratio, abs(ratio) * math.hypot(self.deviation / self.mean if self.mean else 0,
                                                     other.deviation / other.mean))


class Table:
    def __init__(self, rows):
        self.rows = rows

    def __call__(self, row, key):
        if self.rows[row].get(key) is None:
            raise KeyError(key)
        return Figure(self.rows[row][key], self.rows[row].get(key + '_sd') or 0.0)



def most(*figures):
    return max(figures, key=lambda f: f.mean)


def gap(t, row):
    return t(row, 'bleu_beam5') - t(row, 'bleu_greedy')


def beats_beam(name, says, student, baseline):
    return (name, says, 'BLEU', lambda t: t(student, 'bleu_greedy') - t(baseline, 'bleu_beam5'), '>=', 0)


def faster(name, says, student):
    return (name, says, 'times', lambda t: t(student, 'words_per_s_greedy') / t('teacher', 'words_per_s_beam5'), '>=', 8)


# name, what is claimed, unit, value of a table, '>=' or '<=', what is asked for
KIM_RUSH = [
    beats_beam('seq_kd_greedy', 'Seq-KD greedy over the baseline\'s beam 5', 'seq_kd', 'baseline'),
    ('gap_share', 'gap of beam over greedy, Seq-KD\'s over the baseline\'s', '',
     lambda t: gap(t, 'seq_kd') / gap(t, 'baseline'), '<=', 0.5),
    ('mode_share', 'p(ŷ), Seq-KD over baseline', 'times',
     lambda t: t('seq_kd', 'mode_share') / t('baseline', 'mode_share'), '>=', 3),
    ('perplexity', 'perplexity of gold, Seq-KD over baseline', 'times',
     lambda t: t('seq_kd', 'perplexity') / t('baseline', 'perplexity'), '>=', 1),
    ('bleu_gain', 'at the same time BLEU, greedy, over the baseline', 'BLEU',
     lambda t: t('seq_kd', 'bleu_greedy') - t('baseline', 'bleu_greedy'), '>=', 0),
    ('word_kd', 'word-KD alone is a small gain: greedy over the baseline', 'BLEU',
     lambda t: t('word_kd', 'bleu_greedy') - t('baseline', 'bleu_greedy'), '>=', 0),
    ('together', 'all methods together over the best one alone, greedy', 'BLEU',
     lambda t: t('all three', 'bleu_greedy') - most(*(t(r, 'bleu_greedy') for r in
                                                      ('word_kd', 'seq_kd', 'seq_kd+seq_inter'))), '>=', 0),
    faster('speed', 'greedy student over beam-5 teacher, words a second', 'seq_kd'),
]


def gap_of(name, seq_kd, baseline, whose):
    return (name, f'the same gap, of the {whose}', '', lambda t: gap(t, seq_kd) / gap(t, baseline), '<=', 0.5)


def kept(name, says, pruned, whole):
    """A claim: after retraining a pruned model is within half a BLEU of another one, greedy."""
    return (name, says, 'BLEU', lambda t: t(pruned, 'bleu_greedy') - t(whole, 'bleu_greedy'), '>=', -0.5)


KIM_RUSH_TRANSFORMER = KIM_RUSH + [
    gap_of('large_gap_share', 'larger seq_kd', 'larger baseline', 'larger students'),
    kept('half', '55% pruned and retrained over the whole model, greedy', 'pruned 55%, retrained', 'seq_kd+seq_inter'),
    kept('pruned', '80% pruned and retrained over the whole model, greedy', '… retrained', 'seq_kd+seq_inter'),
    kept('large_pruned', 'the same of the larger student', 'larger, … retrained', 'larger seq_kd'),
    kept('large_pruned_longer', 'the same over the whole larger student trained on for as long', 'larger, … retrained',
         'larger seq_kd, trained on'),
]
KIM_RUSH_LSTM = KIM_RUSH + [
    beats_beam('small_seq_kd_greedy', 'Seq-KD greedy over the baseline\'s beam 5, smaller students', 'smaller seq_kd',
               'smaller baseline'),
    faster('small_speed', 'smaller greedy student over beam-5 teacher, words a second', 'smaller seq_kd'),
    gap_of('small_gap_share', 'smaller seq_kd', 'smaller baseline', 'smaller students'),
    kept('pruned', '80% pruned and retrained over the whole model, greedy', '… retrained', 'seq_kd'),
    kept('pruned_longer', 'the same over the whole model trained on for as long', '… retrained', 'seq_kd, trained on'),
    kept('small_half', '55% of the smaller student pruned and retrained over the whole one', 'smaller, pruned 55%, retrained',
         'smaller seq_kd'),
    kept('small_pruned', '80% of the smaller student', 'smaller, … retrained', 'smaller seq_kd'),
]


def nll(t, row):
    perplexity = t(row, 'perplexity')
    return Figure(math.log(perplexity.mean), perplexity.deviation / perplexity.mean)


def greedy(t, row):
    return t(row, 'bleu_greedy')


def gain(name, what, rows, over, at_least=0):
    """A claim: greedy BLEU of a row less that of another one; of several, the best one's counts."""
    def best(t, some):
        return most(*(greedy(t, row) for row in ([some] if isinstance(some, str) else some)))
    return (name, what, 'BLEU', lambda t: best(t, rows) - best(t, over), '>=', at_least)


def least(*figures):
    return min(figures, key=lambda f: f.mean)


GENERATIONS = ['generation 0', 'generation 1', 'generation 2', 'generation 3']
BORN_AGAIN = [
    ('generation_1', 'generation 1 better than generation 0: NLL of held-out text, less by', 'nats',
     lambda t: nll(t, 'generation 0') - nll(t, 'generation 1'), '>=', 0),
    gain('generation_1_bleu', 'generation 1 over generation 0, greedy', 'generation 1', 'generation 0'),
    ('ensemble', 'the ensemble of all better than the best generation: NLL, less by', 'nats',
     lambda t: least(*(nll(t, g) for g in GENERATIONS)) - nll(t, 'ensemble of all'), '>=', 0),
    gain('ensemble_bleu', 'the ensemble of all over the best generation, greedy', 'ensemble of all', GENERATIONS),
]

SLIM = [f'slim, generation {g}' for g in range(1, 6)]
KNOWLEDGE_EVOLUTION = [
    gain('rise', 'the slim half, generation 5 over generation 1', SLIM[4], SLIM[0]),
    ('least_step', 'the smallest rise from one generation to the next', 'BLEU',
     lambda t: least(*(greedy(t, SLIM[g + 1]) - greedy(t, SLIM[g]) for g in range(4))), '>=', 0),
    ('first_share', 'the slim half\'s share of the dense network\'s BLEU, generation 1', '',
     lambda t: greedy(t, SLIM[0]) / greedy(t, 'dense, generation 1'), '<=', 0.5),
    ('last_share', 'the same, generation 5', '',
     lambda t: greedy(t, SLIM[4]) / greedy(t, 'dense, generation 5'), '>=', 0.9),
]

TARGETS = [
    gain('word_kd', 'word-KD over smoothed gold', 'word-kd', 'gold, smoothed'),
    gain('sharp_teacher', 'a teacher trained without smoothing over a smoothed one', 'word-kd', 'word-kd, smoothed teacher'),
    gain('topk', 'eight tokens of the teacher over smoothed gold', 'kd-topk 8, renormalised', 'gold, smoothed'),
    gain('cwtm', 'gold weighted by the teacher\'s confidence (CWTM) over gold', 'cwtm', 'gold'),
    gain('dkpp', 'the teacher\'s other tokens permuted (DKPP) over gold', 'dkpp', 'gold'),
    gain('dark', 'word-KD over DKPP: which token gets what does matter', 'word-kd', 'dkpp'),
    gain('sim', 'likeness of embeddings without a teacher (KD-sim) over gold', 'kd-sim', 'gold'),
]

SELECTIVE = [
    gain('batch', 'the hardest half of a batch over all tokens', 'hardest half of the batch', 'all tokens'),
    gain('queue', 'the hardest half of a queue over all tokens', 'hardest half of a queue', 'all tokens'),
    gain('queue_over_batch', 'the queue over the batch', 'hardest half of a queue', 'hardest half of the batch'),
    gain('all', 'all tokens over gold alone', 'all tokens', 'gold alone'),
]

def on_policy_gains(suffix, row, says, base=''):
    """What the student's own outputs are worth beside gold prefixes, in one group of rows of the recipe."""
    return [gain(f'{slug}_{share}{suffix}', f'{name}: λ = {by} over λ = 0{says}', f'{name}, λ = {by}{row}', f'{name}, λ = 0{base}')
            for slug, name in (('kl', 'KL'), ('rkl', 'reverse KL'), ('jsd', 'JSD')) for share, by in (('half', '0.5'), ('1', '1'))]


GKD = on_policy_gains('', '', '')
GKD += on_policy_gains('_cool', ', cool', ', samples at temperature 0.5')
GKD += on_policy_gains('_plain', ', plain', ', nothing smoothed', ', plain')
GKD.append(gain('teacher', 'KL of the teacher at λ = 0 over more of gold', 'KL, λ = 0', 'longer on gold'))

CAPACITY = [
    gain('smaller', 'the best of smaller teachers over the largest',
         ['… by width 96', '… by width 64', '… by width 32'], '… taught by width 160'),
    gain('cut', 'the largest one\'s word left out in the second half, over all through', '… by width 160, cut off',
         '… taught by width 160'),
    gain('stopped', 'the largest one stopped early over the whole', '… by the stopped one', '… taught by width 160'),
    gain('taught', 'taught by the largest one over gold alone', '… taught by width 160', 'student, gold alone'),
]

AIR = [
    gain('air', 'AIR over plain training on corrupted targets', '… AIR', '40% corrupted'),
    gain('air_over_smoothing', 'AIR over label smoothing', '… AIR', '… label smoothing'),
    gain('sharpening', 'AIR with sharpened targets over AIR without', '… AIR', '… AIR without sharpening'),
    ('won_back', 'share of what the wrong targets cost that AIR wins back', '',
     lambda t: (greedy(t, '… AIR') - greedy(t, '40% corrupted')) / (greedy(t, 'clean targets') - greedy(t, '40% corrupted')),
     '>=', 0.25),
]

SEMI_SUPERVISED = [
    gain('pseudo', 'Pseudo-Label over 2,000 pairs alone', '… Pseudo-Label', '2,000 pairs'),
    gain('pseudo_over_more', 'Pseudo-Label over as many batches of the 2,000 pairs', '… Pseudo-Label', '… trained on'),
    gain('meta', 'Meta Pseudo Labels over 2,000 pairs alone', '… Meta Pseudo Labels', '2,000 pairs'),
    gain('meta_over_pseudo', 'Meta Pseudo Labels over Pseudo-Label', '… Meta Pseudo Labels', '… Pseudo-Label'),
    gain('told', 'a teacher that is told how its student does over one that is not', '… Meta Pseudo Labels',
         '… a teacher that is told nothing'),
    gain('sign', 'the theory\'s sign over the published one', '… Meta Pseudo Labels', '… the published sign'),
]

RND = [
    ('shuffled', 'area under the ROC curve, unseen lines of the domain against shuffled ones', '',
     lambda t: t('novelty', 'auc_shuffled'), '>=', 0.9),
    ('foreign', 'the same against lines of another language', '', lambda t: t('novelty', 'auc_foreign'), '>=', 0.9),
    gain('new_lines', 'a student of new lines over one of the most familiar lines', 'student of new lines',
         'student of the most familiar lines'),
]

CLAIMS = {
    'kim-rush-transformer': KIM_RUSH_TRANSFORMER, 'kim-rush-lstm': KIM_RUSH_LSTM, 'born-again': BORN_AGAIN,
    'knowledge-evolution': KNOWLEDGE_EVOLUTION, 'targets': TARGETS, 'selective-kd': SELECTIVE, 'gkd': GKD,
    'capacity': CAPACITY, 'air': AIR, 'semi-supervised': SEMI_SUPERVISED, 'rnd': RND,
}
COLUMNS = [('bleu_greedy', 'BLEU, greedy', '{:.2f}'), ('bleu_beam5', 'beam 5', '{:.2f}'), ('perplexity', 'perplexity', '{:.2f}'),
           ('mode_share', 'p(ŷ)', '{:.4f}')]


def print_rows(t):
    for row in t.rows:
        for key in t.rows[row]:
            if not key.endswith('_sd') and key != 'runs' and t.rows[row][key] is not None:
                f = t(row, key)
                print(f'{row}: {key} {f.mean:g}' + (f' ± {f.deviation:g}' if f.deviation else ''), file=sys.stderr)


def verdict(f, relation, asked):
    """Whether a claim holds; told apart where the deviation over seeds leaves that open."""
    word = 'yes' if (f.mean >= asked if relation == '>=' else f.mean <= asked) else '**no**'
    return word + (', within the spread' if abs(f.mean - asked) < f.deviation else '')


def claim_row(paper, t, claim):
    name, what, unit, value, relation, asked = claim
    wanted = f'{"at least" if relation == ">=" else "at most"} {asked:g}'
    try:
        f = value(t)
    except (KeyError, ZeroDivisionError) as missing:
        print(f'{paper}: {name}: not measured ({missing})', file=sys.stderr)
        return f'| {what} | not measured | {wanted} | |'
    print(f'figure papers.{paper}.{name} {f.mean:.4g} {unit or "ratio"}')
    number = '+.2f' if unit == 'BLEU' else '.3f'
    return f'| {what} | {f.mean:{number}} ± {f.deviation:{number[-3:]}} {unit} | {wanted} | {verdict(f, relation, asked)} |'


def figure_row(t, row):
    def cell(key, number):
        if t.rows[row].get(key) is None:
            return ''
        f = t(row, key)
        return number.format(f.mean) + (' ± ' + number.format(f.deviation) if t.rows[row].get('runs', 1) > 1 else '')
    return '| ' + ' | '.join([row] + [cell(key, number) for key, _, number in COLUMNS]) + ' |'


def table_lines(t):
    """The rows that have scores, as a table of Markdown."""
    head = ['| | ' + ' | '.join(title for _, title, _ in COLUMNS) + ' |', '|---' * (1 + len(COLUMNS)) + '|']
    return head + [figure_row(t, row) for row in t.rows if t.rows[row].get('bleu_greedy') is not None]


def flat(row):
    """A row of figures.json, {column: {mean, sd}}, as one of table.json."""
    out = {}
    for key, value in row.items():
        out[key], out[key + '_sd'] = value['mean'], value.get('sd')
    return out


def read_table(run):
    """The table of the recipe's run, with the rows of its `figures` stages."""
    with open(os.path.join(run, 'table.json')) as f:
        rows = json.load(f)
    for path in sorted(glob.glob(os.path.join(run, '*', 'figures.json'))):
        with open(path) as f:
            rows.update({name: flat(row) for name, row in json.load(f).items()})
    return Table(rows)


def main():
    paper, run = sys.argv[1:]
    t = read_table(run)
    print_rows(t)
    claims = ['| claim | found | asked for | holds |', '|---|---|---|---|']
    claims += [claim_row(paper, t, claim) for claim in CLAIMS[paper]]
    with open(os.path.join(run, 'claims.md'), 'w') as f:
        f.write('\n'.join(table_lines(t) + [''] + claims) + '\n')


main()
