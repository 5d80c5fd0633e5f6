/* Tagged spans as seqeval and conlleval find them: lenient, so that a span may begin with I. */
#include <string.h>

#include "eval/answers.h"

struct tag {
    char letter;                        /* B, I, E, S or O */
    struct text type;                   /* "PER" */
};

/* The next tag of a line; false at its end. */
static bool next_tag(struct tag *tag, struct text line, size_t *at)
{
    size_t begin = *at, end;
    while (begin < line.length) {
        size_t after = begin;
        if (!code_is_space(text_next(line, &after)))
            break;
        begin = after;
    }
    for (end = begin; end < line.length; ) {
        size_t after = end;
        if (code_is_space(text_next(line, &after)))
            break;
        end = after;
    }
    *at = end;
    if (begin == end)
        return false;
    const char *type = line.bytes + begin + 1;
    size_t length = end - begin - 1;
    const char *dash = memchr(type, '-', length);
    if (dash) {
        length -= (size_t)(dash + 1 - type);
        type = dash + 1;
    }
    *tag = (struct tag){ line.bytes[begin], length ? (struct text){ type, length } : text_of("_") };
    return true;
}

static bool same_type(struct tag a, struct tag b)
{
    return a.type.length == b.type.length && !memcmp(a.type.bytes, b.type.bytes, a.type.length);
}

static bool is_outside(struct tag t)
{
    return t.letter == 'O' || t.letter == '.';
}

/* Whether a span ends between two tags. */
static bool ends(struct tag before, struct tag tag)
{
    if (before.letter == 'E' || before.letter == 'S')
        return true;
    if ((before.letter == 'B' || before.letter == 'I') && strchr("BSO", tag.letter))
        return true;
    return !is_outside(before) && !same_type(before, tag);
}

/* Whether one begins. */
static bool begins(struct tag before, struct tag tag)
{
    if (tag.letter == 'B' || tag.letter == 'S')
        return true;
    if (strchr("ESO", before.letter) && (tag.letter == 'E' || tag.letter == 'I'))
        return true;
    return !is_outside(tag) && !same_type(before, tag);
}

/* One side of a line, a tag at a time. */
struct walk {
    struct tag before;
    size_t begin;                       /* word where the span in hand begins */
};

struct span {
    size_t begin;
    struct text type;
};

/* True when a span ends before word i, which has this tag. */
static bool walk(struct span *ended, struct walk *w, struct tag tag, size_t i)
{
    bool any = ends(w->before, tag);
    *ended = (struct span){ w->begin, w->before.type };
    if (begins(w->before, tag))
        w->begin = i;
    w->before = tag;
    return any;
}

int spans_count(struct span_counts *out, struct text gold, struct text predicted)
{
    const struct tag outside = { 'O', text_of("_") };
    struct walk left = { .before = outside }, right = { .before = outside };
    size_t left_at = 0, right_at = 0;
    *out = (struct span_counts){ 0 };
    for (size_t i = 0;; i++) {
        struct tag a = outside, b = outside;
        bool more = next_tag(&a, gold, &left_at);
        if (next_tag(&b, predicted, &right_at) != more)
            return -1;
        struct span x, y;
        bool gold_ends = walk(&x, &left, a, i), predicted_ends = walk(&y, &right, b, i);
        out->gold += gold_ends;
        out->predicted += predicted_ends;
        out->correct += gold_ends && predicted_ends && x.begin == y.begin
            && x.type.length == y.type.length && !memcmp(x.type.bytes, y.type.bytes, x.type.length);
        if (!more)
            return 0;
    }
}

struct sums {
    double correct, gold, predicted;
};

static struct sums sum_spans(const struct answers *a, const uint32_t *draws, size_t n)
{
    struct sums s = { 0 };
    for (size_t i = 0; i < n; i++) {
        s.correct += a->spans[draws[i]].correct;
        s.gold += a->spans[draws[i]].gold;
        s.predicted += a->spans[draws[i]].predicted;
    }
    return s;
}

double spans_precision(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    struct sums s = sum_spans(a, draws, n);
    (void)scratch;
    return s.predicted > 0 ? s.correct / s.predicted : 0;
}

double spans_recall(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    struct sums s = sum_spans(a, draws, n);
    (void)scratch;
    return s.gold > 0 ? s.correct / s.gold : 0;
}

double spans_f1(const struct answers *a, const uint32_t *draws, size_t n, double *scratch)
{
    struct sums s = sum_spans(a, draws, n);
    (void)scratch;
    return s.gold + s.predicted > 0 ? 2 * s.correct / (s.gold + s.predicted) : 0;
}
