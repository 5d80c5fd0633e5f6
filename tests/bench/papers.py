"""python3 papers.py NAME RUN: what the claims of the paper NAME come to in the table of the recipe's run.

Prints `figure papers.<name>.<claim> <value> <unit>` a claim, each row of the table on standard error, and
writes RUN/claims.md: `| claim | found | asked for | holds |` for docs/results.md.

To add a claim: a row below.  A value is made of figures, row and key as in table.json, which carry the
deviation over seeds with them; where a row is absent, the claim is "not measured".
"""
import json
import math
import os
import re
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


# name, what is claimed, unit, value of a table, '>=' or '<=', what is asked for
KIM_RUSH = [
    ('seq_kd_greedy', 'Seq-KD greedy over the baseline\'s beam 5', 'BLEU',
     lambda t: t('seq_kd', 'bleu_greedy') - t('baseline', 'bleu_beam5'), '>=', 0),
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
    ('pruned', '80% pruned and retrained over the whole model, greedy', 'BLEU',
     lambda t: t('… retrained', 'bleu_greedy') - t('seq_kd+seq_inter', 'bleu_greedy'), '>=', -0.5),
    ('speed', 'greedy student over beam-5 teacher, words a second', 'times',
     lambda t: t('seq_kd', 'words_per_s_greedy') / t('teacher', 'words_per_s_beam5'), '>=', 8),
]
CLAIMS = {'kim-rush-transformer': KIM_RUSH, 'kim-rush-lstm': KIM_RUSH}


def slug(text):
    return re.sub(r'[^a-z0-9]+', '_', text.lower()).strip('_')


def print_rows(paper, t):
    """Every figure of the table, for those that have no claims yet."""
    for row in t.rows:
        for key in t.rows[row]:
            if key.endswith('_sd') or key == 'runs' or t.rows[row][key] is None:
                continue
            f = t(row, key)
            print(f'{row}: {key} {f.mean:g}' + (f' ± {f.deviation:g}' if f.deviation else ''), file=sys.stderr)
            if paper not in CLAIMS:
                print(f'figure papers.{paper}.{slug(row)}.{key} {f.mean:g} {"± %g" % f.deviation}')


def holds(value, relation, asked):
    return value >= asked if relation == '>=' else value <= asked


def claim_row(paper, t, claim):
    name, what, unit, value, relation, asked = claim
    wanted = f'{"at least" if relation == ">=" else "at most"} {asked:g}'
    try:
        f = value(t)
    except (KeyError, ZeroDivisionError) as missing:
        print(f'{paper}: {name}: not measured ({missing})', file=sys.stderr)
        return f'| {what} | not measured | {wanted} | |'
    print(f'figure papers.{paper}.{name} {f.mean:.4g} {unit or "ratio"}')
    sign = '+' if unit == 'BLEU' else ''
    return (f'| {what} | {f.mean:{sign}.2f} ± {f.deviation:.2f} {unit} | {wanted} | '
            f'{"yes" if holds(f.mean, relation, asked) else "**no**"} |').replace('  ', ' ')


def main():
    paper, run = sys.argv[1:]
    with open(os.path.join(run, 'table.json')) as f:
        t = Table(json.load(f))
    print_rows(paper, t)
    rows = [claim_row(paper, t, claim) for claim in CLAIMS.get(paper, [])]
    with open(os.path.join(run, 'claims.md'), 'w') as f:
        f.write('| claim | found | asked for | holds |\n|---|---|---|---|\n' + '\n'.join(rows) + '\n')


main()
