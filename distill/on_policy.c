/* The student's own outputs as targets.
 *
 * All that is random hangs on the seed and on the number of the batch, so the position is that
 * number, the source's own, and the buffer. */
#include "distill/on_policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "decode/translate.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

static const char *const decodings[] = { "sample", "greedy", NULL };

#define FIELD(member) offsetof(struct on_policy_config, member)
const struct option on_policy_options[] = {
    { "on-policy", OPTION_COURSE, FIELD(share), "0", 0, 1,
      "share of the batches whose targets are the student's own outputs; the teacher judges them" },
    { "on-policy-decoding", OPTION_CHOICE, FIELD(decoding), "sample", 0, 0,
      "how the student makes its outputs", decodings },
    { "on-policy-temperature", OPTION_FLOAT, FIELD(sampling.temperature), "1", 0, 100,
      "divides the student's logits when it samples" },
    { "on-policy-top-k", OPTION_INT, FIELD(sampling.top_k), "0", 0, 1e9,
      "it samples among so many likeliest pieces; 0: all" },
    { "on-policy-top-p", OPTION_FLOAT, FIELD(sampling.top_p), "1", 0.001, 1,
      "it samples among the fewest pieces that hold this mass" },
    { "replay-buffer", OPTION_INT, FIELD(replay), "0", 0, 100000000,
      "outputs that are kept and drawn from again; 0: each batch is made afresh" },
    { "replay-fresh", OPTION_COURSE, FIELD(fresh), "linear 1 0", 0, 1,
      "with a buffer: share of the student's batches that are made afresh" },
    { 0 }
};

struct kept {
    int32_t *source, *target;   /* one block, source first; </s> left out */
    int source_count, target_count;
    int64_t index;
    float weight;
};

struct on_policy {
    struct batch_source within;
    const struct model *student;
    struct model *view;         /* of the student, to decode with */
    struct on_policy_config config;
    struct search_config search;
    int threads;
    uint64_t seed;
    struct moment when;
    int64_t batches;            /* given so far */
    struct on_policy_counts counts;
    struct kept *buffer;        /* a ring of config.replay … */
    int count, next;
    struct batch gold;          /* the batch of the source within */
};

const struct on_policy_config on_policy_labels = {
    .share = { .from = 1 }, .decoding = ON_POLICY_GREEDY, .sampling = { .temperature = 1, .top_p = 1 }, .labels = true,
};

bool on_policy_wanted(const struct on_policy_config *c)
{
    return course_largest(&c->share) > 0;
}

static bool draws_as_usual(const struct sampling *s)
{
    return s->temperature == 1 && !s->top_k && s->top_p == 1;
}

/* As the option's default. */
static bool fresh_as_usual(const struct on_policy_config *c)
{
    struct on_policy_config usual = { .replay = 0 };
    const struct option_group groups[] = { { NULL, on_policy_options, &usual }, { NULL } };
    char its[COURSE_TEXT], given[COURSE_TEXT];
    options_default(groups);
    course_text(its, &usual.fresh);
    course_text(given, &c->fresh);
    return !strcmp(given, its);
}

int on_policy_check(const struct on_policy_config *c, struct error *err)
{
    if (!on_policy_wanted(c))
        return 0;
    if (c->decoding == ON_POLICY_GREEDY && !draws_as_usual(&c->sampling))
        return error_set(err, "on-policy-temperature, on-policy-top-k and on-policy-top-p say how to sample, but "
                         "on-policy-decoding is greedy; leave them out, or take sample");
    if (!c->replay && !fresh_as_usual(c))
        return error_set(err, "replay-fresh is a share of what a buffer gives: say how much it keeps by replay-buffer, "
                         "or leave it out");
    if (c->replay && course_largest(&c->fresh) <= 0)
        return error_set(err, "replay-fresh 0: the buffer would give the outputs of one batch again and again; let some "
                         "be made afresh");
    return 0;
}

/* ---- the buffer ---- */

static void keep(struct on_policy *p, struct kept one)
{
    struct kept *place = &p->buffer[p->next];
    free(place->source);
    *place = one;
    p->next = (p->next + 1) % p->config.replay;
    if (p->count < p->config.replay)
        p->count++;
}

/* Number i, the oldest first: draws must not hang on where the ring begins. */
static const struct kept *kept_at(const struct on_policy *p, int i)
{
    return &p->buffer[p->count < p->config.replay ? i : (p->next + i) % p->config.replay];
}

