/* Starting a model from another one's weights. */
#include "distill/initial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "distill/slice.h"
#include "seq2seq/architecture.h"
#include "seq2seq/model.h"

static const char *const ways[] = { "whole", "layers", "slice", NULL };
static const char *const resets[] = { "none", "kels", "wels", NULL };

#define FIELD(member) offsetof(struct initial_config, member)
const struct option initial_options[] = {
    { "start-by", OPTION_CHOICE, FIELD(by), "whole", 0, 0,
      "what is taken from the model to start from: all of its weights, some layers of a deeper one, or the "
      "leading channels of a wider one", ways },
    { "start-encoder-layers", OPTION_LIST, FIELD(encoder), NULL, 0, 0,
      "start-by layers: which layer of that model, counted from 0, each of this one's comes from" },
    { "start-decoder-layers", OPTION_LIST, FIELD(decoder), NULL, 0, 0, "the same for the decoder" },
    { "reset", OPTION_CHOICE, FIELD(reset), "none", 0, 0,
      "a part of the weights starts at random after all (knowledge evolution): all but the leading channels, or "
      "a random part that is the same in all generations", resets },
    { "keep", OPTION_FLOAT, FIELD(keep), "0.5", 0.01, 1,
      "what is not reset: kels, a share of the width; wels, of the weights" },
    { "mask-seed", OPTION_LONG, FIELD(mask_seed), "1", 0, 9e15, "which part wels keeps" },
    { 0 }
};

static int check_layers(const char *side, const struct strings *layers, int wanted, struct error *err)
{
    for (size_t i = 0; i < layers->count; i++)
        if (!*layers->items[i] || layers->items[i][strspn(layers->items[i], "0123456789")])
            return error_set(err, "start-%s-layers: '%s' is not the number of a layer, from 0", side, layers->items[i]);
    if (layers->count && layers->count != (size_t)wanted)
        return error_set(err, "start-%s-layers lists %zu, and %s-layers is %d: give one for each", side, layers->count,
                         side, wanted);
    return 0;
}

int initial_check(const struct initial_config *c, bool start, int encoder_layers, int decoder_layers, struct error *err)
{
    if (!start && (c->by != START_WHOLE || c->reset != RESET_NONE))
        return error_set(err, "%s needs 'start', the name of a stage that makes a model",
                         c->by != START_WHOLE ? "start-by" : "reset");
    if (c->by == START_LAYERS ? !c->encoder.count && !c->decoder.count : c->encoder.count || c->decoder.count)
        return error_set(err, "start-by: layers goes with start-encoder-layers or start-decoder-layers");
    return check_layers("encoder", &c->encoder, encoder_layers, err) < 0 ? -1
        : check_layers("decoder", &c->decoder, decoder_layers, err);
}

static int same_vocabularies(const struct model *m, const struct model *from, struct error *err)
{
    if (model_same_vocabularies(m, from))
        return 0;
    return error_set(err, "the model to start from has another vocabulary; give this one the same 'vocabulary'");
}

/* ---- layers ---- */

/* The other model's name for the weight `name`: "decoder.1.ffn.in.weight" with layers 0 2 5 is its
 * "decoder.2.ffn.in.weight".  Without a list a layer keeps its number. */
static int name_there(char *out, size_t room, const char *name, const char *side, const struct strings *layers,
                      struct error *err)
{
    size_t length = strlen(side);
    char *end;
    if (strncmp(name, side, length) || !layers->count || strchr("0123456789", name[length]) == NULL)
        return 0;
    unsigned long layer = strtoul(name + length, &end, 10);
    if (layer >= layers->count)
        return error_set(err, "%.*s layer %lu comes from none: %zu are listed", (int)length - 1, side, layer,
                         layers->count);
    snprintf(out, room, "%s%s%s", side, layers->items[layer], end);
    return 1;
}

static int find_there(const struct param_set *from, const struct param *p, const struct initial_config *c,
                      struct error *err)
{
    char name[256];
    snprintf(name, sizeof name, "%s", p->name);
    if (c->by == START_LAYERS && (name_there(name, sizeof name, p->name, "encoder.", &c->encoder, err) < 0
                                  || name_there(name, sizeof name, p->name, "decoder.", &c->decoder, err) < 0))
        return -1;
    int found = param_find(from, name);
    if (found < 0)
        return error_set(err, "the model to start from has no weight '%s'; give both the same architecture%s", name,
                         c->by == START_LAYERS ? ", and name layers that it has" : "");
    const struct param *q = &from->items[found];
    if (q->rows != p->rows || q->cols != p->cols)
        return error_set(err, "weight '%s' is %d × %d, but %d × %d in the model to start from; give both the same "
                         "sizes", p->name, p->rows, p->cols, q->rows, q->cols);
    return found;
}

