/* Slips and stretches.
 *
 * When a line is lost or added, the lines behind it fit their neighbours' partners better than their
 * own.  How well two lines fit is judged by their lengths, numbers and final marks, and by a
 * lexicon that is learnt on the way: how often two words come in lines that lie near each other.  Since
 * it counts all pairs of lines up to FAR apart alike, it favours no shift, whatever is wrong.
 *
 * For each shift k a running sum of
 *
 *     fit(source i, target i + base + k) - fit(source i, target i + base) - MARGIN,   never below 0,
 *
 * stays near 0 while the texts are in step and climbs after a slip (Page's CUSUM).  When one passes
 * the threshold, the place that best divides the lines before and after it is looked for line by
 * line, `base` becomes base + k, and the search goes on from there.
 *
 * The first WARM lines wait until the lexicon has seen them; after that every STRIDE-th is learnt
 * and judged. */
#include "corpora/aligner.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"

#define FAR 4                       /* shifts of 1 … FAR lines either way */
#define SHIFTS (2 * FAR + 1)
#define BASE_MOST 64                /* lines that the texts may be apart altogether */
#define LAG (BASE_MOST + FAR + 1)   /* a line is judged when so many have come after it */
#define RING 32768                  /* lines that are remembered; a power of two */
#define WARM 16384
#define STRIDE 16
#define WORDS 24                    /* of a line, at most */
#define KEYS 4                      /* words of a line that the lexicon looks at */
#define KEY_LEAST 3                 /* how often such a word was seen at least */
#define COUNT_CELLS ((size_t)1 << 18)
#define PAIR_CELLS ((size_t)1 << 22)
#define MARGIN 0.05
#define THRESHOLD 8.0
#define WINDOW 500                  /* lines whose lengths are correlated */
#define SETTLED 1000                /* lines after which a slip before them would have been noticed */

struct marks {
    float length;                   /* log of the number of characters */
    char last;                      /* the final mark when it is one of .?!: */
    uint8_t words;
    uint64_t numbers;               /* a hash of the digit sequences, in any order; 0: none */
    uint32_t word[WORDS];
};

/* Sums for a correlation. */
struct moments { double n, x, y, xx, yy, xy; };

struct window { struct stretch where; double spread; };

struct aligner {
    struct marks *source, *target;              /* rings: line i at i % RING */
    uint32_t *counts[2];                        /* of words, hashed, on each side */
    uint16_t *pairs;                            /* of words of both sides, hashed */
    double learnt;                              /* lines that the pairs were counted in */
    int64_t lines, judged, measured;            /* read; looked at for slips; for lengths */
    double ratio, weight;                       /* running mean of the log length ratio */
    int base;
    double sum[SHIFTS];                         /* for shift k at k + FAR */
    int64_t since[SHIFTS], settled;             /* no slip is looked for before `settled` */
    struct slip *slips;
    int64_t *slip_from;                         /* the source line from which on each holds */
    size_t slip_count, slip_room, from_room;
    struct moments all, window;
    struct window *windows;
    size_t window_count, window_room;
    struct stretch *stretches;
    size_t stretch_count, stretch_room;
    bool finished;
};

struct aligner *aligner_new(void)
{
    struct aligner *a = xcalloc(1, sizeof *a);
    a->source = xcalloc(RING, sizeof *a->source);
    a->target = xcalloc(RING, sizeof *a->target);
    a->counts[0] = xcalloc(COUNT_CELLS, sizeof *a->counts[0]);
    a->counts[1] = xcalloc(COUNT_CELLS, sizeof *a->counts[1]);
    a->pairs = xcalloc(PAIR_CELLS, sizeof *a->pairs);
    a->weight = 10;
    return a;
}

void aligner_free(struct aligner *a)
{
    if (!a)
        return;
    free(a->source);
    free(a->target);
    free(a->counts[0]);
    free(a->counts[1]);
    free(a->pairs);
    free(a->slips);
    free(a->slip_from);
    free(a->windows);
    free(a->stretches);
    free(a);
}

/* ---- lines to marks ---- */

/* 0 no part of a word, 1 a letter or any byte above ASCII, 2 a digit; a word of ideographs ends after
 * each, which are three bytes from 0xE3 on. */
