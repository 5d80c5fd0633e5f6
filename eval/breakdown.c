/* Scores of parts of a test set. */
#include "eval/breakdown.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "eval/bag.h"

const struct band length_bands[LENGTH_BANDS] = {
    { 0, 5 }, { 6, 10 }, { 11, 15 }, { 16, 20 }, { 21, 30 }, { 31, 40 }, { 41, 60 }, { 61, UINT_MAX },
};
const struct band frequency_bands[FREQUENCY_BANDS] = {
    { 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 4 }, { 5, 9 }, { 10, 99 }, { 100, 999 }, { 1000, 9999 }, { 10000, UINT_MAX },
};

void band_text(char text[32], const struct band *b)
{
    if (b->to == UINT_MAX)
        snprintf(text, 32, "%u and more", b->from);
    else if (b->from == b->to)
        snprintf(text, 32, "%u", b->from);
    else
        snprintf(text, 32, "%u–%u", b->from, b->to);
}

static size_t band_of_number(const struct band *bands, unsigned number)
{
    size_t at = 0;
    while (number > bands[at].to)
        at++;
    return at;
}

/* ---- by length ---- */

static unsigned count_lettered(const struct diff_words *words)
{
    unsigned count = 0;
    for (size_t i = 0; i < words->count; i++)
        count += words->items[i].lettered;
    return count;
}

void length_bands_of(unsigned char *band_of, size_t *lines, const struct text *refs, size_t n)
{
    struct diff_words words = { 0 };
    for (size_t b = 0; b < LENGTH_BANDS; b++)
        lines[b] = 0;
    for (size_t i = 0; i < n; i++) {
        diff_read(&words, refs[i]);
        band_of[i] = (unsigned char)band_of_number(length_bands, count_lettered(&words));
        lines[band_of[i]]++;
    }
    diff_release(&words);
}

/* One system's; rows (n, width). */
static void score_bands(double *scores, const struct metric *metric, const struct metric_config *config,
                        const double *rows, size_t n, const unsigned char *band_of)
{
    size_t width = (size_t)metric_width(metric, config), lines[LENGTH_BANDS] = { 0 };
    double sums[LENGTH_BANDS][METRIC_WIDTH_MAX] = { { 0 } };
    for (size_t i = 0; i < n; i++) {
        lines[band_of[i]]++;
        for (size_t k = 0; k < width; k++)
            sums[band_of[i]][k] += rows[i * width + k];
    }
    for (size_t b = 0; b < LENGTH_BANDS; b++) {
        struct metric_report report;
        metric_report(&report, metric, config, sums[b], 1);
        scores[b] = lines[b] ? report.score : NAN;
    }
}

void length_scores(double *scores, const struct metric *metric, const struct metric_config *config,
                   const double *rows, size_t systems, size_t n, const unsigned char *band_of)
{
    size_t width = (size_t)metric_width(metric, config);
    for (size_t s = 0; s < systems; s++)
        score_bands(scores + s * LENGTH_BANDS, metric, config, rows + s * n * width, n, band_of);
}

/* ---- by frequency ---- */

double word_share_f1(const struct word_share *s)
{
    return s->hyp + s->ref > 0 ? 100 * 2 * s->right / (s->hyp + s->ref) : NAN;
}

static struct word_share *share_of(struct word_share *shares, const struct word_counts *counts, uint64_t hash)
{
    return &shares[band_of_number(frequency_bands, word_counts_find(counts, hash))];
}

/* The reference's words into the bag, and into the band of each. */
static void share_ref(struct word_share *shares, struct bag *bag, const struct word_counts *counts,
                      const struct diff_words *ref)
{
    bag_reset(bag, ref->count);
    for (size_t k = 0; k < ref->count; k++)
        if (ref->items[k].lettered) {
            bag_put(bag, ref->items[k].hash);
            share_of(shares, counts, ref->items[k].hash)->ref++;
        }
}

static void share_hyp(struct word_share *shares, struct bag *bag, const struct word_counts *counts,
                      const struct diff_words *hyp)
{
    bag_rewind(bag);
    for (size_t k = 0; k < hyp->count; k++)
        if (hyp->items[k].lettered) {
            struct word_share *share = share_of(shares, counts, hyp->items[k].hash);
            share->hyp++;
            share->right += bag_match(bag, hyp->items[k].hash) == BAG_MATCH;
        }
}

void word_shares(struct word_share *shares, const struct word_counts *counts, const struct text *const *hyps,
                 size_t systems, const struct text *refs, size_t n)
{
    struct word_share refs_share[FREQUENCY_BANDS] = { { 0 } };
    struct diff_words words = { 0 };
    struct bag bag = { 0 };
    for (size_t i = 0; i < systems * FREQUENCY_BANDS; i++)
        shares[i] = (struct word_share){ 0 };
    for (size_t i = 0; i < n; i++) {
        diff_read(&words, refs[i]);
        share_ref(refs_share, &bag, counts, &words);
        for (size_t s = 0; s < systems; s++) {
            diff_read(&words, hyps[s][i]);
            share_hyp(shares + s * FREQUENCY_BANDS, &bag, counts, &words);
        }
    }
    for (size_t i = 0; i < systems * FREQUENCY_BANDS; i++)
        shares[i].ref = refs_share[i % FREQUENCY_BANDS].ref;
    bag_release(&bag);
    diff_release(&words);
}
