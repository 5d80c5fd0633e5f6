/* Batches drawn from several sources by weight. */
#include "corpora/mixture.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"

#define EMPTY_MOST 100

/* How a part fares (mixture_judge). */
struct standing {
    double best;
    int without_gain;           /* calls since then */
    bool judged, closed;
};

struct mixture {
    struct mixture_part *parts;
    struct standing *standing;  /* one a part */
    int count;
    uint64_t seed;
    struct moment when;
    int64_t draws;              /* of batches, since the beginning */
    int64_t given;              /* sentences of this epoch */
    int64_t *drawn;             /* sentences of each part, since the beginning */
};

float mixture_weight(double sentences, double sentences_a_batch, double exponent)
{
    return (float)(pow(sentences, exponent) / (sentences_a_batch > 0 ? sentences_a_batch : 1));
}

static int64_t mixture_sentences(void *state)
{
    struct mixture *m = state;
    int64_t all = 0;
    for (int i = 0; i < m->count; i++)
        all += m->parts[i].source.sentences(m->parts[i].source.state);
    return all;
}

static int64_t mixture_tokens(void *state)
{
    struct mixture *m = state;
    int64_t all = 0;
    for (int i = 0; i < m->count; i++)
        all += m->parts[i].source.tokens(m->parts[i].source.state);
    return all;
}

static void mixture_at(void *state, const struct moment *when)
{
    struct mixture *m = state;
    m->when = *when;
    for (int i = 0; i < m->count; i++)
        if (m->parts[i].source.at)
            m->parts[i].source.at(m->parts[i].source.state, when);
}

/* ---- drawing ---- */

/* A part that was judged, or one that teaches the same task. */
static bool closed(const struct mixture *m, int part)
{
    for (int i = 0; i < m->count; i++)
        if (m->standing[i].closed && (i == part || m->parts[i].task == m->parts[part].task))
            return true;
    return false;
}

static double weight_of(const struct mixture *m, int part)
{
    double weight = (double)course_at(&m->parts[part].weight, &m->when);
    return weight > 0 && !closed(m, part) ? weight : 0;
}

/* The part of the next batch, or -1 when no part has a weight now. */
static int draw(struct mixture *m)
{
    struct rng rng;
    double all = 0, at;
    int last = -1;
    rng_seed(&rng, rng_stream(m->seed, "mixture"), (uint64_t)m->draws++);
    for (int i = 0; i < m->count; i++)
        all += weight_of(m, i);
    at = rng_unit(&rng) * all;
    for (int i = 0; i < m->count; i++) {
        double weight = weight_of(m, i);
        if (weight <= 0)
            continue;
        last = i;
        if ((at -= weight) < 0)
            return i;
    }
    return last;                /* rounding left a crumb */
}

/* A batch of the part; where its epoch ends, the first of its next one. */
static int next_of(struct mixture_part *p, struct batch *b, struct error *err)
{
    int more = p->source.next(p->source.state, b, err);
    if (more == 0)
        more = p->source.next(p->source.state, b, err);
    if (more == 0)
        return error_set(err, "a part of the mixture gives no batches");
    return more;
}

/* A batch that has sentences; returns its part, or -1. */
static int draw_batch(struct mixture *m, struct batch *b, struct error *err)
{
    for (int i = 0; i < EMPTY_MOST; i++) {
        int part = draw(m);
        if (part < 0)
            return error_set(err, "no part of the mixture has a weight at update %" PRId64 "; give one a weight "
                             "that is never 0", m->when.update);
        if (next_of(&m->parts[part], b, err) < 0)
            return -1;
        if (b->B)
            return part;
    }
    return error_set(err, "%d batches in a row have no sentence to learn from at update %" PRId64 "; give what comes "
                     "with targets more weight", EMPTY_MOST, m->when.update);
}

static int mixture_next(void *state, struct batch *b, struct error *err)
{
    struct mixture *m = state;
    if (m->given >= mixture_sentences(m)) {
        m->given = 0;
        batch_reset(b);
        return 0;
    }
    int part = draw_batch(m, b, err);
    if (part < 0)
        return -1;
    b->task = m->parts[part].task;
    for (int s = 0; s < b->B; s++)
        b->weight[s] *= m->parts[part].factor;
    m->given += b->B;
    m->drawn[part] += b->B;
    return 1;
}

static const int64_t *mixture_drawn(void *state, int *count)
{
    struct mixture *m = state;
    *count = m->count;
    return m->drawn;
}

/* ---- parts that have taught what they can ---- */

static bool another_is_open(const struct mixture *m, int part)
{
    for (int i = 0; i < m->count; i++)
        if (m->parts[i].task != m->parts[part].task && !closed(m, i))
            return true;
    return false;
}

bool mixture_judge(const struct batch_source *mixture, int part, double score, int patience)
{
    struct mixture *m = mixture->state;
    struct standing *s = &m->standing[part];
    if (!s->judged || score > s->best) {
        s->best = score;
        s->without_gain = 0;
        s->judged = true;
    } else {
        s->without_gain++;
    }
    if (!s->closed && s->without_gain >= patience && another_is_open(m, part))
        s->closed = true;
    return !s->closed;
}

static json_t *standings_save(const struct mixture *m)
{
    json_t *all = json_array();
    for (int i = 0; i < m->count; i++) {
        const struct standing *s = &m->standing[i];
        json_array_append_new(all, s->judged ? json_pack("{s:f, s:i, s:b}", "best", s->best, "without_gain",
                                                         s->without_gain, "closed", s->closed) : json_null());
    }
    return all;
}