static struct kept kept_new(const int32_t *source, int source_count, const int32_t *target, int target_count,
                            int64_t index, float weight)
{
    int32_t *ids = xmalloc(((size_t)source_count + (size_t)target_count + 1) * sizeof *ids);
    memcpy(ids, source, (size_t)source_count * sizeof *ids);
    if (target_count)
        memcpy(ids + source_count, target, (size_t)target_count * sizeof *ids);
    return (struct kept){ ids, ids + source_count, source_count, target_count, index, weight };
}

/* Sentences drawn from the buffer until they have as many target tokens as the batch that they
 * stand in for. */
static void replay(struct on_policy *p, struct batch *b, int tokens, struct rng *rng)
{
    batch_reset(b);
    b->sampled = true;
    while (b->target_tokens < tokens) {
        const struct kept *k = kept_at(p, (int)rng_below(rng, (uint64_t)p->count));
        batch_add(b, k->source, k->source_count, k->target, k->target_count, model_bos(p->student),
                  model_eos(p->student), k->index, k->weight);
    }
}

/* ---- the student's outputs ---- */

static void take_outputs(struct on_policy *p, struct batch *b, const struct translation *out)
{
    const struct batch *gold = &p->gold;
    batch_reset(b);
    b->task = gold->task;
    b->sampled = !p->config.labels;
    for (int i = 0; i < gold->B; i++) {
        const int32_t *source = gold->source + gold->source_start[i];
        int source_count = gold->source_start[i + 1] - gold->source_start[i] - 1;
        const struct hypothesis *h = &out[i].best[0];
        p->counts.made++;
        if (p->config.labels && (h->cut || !h->count)) {
            p->counts.left_out++;
            continue;
        }
        batch_add(b, source, source_count, h->ids, h->count, model_bos(p->student), model_eos(p->student),
                  gold->index[i], gold->weight[i]);
        if (p->config.replay)
            keep(p, kept_new(source, source_count, h->ids, h->count, gold->index[i], gold->weight[i]));
    }
}

static int generate(struct on_policy *p, struct batch *b, struct rng *rng, struct error *err)
{
    const struct batch *gold = &p->gold;
    struct translation *out = xcalloc((size_t)gold->B, sizeof *out);
    struct ids *sources = xcalloc((size_t)gold->B, sizeof *sources);
    struct search_config search = p->search;
    search.seed = (int64_t)(rng_next(rng) >> 1);
    for (int i = 0; i < gold->B; i++)
        sources[i] = (struct ids){ gold->source + gold->source_start[i],
                                   (size_t)(gold->source_start[i + 1] - gold->source_start[i] - 1) };
    model_view_update(p->view, p->student);
    int ret = translate_ids(out, p->view, sources, (size_t)gold->B, &search, p->threads, NULL, err);
    if (ret == 0) {
        take_outputs(p, b, out);
        translations_release(out, (size_t)gold->B);
    }
    free(sources);
    free(out);
    return ret;
}

static int next(void *state, struct batch *b, struct error *err)
{
    struct on_policy *p = state;
    struct rng rng;
    int more = p->within.next(p->within.state, b, err);
    if (more <= 0)
        return more;
    rng_seed(&rng, p->seed, (uint64_t)p->batches++);
    if (rng_unit(&rng) >= (double)course_at(&p->config.share, &p->when))
        return 1;
    if (p->count && rng_unit(&rng) >= (double)course_at(&p->config.fresh, &p->when)) {
        replay(p, b, b->target_tokens, &rng);
        return 1;
    }
    struct batch gold = *b;             /* they change places */
    *b = p->gold;
    p->gold = gold;
    return generate(p, b, &rng, err) < 0 ? -1 : 1;
}

/* ---- the position ---- */

static json_t *ids_json(const int32_t *ids, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_integer(ids[i]));
    return list;
}

static json_t *save(void *state)
{
    struct on_policy *p = state;
    json_t *buffer = json_array();
    for (int i = 0; i < p->count; i++) {
        const struct kept *k = kept_at(p, i);
        json_array_append_new(buffer, json_pack("[o,o,I,f]", ids_json(k->source, k->source_count),
                                                ids_json(k->target, k->target_count), (json_int_t)k->index,
                                                (double)k->weight));
    }
    return json_pack("{s:o,s:I,s:I,s:I,s:o}", "within", p->within.save(p->within.state), "batches",
                     (json_int_t)p->batches, "made", (json_int_t)p->counts.made, "left_out",
                     (json_int_t)p->counts.left_out, "buffer", buffer);
}

