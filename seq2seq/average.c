/* Averaging the weights of models. */
#include "seq2seq/average.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "seq2seq/model.h"
#include "tensor/kernels.h"
#include "tokenize/tokenizer.h"

/* ---- what must be the same ---- */

/* Dropout is a matter of training; the rest of the configuration says what the weights mean. */
static bool shapes_the_model(const struct option *o)
{
    return strncmp(o->name, "dropout", 7) != 0;
}

static int same_config(const struct model *a, const struct model *b, const char *name_a,
                       const char *name_b, struct error *err)
{
    struct model_config config_a = a->config, config_b = b->config;
    const struct option_group groups_a[] = { { NULL, model_options, &config_a }, { 0 } };
    const struct option_group groups_b[] = { { NULL, model_options, &config_b }, { 0 } };
    json_t *json_a = options_to_json(groups_a), *json_b = options_to_json(groups_b);
    int ret = 0;
    for (const struct option *o = model_options; o->name && ret == 0; o++) {
        const json_t *x = json_object_get(json_a, o->name), *y = json_object_get(json_b, o->name);
        if (!shapes_the_model(o) || json_equal(x, y))
            continue;
        char *text_x = json_dumps(x, JSON_ENCODE_ANY), *text_y = json_dumps(y, JSON_ENCODE_ANY);
        ret = error_set(err, "'%s' and '%s' cannot be averaged: %s is %s in the first, %s in the "
                        "second", name_a, name_b, o->name, text_x, text_y);
        free(text_x);
        free(text_y);
    }
    json_decref(json_a);
    json_decref(json_b);
    return ret;
}

static int same_vocabulary(const struct tokenizer *a, const struct tokenizer *b, const char *side,
                           const char *name_a, const char *name_b, struct error *err)
{
    if (tokenizer_fingerprint(a) == tokenizer_fingerprint(b))
        return 0;
    return error_set(err, "'%s' and '%s' cannot be averaged: their %s vocabularies differ", name_a,
                     name_b, side);
}

static int same_kind(const struct model *a, const struct model *b, const char *name_a,
                     const char *name_b, struct error *err)
{
    if (same_config(a, b, name_a, name_b, err) < 0
        || same_vocabulary(a->source_tokenizer, b->source_tokenizer, "source", name_a, name_b, err) < 0
        || same_vocabulary(a->target_tokenizer, b->target_tokenizer, "target", name_a, name_b, err) < 0)
        return -1;
    if (a->params.total == b->params.total)
        return 0;
    return error_set(err, "'%s' and '%s' cannot be averaged: they have %zu and %zu weights", name_a,
                     name_b, a->params.weights, b->params.weights);
}

/* ---- the mean ---- */

/* A running mean: models that are equal give exactly themselves. */
static void take_in(struct model *mean, struct model *m, size_t number)
{
    kernel->axpy(m->params.block, mean->params.block, -1, mean->params.total);
    kernel->axpy(mean->params.block, m->params.block, 1.0f / (float)number, mean->params.total);
}

static json_t *ancestor(const struct model *m, const char *folder)
{
    char fingerprint[HASH_TEXT];
    hash_text(fingerprint, model_fingerprint(m));
    return json_pack("{s:s, s:s, s:O}", "folder", folder, "fingerprint", fingerprint, "lineage",
                     m->lineage);
}

static int take_in_folder(struct model *mean, json_t *averaged, const char *const *folders,
                          size_t i, struct error *err)
{
    struct model *m = model_load(folders[i], err);
    int ret = m ? same_kind(mean, m, folders[0], folders[i], err) : -1;
    if (ret == 0) {
        json_array_append_new(averaged, ancestor(m, folders[i]));
        take_in(mean, m, i + 1);
    }
    model_free(m);
    return ret;
}

struct model *models_average(const char *const *folders, size_t count, struct error *err)
{
    struct model *mean = model_load(folders[0], err);
    if (!mean)
        return NULL;
    json_t *averaged = json_pack("[o]", ancestor(mean, folders[0]));
    int ret = 0;
    for (size_t i = 1; i < count && ret == 0; i++)
        ret = take_in_folder(mean, averaged, folders, i, err);
    json_decref(mean->lineage);
    mean->lineage = json_pack("{s:s, s:o}", "program", "coho " COHO_VERSION, "averaged", averaged);
    if (ret == 0)
        return mean;
    model_free(mean);
    return NULL;
}
