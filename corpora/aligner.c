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

#include "base/memory.h"
#include "base/rng.h"
#include "base/strbuf.h"

#define FAR 4                       /* shifts of 1 … FAR lines either way */
#define SHIFTS (2 * FAR + 1)
#define BASE_MOST 64                /* lines that the texts may be apart altogether */
#define LAG (BASE_MOST + FAR + 1)   /* a line is judged when so many have come after it */
#define RING 16384                  /* lines that are remembered; a power of two */
#define WARM 8192
#define STRIDE 32                   /* and a quarter of it among the first NEAR_LINES */
#define NEAR_LINES 65536
#define WORDS 24                    /* of a line, at most */
#define KEYS 4                      /* words of a line that the lexicon looks at */
#define KEY_LEAST 3                 /* how often such a word was seen at least */
#define COUNT_CELLS ((size_t)1 << 18)
#define PAIR_CELLS ((size_t)1 << 22)
#define MARGIN 0.05
#define THRESHOLD 8.0
#define WINDOW 500                  /* lines whose lengths are correlated */
#define SETTLED 1000                /* lines after which a slip before them would have been noticed */

/* Words are looked for when they are first asked for: of most lines, never. */
struct marks {
    struct strbuf text;
    bool known;                     /* words and numbers are */
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
    uint32_t *counts[2];                        /* of words, hashed, on each side … */
    double counted[2];                          /* … of so many lines */
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
    for (int i = 0; i < RING; i++) {
        strbuf_release(&a->source[i].text);
        strbuf_release(&a->target[i].text);
    }
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

/* Bytes: 0 no part of a word, 1 a letter, or of a character above ASCII, 2 a digit, 3 the first byte
 * of an ideograph, kana or Hangul syllable, each of which begins a word. */
static const unsigned char kinds[256] = {
    ['0' ... '9'] = 2, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, [0x80 ... 0xE2] = 1,
    [0xE3 ... 0xED] = 3, [0xEE ... 0xFF] = 1,
};

/* The first `length` of the eight bytes at `at`, zeros for the rest; nothing behind `end` is touched. */
static inline uint64_t load(const char *at, size_t length, const char *end)
{
    uint64_t word = 0;
    if (end - at >= 8) {
        memcpy(&word, at, 8);
        return length >= 8 ? word : word & ((UINT64_C(1) << 8 * length) - 1);
    }
    for (size_t i = 0; i < length; i++)
        word |= (uint64_t)(unsigned char)at[i] << 8 * i;
    return word;
}

/* Characters of UTF-8: bytes that go on with none. */
static size_t count_characters(struct text t)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t within = 0;
    for (size_t i = 0; i < t.length; i += 8) {
        size_t left = t.length - i;
        uint64_t word = load(t.bytes + i, left < 8 ? left : 8, t.bytes + t.length);
        within += (size_t)((word >> 7 & ~word >> 6 & ones) * ones >> 56);
    }
    return t.length - within;
}

/* Whatever its case. */
static inline uint32_t word_hash(const char *at, size_t length, const char *end)
{
    uint64_t hash = length;
    for (size_t i = 0; i < length; i += 8) {
        size_t left = length - i;
        hash = (hash ^ (load(at + i, left < 8 ? left : 8, end) | UINT64_C(0x2020202020202020))) *
               UINT64_C(0x9E3779B97F4A7C15);
    }
    return (uint32_t)(hash >> 32);
}

static uint64_t number_hash(const char *at, size_t length)
{
    uint64_t digits = 0;
    for (size_t i = 0; i < length; i++)
        if (at[i] >= '0' && at[i] <= '9')
            digits = digits * 11 + (uint64_t)(at[i] - '0') + 1;
    return rng_mix(digits) | 1;
}

static bool is_final(char c)
{
    return c == '.' || c == '?' || c == '!' || c == ':';
}

static void marks_init(struct marks *m, struct text t)
{
    m->known = false;
    m->last = t.length && is_final(t.bytes[t.length - 1]) ? t.bytes[t.length - 1] : 0;
    m->length = logf((float)count_characters(t) + 3);
    strbuf_reset(&m->text);
    if (t.length)
        strbuf_add(&m->text, t.bytes, t.length);
}

