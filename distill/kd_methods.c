/* What the methods of distillation make of a teacher's distribution, and their options. */
#include <math.h>

#include "base/memory.h"
#include "base/rng.h"
#include "decode/select.h"
#include "distill/kd.h"

/* ---- entries ---- */

static float mass_of(const float *p, int count)
{
    float sum = 0;
    for (int i = 0; i < count; i++)
        sum += p[i];
    return sum;
}

void kd_entries(struct mixture *mix, enum tail policy, const int32_t *id, float *p, int count, float tail, int V)
{
    float kept = mass_of(p, count), factor = 1;
    if (policy == TAIL_RENORMALISE || count == V) {
        factor = kept > 0 ? 1 / kept : 1;
        tail = 0;
    }
    for (int i = 0; i < count; i++)
        p[i] *= factor;
    mix->teacher = NULL;
    mix->top = count;
    mix->top_id = id;
    mix->top_p = p;
    mix->rest = policy == TAIL_SPREAD ? tail : 0;
    mix->bucket = policy == TAIL_BUCKET ? tail : 0;
}

void kd_dense(float *q, enum tail policy, const int32_t *id, const float *p, int count, float tail, int V)
{
    float kept = mass_of(p, count), factor = 1, even = 0;
    if (policy == TAIL_RENORMALISE || count == V)
        factor = kept > 0 ? 1 / kept : 1;
    else
        even = tail / (float)(V - count);
    for (int i = 0; i < V; i++)
        q[i] = even;
    for (int i = 0; i < count; i++)
        q[id[i]] = factor * p[i];
}

/* ---- Tang 2021: what of the teacher's distribution teaches ---- */

/* KD-pt: how sure the teacher is of the gold token, and nothing of the others. */
static void probability_row(struct kd_row *r)
{
    r->id[0] = r->gold;
    r->p[0] = r->q[r->gold];
    kd_entries(r->mix, TAIL_SPREAD, r->id, r->p, 1, 1 - r->p[0], r->V);
}

/* KD-topk: the k likeliest. */
static void top_row(struct kd_row *r)
{
    enum { MOST = 1024 };
    struct candidate best[MOST];
    int k = r->config->k < r->V ? r->config->k : r->V;
    double none = 0;
    float kept = 0;
    if (k >= r->V || k > MOST)
        return;                         /* all of it */
    k = select_top(best, k, r->q, r->V, &none, 1, r->V);
    for (int i = 0; i < k; i++) {
        r->id[i] = best[i].token;
        kept += r->p[i] = r->q[best[i].token];
    }
    kd_entries(r->mix, (enum tail)r->config->tail, r->id, r->p, k, kept < 1 ? 1 - kept : 0, r->V);
}

/* ---- Furlanello 2018: is it the weighting or the other classes? ---- */

/* CWTM: gold alone, an example counting as much as the teacher is sure of its best token. */
static void confidence_row(struct kd_row *r)
{
    *r->weight *= r->q[kernel->argmax(r->q, r->V)];
    r->mix->teacher = NULL;
}

/* DKPP: the teacher's best keeps its probability, the others change theirs among themselves.  The
 * permutation is a fixed one read from a place that differs for every row, so it costs one pass. */
static void permuted_row(struct kd_row *r)
{
    int V = r->V, best = kernel->argmax(r->q, V), from = (int)(rng_mix(r->seed) % (uint64_t)V);
    int at = (r->place[best] - from + V) % V;           /* where the best one goes … */
    float *p = r->p;
    for (int i = 0; i < V - from; i++)
        p[i] = r->q[r->order[from + i]];
    for (int i = V - from; i < V; i++)
        p[i] = r->q[r->order[from + i - V]];
    p[at] = p[best];                                    /* … and it comes back */
    p[best] = r->q[best];
    r->mix->teacher = p;
}

/* ---- the methods ---- */

const struct kd_method kd_none = { .name = "cross-entropy" };
const struct kd_method kd_words = { .name = "word-kd", .entries = true };
const struct kd_method kd_probability = { .name = "kd-pt", .row = probability_row };
const struct kd_method kd_top = { .name = "kd-topk", .row = top_row };
const struct kd_method kd_similarity = { .name = "kd-sim", .similarity = true };
const struct kd_method kd_selective = { .name = "selective-kd", .entries = true, .selective = true };
const struct kd_method kd_confidence = { .name = "cwtm", .gold_only = true, .row = confidence_row };
const struct kd_method kd_permuted = { .name = "dkpp", .row = permuted_row };
const struct kd_method kd_double = { .name = "double-distillation", .divergence = DIVERGENCE_DOUBLE };
const struct kd_method kd_reverse = { .name = "reverse-kl", .divergence = DIVERGENCE_REVERSE_KL };
const struct kd_method kd_jsd = { .name = "jsd", .divergence = DIVERGENCE_JSD };
const struct kd_method kd_skew = { .name = "skew-kl", .divergence = DIVERGENCE_SKEW_KL };
const struct kd_method kd_skew_reverse = { .name = "skew-reverse-kl", .divergence = DIVERGENCE_SKEW_REVERSE_KL };
const struct kd_method kd_self = { .name = "air", .self = true };
const struct kd_method kd_tvd = { .name = "tvd", .divergence = DIVERGENCE_TVD };

