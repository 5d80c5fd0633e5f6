/* Where two files that should be aligned fall out of step.
 *
 * When a line is lost or added, lines behind it fit their neighbours' partners better than their
 * own.  Each line is reduced to a few marks (length, numbers, final mark), a cost says how badly
 * two lines fit, and for each shift k a running sum of
 *
 *     cost(source i, target i) - cost(source i, target i + k) - margin,   never below 0,
 *
 * stays near 0 while the files are in step and climbs after the slip (Page's CUSUM).  The first
 * sum to pass the threshold tells, and the slip is where it was last 0. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "corpora/pairs.h"

#define FAR 4                       /* shifts of 1 … FAR lines either way */
#define SPAN (2 * FAR + 1)
#define MARGIN 0.05
#define THRESHOLD 8.0

struct marks {
    float length;                   /* log of the number of characters */
    char last;                      /* the final mark when it is one of .?!: */
    uint64_t numbers;               /* a hash of the digit sequences, in any order; 0: none */
};

struct finder {
    struct marks source[SPAN], target[SPAN];    /* rings: line i at i % SPAN */
    int64_t lines;                              /* read so far on both sides */
    double ratio, weight;                       /* running mean of the log length ratio */
    double sum[SPAN];                           /* for shift k at k + FAR */
    int64_t since[SPAN];
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static uint64_t numbers_hash(const char *text, size_t length)
{
    uint64_t hash = 0;
    for (size_t i = 0, end; i < length; i = end + 1) {
        for (end = i; end < length && is_digit(text[end]); end++)
            ;
        if (end > i)
            hash += hash_bytes(text + i, end - i, 1) | 1;
    }
    return hash;
}

static struct marks marks_of(const struct lines *in)
{
    struct marks m = { .numbers = numbers_hash(in->text, in->length) };
    size_t characters = 0;
    for (size_t i = 0; i < in->length; i++)
        characters += ((unsigned char)in->text[i] & 0xC0) != 0x80;
    m.length = logf((float)characters + 3);
    if (in->length && strchr(".?!:", in->text[in->length - 1]))
        m.last = in->text[in->length - 1];
    return m;
}

static double cost(const struct finder *f, const struct marks *source, const struct marks *target)
{
    double cost = fabs(target->length - source->length - f->ratio);
    if (source->numbers || target->numbers)
        cost += source->numbers == target->numbers ? -0.5 : 0.5;
    if (source->last != target->last)
        cost += 0.2;
    return cost;
}

/* Judges line i, whose neighbours on both sides are in the rings.  Returns the line of a slip. */
static int64_t judge(struct finder *f, int64_t i)
{
    const struct marks *source = &f->source[i % SPAN];
    double own = cost(f, source, &f->target[i % SPAN]);
    for (int k = -FAR; k <= FAR; k++) {
        double *sum = &f->sum[k + FAR];
        if (!k || i + k < 0)
            continue;
        if (*sum == 0)
            f->since[k + FAR] = i + 1;
        *sum += own - cost(f, source, &f->target[(i + k) % SPAN]) - MARGIN;
        if (*sum < 0)
            *sum = 0;
        if (*sum > THRESHOLD)
            return f->since[k + FAR];
    }
    return 0;
}

static int64_t add(struct finder *f, const struct pairs *in)
{
    int64_t i = f->lines++;
    struct marks *source = &f->source[i % SPAN], *target = &f->target[i % SPAN];
    *source = marks_of(&in->source);
    *target = marks_of(&in->target);
    f->weight = f->weight < 10000 ? f->weight + 1 : f->weight;
    f->ratio += (target->length - source->length - f->ratio) / f->weight;
    return i < FAR ? 0 : judge(f, i - FAR);
}

int64_t pairs_misaligned(const char *source, const char *target)
{
    struct pairs in = { 0 };
    struct finder finder = { .weight = 10 };
    int64_t found = 0;
    if (!strcmp(source, "-") || !strcmp(target, "-") || pairs_open(&in, source, target, NULL) < 0)
        return 0;
    in.source.utf8 = in.target.utf8 = UTF8_KEEP;
    while (!found && lines_next(&in.source, NULL) > 0 && lines_next(&in.target, NULL) > 0)
        found = add(&finder, &in);
    pairs_close(&in);
    return found;
}