static void find_words(struct marks *m)
{
    struct text t = { m->text.text, m->text.length };
    size_t i = 0;
    m->known = true;
    m->words = 0;
    m->numbers = 0;
    for (;;) {
        while (i < t.length && !kinds[(unsigned char)t.bytes[i]])
            i++;
        if (i == t.length)
            break;
        size_t from = i;
        unsigned kind, seen = kinds[(unsigned char)t.bytes[i]];
        while (++i < t.length && (kind = kinds[(unsigned char)t.bytes[i]]) && kind != 3)
            seen |= kind;
        if (seen & 2)                   /* 3 has the bit as well, and no digits behind it */
            m->numbers += seen == 3 && kinds[(unsigned char)t.bytes[from]] == 3
                              ? 0 : number_hash(t.bytes + from, i - from);
        if (m->words < WORDS)
            m->word[m->words++] = word_hash(t.bytes + from, i - from, t.bytes + t.length);
    }
}

static struct marks *marks_at(const struct aligner *a, int side, int64_t i)
{
    return &(side ? a->target : a->source)[i & (RING - 1)];
}

/* ---- the lexicon ---- */

static uint32_t *count_cell(const struct aligner *a, int side, uint32_t word)
{
    return &a->counts[side][word & (COUNT_CELLS - 1)];
}

/* Line i with its words, which are counted when they are found. */
static const struct marks *words_at(struct aligner *a, int side, int64_t i)
{
    struct marks *m = marks_at(a, side, i);
    if (m->known)
        return m;
    find_words(m);
    for (int w = 0; w < m->words; w++)
        ++*count_cell(a, side, m->word[w]);
    a->counted[side]++;
    return m;
}

/* The rarest words of the line that are not too rare. */
struct keys {
    int count;
    uint32_t word[KEYS], seen[KEYS];
};

static void keys_of(struct keys *k, struct aligner *a, int side, int64_t line)
{
    const struct marks *m = words_at(a, side, line);
    uint32_t most = (uint32_t)(a->counted[side] / 20) + KEY_LEAST;
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
    double scale = a->learnt * a->learnt / (a->counted[0] * a->counted[1]), sum = 0;
    double chance = SHIFTS * scale / a->learnt;
    if (!source->count || !target->count)
        return 0;
    for (int s = 0; s < source->count; s++) {
        double best = 0;
        for (int t = 0; t < target->count; t++) {
            uint16_t *cell = pair_cell(a, source->word[s], target->word[t]);
            double seen = (double)source->seen[s] * target->seen[t];
            double beyond = *cell - own - chance * seen;
            if (beyond > 0 && beyond * beyond > best * best * seen * scale)
                best = beyond / sqrt(seen * scale);
            *cell += learns && *cell < UINT16_MAX;
        }
        sum += best < 1 ? best : 1;
    }
    return sum / source->count;
}

/* ---- fits ---- */

static double fit(struct aligner *a, int64_t i, int64_t j, const struct keys *source, bool learns)
{
    const struct marks *s = words_at(a, 0, i), *t = words_at(a, 1, j);
    struct keys target;
    keys_of(&target, a, 1, j);
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
static double advantage(struct aligner *a, int64_t i, int k)
{
    struct keys source;
    if (!is_there(a, i) || !is_there(a, i + a->base) || !is_there(a, i + a->base + k))
        return 0;
    keys_of(&source, a, 0, i);
    return fit(a, i, i + a->base, &source, false) - fit(a, i, i + a->base + k, &source, false);
}

/* The source line from which on shift k holds, which best divides the lines around `about`. */
static int64_t change_point(struct aligner *a, int64_t about, int64_t last, int k)
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
    keys_of(&source, a, 0, i);
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
        a->judged += i < WARM ? 1 : i < NEAR_LINES ? STRIDE / 4 : STRIDE;
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
        double x = (double)marks_at(a, 0, i)->length, y = (double)marks_at(a, 1, j)->length;
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
        words_at(a, 0, i);
        words_at(a, 1, i);
    }
    for (int64_t i = 0; i < a->lines; i++) {
        keys_of(&source, a, 0, i);
        a->learnt++;
        for (int64_t j = i - FAR; j <= i + FAR; j++) {
            if (!is_there(a, j))
                continue;
            keys_of(&target, a, 1, j);
            lexical(a, &source, &target, 0, true);
        }
    }
}

void aligner_add(struct aligner *a, struct text source, struct text target)
{
    int64_t i = a->lines++;
    struct marks *s = marks_at(a, 0, i), *t = marks_at(a, 1, i);
    marks_init(s, source);
    marks_init(t, target);
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