/* The place in the other set of each weight; the caller's.  NULL: some have none. */
static int *find_all(const struct param_set *set, const struct param_set *from, const struct initial_config *c,
                     struct error *err)
{
    int *there = xcalloc(set->count, sizeof *there), ret = 0;
    if (c->by == START_WHOLE && set->count != from->count)
        ret = error_set(err, "the model to start from has %zu weights, this one %zu; give both the same layers",
                        from->count, set->count);
    for (size_t i = 0; i < set->count && ret == 0; i++)
        if ((there[i] = find_there(from, &set->items[i], c, err)) < 0)
            ret = -1;
    if (ret < 0) {
        free(there);
        return NULL;
    }
    return there;
}

static int copy(struct model *m, const struct model *from, const struct initial_config *c, struct error *err)
{
    int *there = find_all(&m->params, &from->params, c, err);
    if (!there)
        return -1;
    for (size_t i = 0; i < m->params.count; i++)
        memcpy(param_data(&m->params, (int)i), param_data(&from->params, there[i]),
               (size_t)m->params.items[i].rows * (size_t)m->params.items[i].cols * sizeof(float));
    free(there);
    return 0;
}

/* ---- shapes alone ---- */

int initial_fits(const struct model_config *config, const struct model_config *from, const struct initial_config *c,
                 struct error *err)
{
    struct model_config a = *config, b = *from, slim;
    struct param_set set = { 0 }, other = { 0 };
    int *there = NULL, ret;
    a.source_vocab = a.target_vocab = b.source_vocab = b.target_vocab = 1;      /* the same for both */
    architecture_declare(&set, &a);
    architecture_declare(&other, &b);
    if (c->by == START_SLICE)
        ret = slice_fits(&set, &other, err);
    else
        ret = (there = find_all(&set, &other, c, err)) ? 0 : -1;
    if (ret == 0 && c->reset == RESET_KELS)
        ret = slice_config(&slim, config, c->keep, err);
    free(there);
    params_release(&set);
    params_release(&other);
    return ret;
}

/* ---- resets ---- */

/* Takes back the random weights but where `kept` says so. */
static void put_back(struct model *m, const float *random, const bool *kept)
{
    for (size_t i = 0; i < m->params.total; i++)
        if (!kept[i])
            m->params.block[i] = random[i];
}

static void mark_random(bool *kept, const struct model *m, const struct initial_config *c)
{
    struct rng rng;
    rng_seed(&rng, (uint64_t)c->mask_seed, 0x6b65);
    for (size_t i = 0; i < m->params.total; i++)
        kept[i] = rng_unit(&rng) < (double)c->keep;
}

static void mark_slim(bool *kept, const struct model *m, const struct param_set *slim)
{
    for (size_t i = 0; i < m->params.count; i++) {
        const struct param *p = &m->params.items[i], *s = &slim->items[i];
        int *row, *col;
        slice_places(&row, &col, m, p, s);
        for (int r = 0; r < s->rows; r++)
            for (int k = 0; k < s->cols; k++)
                kept[p->offset + (size_t)row[r] * (size_t)p->cols + (size_t)col[k]] = true;
        free(row);
        free(col);
    }
}

static int mark_leading(bool *kept, const struct model *m, const struct initial_config *c, struct error *err)
{
    struct model_config slim;
    struct param_set set = { 0 };
    if (slice_config(&slim, &m->config, c->keep, err) < 0)
        return -1;
    architecture_declare(&set, &slim);
    mark_slim(kept, m, &set);
    params_release(&set);
    return 0;
}

static int reset(struct model *m, const float *random, const struct initial_config *c, struct error *err)
{
    bool *kept = xcalloc(m->params.total, sizeof *kept);
    int ret = 0;
    if (c->reset == RESET_WELS)
        mark_random(kept, m, c);
    else
        ret = mark_leading(kept, m, c, err);
    if (ret == 0)
        put_back(m, random, kept);
    free(kept);
    return ret;
}

int initial_start(struct model *m, const struct model *from, const struct initial_config *c, struct error *err)
{
    size_t bytes = m->params.total * sizeof(float);
    if (same_vocabularies(m, from, err) < 0)
        return -1;
    float *random = xmalloc(bytes);
    memcpy(random, m->params.block, bytes);
    int ret = c->by == START_SLICE ? slice_copy(m, from, err) : copy(m, from, c, err);
    if (ret == 0 && c->reset != RESET_NONE)
        ret = reset(m, random, c, err);
    free(random);
    return ret;
}

int initial_shared(struct model *m, const struct model *from, struct error *err)
{
    size_t copied = 0;
    if (same_vocabularies(m, from, err) < 0)
        return -1;
    for (size_t i = 0; i < m->params.count; i++) {
        const struct param *p = &m->params.items[i];
        int found = param_find(&from->params, p->name);
        const struct param *q = found < 0 ? NULL : &from->params.items[found];
        if (!q || q->rows != p->rows || q->cols != p->cols)
            continue;
        memcpy(param_data(&m->params, (int)i), param_data(&from->params, found),
               (size_t)p->rows * (size_t)p->cols * sizeof(float));
        copied++;
    }
    return copied ? 0 : error_set(err, "the model to start from has no weight of a name and shape that this one "
                                  "has; give both the same architecture and width");
}