/* ---- their options ---- */

static const char *const tails[] = { "spread", "renormalise", "bucket", NULL };
static const char *const pools[] = { "batch", "queue", NULL };

#define FIELD(member) offsetof(struct kd_config, member)
#define ALPHA { "alpha", OPTION_COURSE, FIELD(alpha), "0.5", 0, 1, "the teacher's share of the loss" }
#define TEMPERATURE { "temperature", OPTION_FLOAT, FIELD(temperature), "1", 0.01, 100, \
      "divides both models' logits in the teacher's share" }
#define T_SQUARED { "t-squared", OPTION_FLAG, FIELD(t_squared), "true", 0, 0, \
      "multiply the teacher's share by the temperature squared" }
#define SMOOTHING(usual) { "label-smoothing", OPTION_COURSE, FIELD(label_smoothing), usual, 0, 0.99, \
      "mass of the gold share that is spread over all pieces" }
#define TAIL { "tail", OPTION_CHOICE, FIELD(tail), "spread", 0, 0, \
      "mass outside of the kept entries: spread evenly over all other pieces, given to the entries, or " \
      "taken as one class", tails }
#define COMMON ALPHA, TEMPERATURE, T_SQUARED, SMOOTHING("0")

/* Dong 2019: target α_t·y + (1-α_t)·sharpen(f of the epoch before), α_t falling; `alpha` is 1-α_t. */
const struct option kd_self_options[] = {
    { "alpha", OPTION_COURSE, FIELD(alpha), "linear 0 1", 0, 1,
      "the share of the loss that the model of before has" },
    { "sharpen", OPTION_FLOAT, FIELD(sharpen), "0.5", 0.01, 100,
      "divides that model's logits: below 1 its distributions become sharper" },
    { "copy-every", OPTION_INT, FIELD(every), "0", 0, 1e9,
      "updates between two copies of the model; 0: one at the end of every epoch" },
    SMOOTHING("0"), { 0 }
};
const struct option kd_none_options[] = { SMOOTHING("0.1"), { 0 } };
const struct option kd_words_options[] = { COMMON, TAIL, { 0 } };
const struct option kd_probability_options[] = { COMMON, { 0 } };
const struct option kd_top_options[] = {
    COMMON, TAIL, { "k", OPTION_INT, FIELD(k), "8", 1, 1024, "the teacher's likeliest pieces that are kept" }, { 0 }
};
const struct option kd_similarity_options[] = {
    ALPHA, SMOOTHING("0"),
    { "similarity-temperature", OPTION_FLOAT, FIELD(similarity), "0.1", 0.001, 100,
      "divides the cosines before the soft-max" },
    { 0 }
};
const struct option kd_selective_options[] = {
    COMMON, TAIL,
    { "share", OPTION_COURSE, FIELD(share), "0.5", 0, 1,
      "of the tokens, those hardest for the student: the teacher speaks on them alone" },
    { "hard-among", OPTION_CHOICE, FIELD(pool), "batch", 0, 0,
      "what is hard: against the tokens that a worker has at hand, or against a queue of earlier ones", pools },
    { "queue", OPTION_INT, FIELD(queue), "30000", 1, 100000000, "tokens that the queue of a worker holds" },
    { 0 }
};
const struct option kd_confidence_options[] = {
    { "temperature", OPTION_FLOAT, FIELD(temperature), "1", 0.01, 100, "divides the teacher's logits" },
    SMOOTHING("0"), { 0 }
};
const struct option kd_jsd_options[] = {
    COMMON,
    { "beta", OPTION_COURSE, FIELD(skew), "0.5", 0, 1,
      "the teacher's part of the mean distribution; 0 is the KL, 1 the reverse KL" },
    { 0 }
};
const struct option kd_skew_options[] = {
    COMMON,
    { "skew", OPTION_COURSE, FIELD(skew), "0.1", 0, 0.99,
      "the share of the distribution on the left that is mixed into the one on the right" },
    { 0 }
};