static int standings_restore(struct mixture *m, const json_t *all)
{
    for (int i = 0; i < m->count; i++) {
        json_t *it = json_array_get(all, (size_t)i);
        int closed = 0;
        struct standing s = { .judged = json_is_object(it) };
        if (s.judged && json_unpack(it, "{s:F, s:i, s:b}", "best", &s.best, "without_gain", &s.without_gain, "closed",
                                    &closed) < 0)
            return -1;
        s.closed = closed;
        m->standing[i] = s;
    }
    return 0;
}

/* ---- the position ---- */

static json_t *weights_json(const struct mixture *m)
{
    json_t *weights = json_array();
    for (int i = 0; i < m->count; i++) {
        char text[COURSE_TEXT];
        course_text(text, &m->parts[i].weight);
        json_array_append_new(weights, json_string(text));
    }
    return weights;
}

static json_t *mixture_save(void *state)
{
    struct mixture *m = state;
    json_t *parts = json_array(), *drawn = json_array();
    for (int i = 0; i < m->count; i++) {
        json_array_append_new(parts, m->parts[i].source.save(m->parts[i].source.state));
        json_array_append_new(drawn, json_integer(m->drawn[i]));
    }
    return json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "draws", (json_int_t)m->draws, "given", (json_int_t)m->given,
                     "seed", (json_int_t)m->seed, "weights", weights_json(m), "parts", parts,
                     "standing", standings_save(m), "drawn", drawn);
}

/* The next draws depend on the weights as the earlier ones did. */
static int check_weights(const struct mixture *m, const json_t *saved, struct error *err)
{
    json_t *now = weights_json(m);
    bool same = !saved || json_equal(saved, now);
    json_decref(now);
    return same ? 0 : error_set(err, "cannot resume: the mixture had other weights; resume with the old ones or start "
                                     "again");
}

static int mixture_restore(void *state, const json_t *position, struct error *err)
{
    struct mixture *m = state;
    json_int_t draws, given, seed;
    json_t *parts, *weights = NULL;
    if (!json_object_get(position, "parts"))
        return error_set(err, "cannot resume: the training was of one corpus, and is of %d now; resume with that one "
                         "or start again", m->count);
    if (json_unpack((json_t *)(uintptr_t)position, "{s:I, s:I, s:I, s?o, s:o}", "draws", &draws, "given", &given,
                    "seed", &seed, "weights", &weights, "parts", &parts) < 0 || draws < 0 || given < 0
        || standings_restore(m, json_object_get(position, "standing")) < 0)
        return error_set(err, "cannot resume: the position in a mixture of corpora is damaged; start again");
    if ((uint64_t)seed != m->seed || json_array_size(parts) != (size_t)m->count)
        return error_set(err, "cannot resume: the mixture had %zu parts and seed %lld, and has %d and %lld now; "
                         "resume with the old ones or start again", json_array_size(parts), (long long)seed,
                         m->count, (long long)m->seed);
    if (check_weights(m, weights, err) < 0)
        return -1;
    for (int i = 0; i < m->count; i++) {
        struct batch_source *s = &m->parts[i].source;
        if (s->restore(s->state, json_array_get(parts, (size_t)i), err) < 0)
            return -1;
    }
    const json_t *drawn = json_object_get(position, "drawn");
    for (int i = 0; i < m->count; i++)
        m->drawn[i] = json_integer_value(json_array_get(drawn, (size_t)i));
    m->draws = draws;
    m->given = given;
    return 0;
}

static uint64_t mixture_fingerprint(void *state)
{
    struct mixture *m = state;
    uint64_t hash = (uint64_t)m->count;
    for (int i = 0; i < m->count; i++)
        hash = rng_mix(hash ^ m->parts[i].source.fingerprint(m->parts[i].source.state));
    return hash;
}

static void mixture_free(void *state)
{
    struct mixture *m = state;
    for (int i = 0; i < m->count; i++)
        if (m->parts[i].source.free)
            m->parts[i].source.free(m->parts[i].source.state);
    free(m->parts);
    free(m->standing);
    free(m->drawn);
    free(m);
}

int mixture_open(struct batch_source *out, const struct mixture_part *parts, int count, int64_t seed,
                 struct error *err)
{
    struct mixture *m;
    bool any = false;
    for (int i = 0; i < count; i++)
        any |= course_largest(&parts[i].weight) > 0;
    if (!any)
        return error_set(err, "no part of the mixture has a weight above 0");
    m = xcalloc(1, sizeof *m);
    *m = (struct mixture){ .count = count, .seed = (uint64_t)seed };
    m->parts = xcalloc((size_t)count, sizeof *m->parts);
    m->standing = xcalloc((size_t)count, sizeof *m->standing);
    m->drawn = xcalloc((size_t)count, sizeof *m->drawn);
    memcpy(m->parts, parts, (size_t)count * sizeof *parts);
    *out = (struct batch_source){
        .state = m, .at = mixture_at, .next = mixture_next, .save = mixture_save, .restore = mixture_restore,
        .sentences = mixture_sentences, .tokens = mixture_tokens, .drawn = mixture_drawn, .fingerprint = mixture_fingerprint,
        .free = mixture_free,
    };
    return 0;
}
