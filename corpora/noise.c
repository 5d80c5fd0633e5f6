/* Trigrams and their contexts are counted in a hashed table, each trigram once a line; p(c | a b) is
 * estimated as (n(abc) + K/V) / (n(ab) + K).  A line is judged by what the others hold: one of each
 * count is taken for its own, or the noise of a corpus would be what its model knows.  Lines that were
 * learnt are kept as a sample, from which the spread of the surprise is taken: a part that shrinks with
 * the length, and a part between lines. */
#include "corpora/noise.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "corpora/facts.h"

#define CELLS ((size_t)1 << 20)
#define SAMPLE ((size_t)8 << 20)        /* bytes */
#define K 1.0
#define V 128.0

struct noise_model {
    uint32_t *trigrams, *contexts;
    uint32_t *last, lines;              /* while it learns: the line that last had a trigram */
    struct strbuf sample;               /* lines, each with '\n' */
    double mean, within, between;       /* of a character's surprise in bits; variances */
};

struct noise_model *noise_new(void)
{
    struct noise_model *m = xcalloc(1, sizeof *m);
    m->trigrams = xcalloc(CELLS, sizeof *m->trigrams);
    m->contexts = xcalloc(CELLS, sizeof *m->contexts);
    m->last = xcalloc(CELLS, sizeof *m->last);
    return m;
}

void noise_free(struct noise_model *m)
{
    if (!m)
        return;
    free(m->trigrams);
    free(m->contexts);
    free(m->last);
    strbuf_release(&m->sample);
    free(m);
}

/* Digits count as one, so that numbers are no surprise. */
static uint32_t folded(int32_t c)
{
    return c >= '0' && c <= '9' ? '0' : (uint32_t)c;
}

static size_t cell(uint64_t gram)
{
    return (size_t)rng_mix(gram) & (CELLS - 1);
}

/* Walks over the trigrams of a text. */
struct walk {
    struct text text;
    size_t at;
    uint64_t context;                   /* the two characters before, 21 bits each */
};

static bool walk_next(struct walk *w, size_t *context, size_t *trigram)
{
    int32_t c;
    if (w->at >= w->text.length)
        return false;
    character_next(w->text, &w->at, &c);
    *context = cell(w->context);
    *trigram = cell(w->context << 21 | folded(c));
    w->context = (w->context << 21 | folded(c)) & ((UINT64_C(1) << 42) - 1);
    return true;
}

void noise_learn(struct noise_model *m, struct text t)
{
    struct walk w = { .text = t };
    size_t context, trigram;
    m->lines++;
    while (walk_next(&w, &context, &trigram)) {
        if (m->last[trigram] == m->lines)
            continue;
        m->last[trigram] = m->lines;
        m->contexts[context] += m->contexts[context] < UINT32_MAX;
        m->trigrams[trigram] += m->trigrams[trigram] < UINT32_MAX;
    }
    if (t.length && m->sample.length < SAMPLE) {
        strbuf_add(&m->sample, t.bytes, t.length);
        strbuf_putc(&m->sample, '\n');
    }
}

struct surprise {
    double sum, squares;
    int64_t characters;
};

static struct surprise surprise_of(const struct noise_model *m, struct text t)
{
    struct walk w = { .text = t };
    struct surprise s = { 0 };
    size_t context, trigram;
    while (walk_next(&w, &context, &trigram)) {
        double n = fmax(0, m->trigrams[trigram] - 1.0), all = fmax(0, m->contexts[context] - 1.0);
        double bits = log2((all + K) / (n + K / V));
        s.sum += bits;
        s.squares += bits * bits;
        s.characters++;
    }
    return s;
}

/* The next line of the sample. */
static bool sample_next(const struct noise_model *m, size_t *at, struct text *out)
{
    if (*at >= m->sample.length)
        return false;
    size_t end = *at;
    while (m->sample.text[end] != '\n')
        end++;
    *out = (struct text){ m->sample.text + *at, end - *at };
    *at = end + 1;
    return true;
}

void noise_finish(struct noise_model *m)
{
    struct text line;
    double sum = 0, squares = 0, lines = 0, spread = 0, expected = 0, characters = 0;
    for (size_t at = 0; sample_next(m, &at, &line);) {
        struct surprise s = surprise_of(m, line);
        sum += s.sum;
        squares += s.squares;
        characters += (double)s.characters;
    }
    m->mean = characters ? sum / characters : 0;
    m->within = characters ? fmax(1e-3, squares / characters - m->mean * m->mean) : 1;
    for (size_t at = 0; sample_next(m, &at, &line); lines++) {
        struct surprise s = surprise_of(m, line);
        double off = s.characters ? s.sum / (double)s.characters - m->mean : 0;
        spread += off * off;
        expected += s.characters ? m->within / (double)s.characters : 0;
    }
    m->between = lines ? fmax(0, (spread - expected) / lines) : 0;
    strbuf_release(&m->sample);
    free(m->last);
    m->last = NULL;
}

double noise_score(const struct noise_model *m, struct text t)
{
    struct surprise s = surprise_of(m, t);
    if (!s.characters)
        return 0;
    double n = (double)s.characters;
    return (s.sum / n - m->mean) / sqrt(m->within / n + m->between);
}