static inline int kind_of(unsigned char c)
{
    if (c >= 0x80)
        return 1;
    if (c >= '0' && c <= '9')
        return 2;
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static void add_word(struct marks *m, uint64_t hash, uint64_t digits)
{
    if (digits)
        m->numbers += rng_mix(digits) | 1;
    if (m->words < WORDS)
        m->word[m->words++] = (uint32_t)(hash * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

static void marks_of(struct marks *m, struct text t)
{
    size_t characters = 0;
    uint64_t hash = 0, digits = 0;
    int64_t letters = 0;
    m->words = 0;
    m->numbers = 0;
    m->last = t.length && strchr(".?!:", t.bytes[t.length - 1]) ? t.bytes[t.length - 1] : 0;
    for (size_t i = 0; i < t.length; i++) {
        unsigned char c = (unsigned char)t.bytes[i];
        int kind = kind_of(c);
        characters += (c & 0xC0) != 0x80;
        bool ideograph = c >= 0xE3 && c <= 0xED;
        if (letters && (!kind || ideograph)) {
            add_word(m, hash, digits);
            hash = digits = 0;
            letters = 0;
        }
        if (!kind)
            continue;
        hash = (hash ^ (c < 0x80 ? c | 0x20u : c)) * UINT64_C(0x100000001B3);
        digits = kind == 2 ? digits * 11 + c - '0' + 1 : digits;
        letters++;
    }
    if (letters)
        add_word(m, hash, digits);
    m->length = logf((float)characters + 3);
}

static const struct marks *source_at(const struct aligner *a, int64_t i)
{
    return &a->source[i & (RING - 1)];
}

static const struct marks *target_at(const struct aligner *a, int64_t i)
{
    return &a->target[i & (RING - 1)];
}

/* ---- the lexicon ---- */

static uint32_t *count_cell(const struct aligner *a, int side, uint32_t word)
{
    return &a->counts[side][word & (COUNT_CELLS - 1)];
}

static void count_words(struct aligner *a, int side, const struct marks *m)
{
    for (int i = 0; i < m->words; i++)
        ++*count_cell(a, side, m->word[i]);
}

/* The rarest words of the line that are not too rare. */
struct keys {
    int count;
    uint32_t word[KEYS], seen[KEYS];
};

static void keys_of(struct keys *k, const struct aligner *a, int side, const struct marks *m)
{
    uint32_t most = (uint32_t)((double)a->lines / 20) + KEY_LEAST;
    k->count = 0;
    for (int i = 0; i < m->words; i++) {
        uint32_t seen = *count_cell(a, side, m->word[i]);
        int at = k->count;
        if (seen < KEY_LEAST || seen > most)
            continue;
        while (at > 0 && k->seen[at - 1] > seen)
            at--;
        if (at == KEYS || (at && k->word[at - 1] == m->word[i]))
            continue;
        int last = k->count < KEYS ? k->count++ : KEYS - 1;
        for (int j = last; j > at; j--) {
            k->word[j] = k->word[j - 1];
            k->seen[j] = k->seen[j - 1];
        }
        k->word[at] = m->word[i];
        k->seen[at] = seen;
    }
}

static uint16_t *pair_cell(const struct aligner *a, uint32_t source, uint32_t target)
{
    uint64_t pair = ((uint64_t)source << 32 | target) * UINT64_C(0xBF58476D1CE4E5B9);
    return &a->pairs[pair >> 42];
}
static_assert(PAIR_CELLS == (size_t)1 << 22, "pair_cell takes 22 bits");

/* How much the lines' words go together, from 0 to 1.  `own`: 1 where the lines' own occurrence has
 * been counted, and does not count; with `learns` it is counted now. */
static double lexical(const struct aligner *a, const struct keys *source, const struct keys *target,
                      int own, bool learns)
{
    double share = a->learnt / (double)a->lines, sum = 0;
    if (!source->count || !target->count)
        return 0;
    for (int s = 0; s < source->count; s++) {
        double best = 0;
        for (int t = 0; t < target->count; t++) {
            uint16_t *cell = pair_cell(a, source->word[s], target->word[t]);
            double seen = (double)source->seen[s] * target->seen[t];
            double beyond = *cell - own - SHIFTS * seen / (double)a->lines * share;
            if (beyond > 0 && beyond * beyond > best * best * seen * share * share)
                best = beyond / (share * sqrt(seen));
            *cell += learns && *cell < UINT16_MAX;
        }
        sum += best < 1 ? best : 1;
    }
    return sum / source->count;
}

/* ---- fits ---- */

static double fit(const struct aligner *a, int64_t i, int64_t j, const struct keys *source, bool learns)
{
    const struct marks *s = source_at(a, i), *t = target_at(a, j);
    struct keys target;
    keys_of(&target, a, 1, t);
    double fit = 2 * lexical(a, source, &target, !learns, learns) -
                 fabs((double)t->length - s->length - a->ratio);
    if (s->numbers || t->numbers)
        fit += s->numbers == t->numbers ? 0.5 : -0.5;
    return s->last == t->last ? fit : fit - 0.2;
}

static bool is_there(const struct aligner *a, int64_t j)
{
    return j >= 0 && j < a->lines && j > a->lines - RING;
}

/* How much better line i fits at the base than at shift k from it. */
static double advantage(const struct aligner *a, int64_t i, int k)
{
    struct keys source;
    if (!is_there(a, i) || !is_there(a, i + a->base) || !is_there(a, i + a->base + k))
        return 0;
    keys_of(&source, a, 0, source_at(a, i));
    return fit(a, i, i + a->base, &source, false) - fit(a, i, i + a->base + k, &source, false);
}

/* The source line from which on shift k holds, which best divides the lines around `about`. */
static int64_t change_point(const struct aligner *a, int64_t about, int64_t last, int k)
{
    int64_t gap = k < 0 ? -k : 0, first = about - 4 * STRIDE;
    if (first < a->settled + gap)
        first = a->settled + gap;       /* the lines without a partner come behind the last slip */
    int64_t best = first;
    double sum = 0, most = -1e300;
    if (last > about + 64)
        last = about + 64;
    /* sum(c) = advantages before c - gap, less those from c on; relative to that of the first c */
    for (int64_t c = first; c <= last; c++) {
        if (sum > most) {
            most = sum;
            best = c;
        }
        sum += advantage(a, c, k) + (c - gap >= first ? advantage(a, c - gap, k) : 0) * (gap > 0);
        if (!gap)
            sum += advantage(a, c, k);
    }
    return best;
}

static void add_slip(struct aligner *a, int64_t from, int64_t line, int extra)
{
    ARRAY_GROW(a->slips, a->slip_room, a->slip_count + 1);
    ARRAY_GROW(a->slip_from, a->from_room, a->slip_count + 1);
    a->slip_from[a->slip_count] = from;
    a->slips[a->slip_count++] = (struct slip){ line, extra };
}

static void slip_found(struct aligner *a, int k, int64_t last)
{
    int64_t c = change_point(a, a->since[k + FAR], last, k);
    add_slip(a, c, k > 0 ? c + a->base + 1 : c + k + 1, k);
    a->base += k;
    a->settled = c;
    memset(a->sum, 0, sizeof a->sum);
    a->judged = c + STRIDE - c % STRIDE;
}

/* Judges line i, whose neighbours on both sides are in the rings; whether a slip was found. */
static bool judge(struct aligner *a, int64_t i, bool learns)
{
    struct keys source;
    if (!is_there(a, i) || !is_there(a, i + a->base))
        return false;
    keys_of(&source, a, 0, source_at(a, i));
    double own = fit(a, i, i + a->base, &source, learns);
    a->learnt += learns;
    for (int k = -FAR; k <= FAR; k++) {
        double *sum = &a->sum[k + FAR];
        if (!k || !is_there(a, i + a->base + k) || abs(a->base + k) > BASE_MOST)
            continue;
        if (*sum == 0)
            a->since[k + FAR] = i;
        *sum += fit(a, i, i + a->base + k, &source, learns) - own - MARGIN;
        if (*sum < 0)
            *sum = 0;
    }
    int best = 0;
    for (int k = 1; k < SHIFTS; k++)
        best = a->sum[k] > a->sum[best] ? k : best;
    if (a->sum[best] <= THRESHOLD)
        return false;
    slip_found(a, best - FAR, i);
    return true;
}

/* All lines up to `end` that are due; in the first WARM every line counts. */
static void judge_until(struct aligner *a, int64_t end)
{
    while (a->judged < end) {
        int64_t i = a->judged;
        a->judged += i < WARM ? 1 : STRIDE;
        judge(a, i, i >= WARM);
    }
}

/* ---- lengths ---- */

static void moments_add(struct moments *m, double x, double y)
{
    *m = (struct moments){ m->n + 1, m->x + x, m->y + y, m->xx + x * x, m->yy + y * y, m->xy + x * y };
}

static double correlation(const struct moments *m)
{
    double xx = m->xx - m->x * m->x / m->n, yy = m->yy - m->y * m->y / m->n;
    double xy = m->xy - m->x * m->y / m->n;
    return m->n > 2 && xx > 1e-9 && yy > 1e-9 ? xy / sqrt(xx * yy) : 0;
}

/* The variance of y - x. */
static double spread(const struct moments *m)
{
    double mean = (m->y - m->x) / m->n;
    return (m->xx + m->yy - 2 * m->xy) / m->n - mean * mean;
}

static void end_window(struct aligner *a)
{
    if (a->window.n < WINDOW / 2)
        return;
    ARRAY_GROW(a->windows, a->window_room, a->window_count + 1);
    a->windows[a->window_count++] = (struct window){
        { a->measured - (int64_t)a->window.n + 1, a->measured, correlation(&a->window) },
        spread(&a->window) };
    a->window = (struct moments){ 0 };
}

/* Lengths of lines and of their partners, by the slips that are known. */
static void measure_until(struct aligner *a, int64_t end)
{
    while (a->measured < end) {
        int64_t i = a->measured++;
        int64_t j = i + a->base;
        for (size_t s = a->slip_count; s > 0 && a->slip_from[s - 1] > i; s--)
            j -= a->slips[s - 1].extra;
        if (!is_there(a, i) || !is_there(a, j))
            continue;
        double x = (double)source_at(a, i)->length, y = (double)target_at(a, j)->length;
        moments_add(&a->all, x, y);
        moments_add(&a->window, x, y);
        if (a->window.n == WINDOW)
            end_window(a);
    }
}

static int by_spread(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double median_spread(const struct aligner *a)
{
    double *all = xmalloc((a->window_count + 1) * sizeof *all);
    for (size_t i = 0; i < a->window_count; i++)
        all[i] = a->windows[i].spread;
    qsort(all, a->window_count, sizeof *all, by_spread);
    double median = a->window_count ? all[a->window_count / 2] : 0;
    free(all);
    return median;
}

/* Windows where lengths neither go up and down together nor lie as near as in the rest: a corpus that
 * is sorted by length has low correlations everywhere.  Neighbours become one. */
static void choose_stretches(struct aligner *a)
{
    double usual = correlation(&a->all), most = 2.5 * median_spread(a);
    for (size_t i = 0; i < a->window_count; i++) {
        struct stretch s = a->windows[i].where;
        if (s.correlation >= usual / 3 || a->windows[i].spread <= most)
            continue;
        struct stretch *last = a->stretch_count ? &a->stretches[a->stretch_count - 1] : NULL;
        if (last && last->last + 1 == s.first) {
            last->last = s.last;
            last->correlation = fmin(last->correlation, s.correlation);
            continue;
        }
        ARRAY_GROW(a->stretches, a->stretch_room, a->stretch_count + 1);
        a->stretches[a->stretch_count++] = s;
    }
}

/* ---- the stream ---- */

/* Counts the pairs of the lines so far. */
static void warm_up(struct aligner *a)
{
    struct keys source, target;
    for (int64_t i = 0; i < a->lines; i++) {
        keys_of(&source, a, 0, source_at(a, i));
        a->learnt++;
        for (int64_t j = i - FAR; j <= i + FAR; j++) {
            if (!is_there(a, j))
                continue;
            keys_of(&target, a, 1, target_at(a, j));
            lexical(a, &source, &target, 0, true);
        }
    }
}

void aligner_add(struct aligner *a, struct text source, struct text target)
{
    int64_t i = a->lines++;
    struct marks *s = &a->source[i & (RING - 1)], *t = &a->target[i & (RING - 1)];
    marks_of(s, source);
    marks_of(t, target);
    count_words(a, 0, s);
    count_words(a, 1, t);
    a->weight = a->weight < 10000 ? a->weight + 1 : a->weight;
    a->ratio += ((double)t->length - s->length - a->ratio) / a->weight;
    if (a->lines == WARM)
        warm_up(a);
    if (a->lines >= WARM)
        judge_until(a, a->lines - LAG);
    measure_until(a, a->judged - SETTLED);
}

void aligner_finish(struct aligner *a)
{
    assert(!a->finished);
    a->finished = true;
    if (a->lines < WARM)
        warm_up(a);
    judge_until(a, a->lines);
    measure_until(a, a->lines);
    end_window(a);
    choose_stretches(a);
}

const struct slip *aligner_slips(const struct aligner *a, size_t *count)
{
    *count = a->slip_count;
    return a->slips;
}

const struct stretch *aligner_stretches(const struct aligner *a, size_t *count)
{
    *count = a->stretch_count;
    return a->stretches;
}

double aligner_correlation(const struct aligner *a)
{
    return correlation(&a->all);
}