static int read_ids(int32_t **out, int *count, const json_t *list, int vocab)
{
    *count = (int)json_array_size(list);
    *out = xcalloc((size_t)*count + 1, sizeof **out);
    for (int i = 0; i < *count; i++) {
        json_int_t id = json_integer_value(json_array_get(list, (size_t)i));
        if (id < 0 || id >= vocab)
            return -1;
        (*out)[i] = (int32_t)id;
    }
    return 0;
}

static int read_kept(struct on_policy *p, const json_t *one)
{
    int32_t *source = NULL, *target = NULL;
    int source_count, target_count, ret = -1;
    if (read_ids(&source, &source_count, json_array_get(one, 0), p->student->config.source_vocab) == 0
        && read_ids(&target, &target_count, json_array_get(one, 1), p->student->config.target_vocab) == 0) {
        keep(p, kept_new(source, source_count, target, target_count, json_integer_value(json_array_get(one, 2)),
                         (float)json_number_value(json_array_get(one, 3))));
        ret = 0;
    }
    free(source);
    free(target);
    return ret;
}

static int restore(void *state, const json_t *position, struct error *err)
{
    struct on_policy *p = state;
    const json_t *buffer = json_object_get(position, "buffer"), *batches = json_object_get(position, "batches"), *one;
    size_t i;
    if (!json_is_integer(batches))
        return error_set(err, "the position is of a training without on-policy batches");
    p->batches = json_integer_value(batches);
    p->counts.made = json_integer_value(json_object_get(position, "made"));
    p->counts.left_out = json_integer_value(json_object_get(position, "left_out"));
    p->count = p->next = 0;
    json_array_foreach(buffer, i, one)
        if (!p->config.replay || read_kept(p, one) < 0)
            return error_set(err, "the replay buffer in the checkpoint is damaged");
    return p->within.restore(p->within.state, json_object_get(position, "within"), err);
}

/* ---- the rest ---- */

static void at(void *state, const struct moment *when)
{
    struct on_policy *p = state;
    p->when = *when;
    if (p->within.at)
        p->within.at(p->within.state, when);
}

static int64_t sentences(void *state)
{
    struct on_policy *p = state;
    return p->within.sentences(p->within.state);
}

static int64_t tokens(void *state)
{
    struct on_policy *p = state;
    return p->within.tokens(p->within.state);
}

static uint64_t fingerprint(void *state)
{
    struct on_policy *p = state;
    return rng_mix(p->within.fingerprint(p->within.state) ^ p->seed);
}

static void on_policy_free(void *state)
{
    struct on_policy *p = state;
    for (int i = 0; i < p->config.replay; i++)          /* a restored ring may be shorter than it was */
        free(p->buffer[i].source);
    free(p->buffer);
    batch_release(&p->gold);
    model_view_free(p->view);
    p->within.free(p->within.state);
    free(p);
}

/* The learned positions of a student end the outputs too, and </s> takes one. */
static void set_search(struct on_policy *p, int max_length)
{
    const struct option_group groups[] = { { NULL, search_options, &p->search }, { NULL } };
    options_default(groups);
    p->search.beam = p->search.n_best = 1;
    p->search.whole = true;             /* the position stays exact: a batch is taken and learnt from */
    p->search.unscored = p->config.decoding == ON_POLICY_GREEDY;
    p->search.sampled = p->config.decoding == ON_POLICY_SAMPLE;
    p->search.sampling = p->config.sampling;
    p->search.max_length = max_length;
    p->search.max_source = max_length;
}

int on_policy_open(struct batch_source *out, struct batch_source *within, const struct model *student,
                   const struct on_policy_config *config, int max_length, int64_t seed, int threads,
                   struct error *err)
{
    struct on_policy *p = xcalloc(1, sizeof *p);
    p->student = student;
    p->view = model_view_new();
    p->config = *config;
    p->seed = rng_mix((uint64_t)seed ^ 0x6f6e706fu);
    p->threads = threads;
    set_search(p, max_length);
    if (search_check(&p->search, err) < 0) {
        model_view_free(p->view);
        free(p);
        return -1;
    }
    if (config->replay)
        p->buffer = xcalloc((size_t)config->replay, sizeof *p->buffer);
    p->within = *within;
    *within = (struct batch_source){ 0 };
    *out = (struct batch_source){
        .state = p, .at = at, .next = next, .save = save, .restore = restore, .sentences = sentences,
        .tokens = tokens, .fingerprint = fingerprint, .free = on_policy_free,
    };
    return 0;
}

struct on_policy_counts on_policy_count(const struct batch_source *s)
{
    const struct on_policy *p = s->state;
    return p->counts;
}
