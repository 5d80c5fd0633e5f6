#include "corpora/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"

struct chain {
    struct batch_source *parts;
    int *task;
    int count, at;
};

static void chain_at(void *state, const struct moment *when)
{
    struct chain *c = state;
    for (int i = 0; i < c->count; i++)
        if (c->parts[i].at)
            c->parts[i].at(c->parts[i].state, when);
}

static int chain_next(void *state, struct batch *b, struct error *err)
{
    struct chain *c = state;
    for (; c->at < c->count; c->at++) {
        int more = c->parts[c->at].next(c->parts[c->at].state, b, err);
        if (more > 0)
            b->task = c->task[c->at];
        if (more)
            return more;
    }
    c->at = 0;
    batch_reset(b);
    return 0;
}

static json_t *chain_save(void *state)
{
    struct chain *c = state;
    json_t *parts = json_array();
    for (int i = 0; i < c->count; i++)
        json_array_append_new(parts, c->parts[i].save(c->parts[i].state));
    return json_pack("{s:i, s:o}", "at", c->at, "parts", parts);
}

static int chain_restore(void *state, const json_t *position, struct error *err)
{
    struct chain *c = state;
    const json_t *parts = json_object_get(position, "parts");
    json_int_t at = json_integer_value(json_object_get(position, "at"));
    if (json_array_size(parts) != (size_t)c->count || at < 0 || at > c->count)
        return error_set(err, "cannot resume: the position in a chain of corpora is damaged, or of another chain");
    for (int i = 0; i < c->count; i++)
        if (c->parts[i].restore(c->parts[i].state, json_array_get(parts, (size_t)i), err) < 0)
            return -1;
    c->at = (int)at;
    return 0;
}

static int64_t chain_sentences(void *state)
{
    struct chain *c = state;
    int64_t all = 0;
    for (int i = 0; i < c->count; i++)
        all += c->parts[i].sentences(c->parts[i].state);
    return all;
}

static int64_t chain_tokens(void *state)
{
    struct chain *c = state;
    int64_t all = 0;
    for (int i = 0; i < c->count; i++)
        all += c->parts[i].tokens(c->parts[i].state);
    return all;
}

static uint64_t chain_fingerprint(void *state)
{
    struct chain *c = state;
    uint64_t hash = (uint64_t)c->count;
    for (int i = 0; i < c->count; i++)
        hash = rng_mix(hash ^ c->parts[i].fingerprint(c->parts[i].state));
    return hash;
}

static void chain_free(void *state)
{
    struct chain *c = state;
    for (int i = 0; i < c->count; i++)
        if (c->parts[i].free)
            c->parts[i].free(c->parts[i].state);
    free(c->parts);
    free(c->task);
    free(c);
}

void chain_open(struct batch_source *out, const struct batch_source *parts, const int *task, int count)
{
    struct chain *c = xcalloc(1, sizeof *c);
    c->count = count;
    c->parts = xcalloc((size_t)count, sizeof *c->parts);
    c->task = xcalloc((size_t)count, sizeof *c->task);
    memcpy(c->parts, parts, (size_t)count * sizeof *parts);
    memcpy(c->task, task, (size_t)count * sizeof *task);
    *out = (struct batch_source){
        .state = c, .at = chain_at, .next = chain_next, .save = chain_save, .restore = chain_restore,
        .sentences = chain_sentences, .tokens = chain_tokens, .fingerprint = chain_fingerprint, .free = chain_free,
    };
}
