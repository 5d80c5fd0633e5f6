/* Translators made of models, one or several. */
#include "decode/translator.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

static int model_stepper_new(struct stepper *out, const void *arg, struct error *err)
{
    if (model_stepper(out, arg) < 0)
        return error_set(err, "the model's architecture cannot decode step by step");
    return 0;
}

struct translator translator_of_model(const struct model *m)
{
    return (struct translator){ m->source_tokenizer, m->target_tokenizer, model_max_length(m), m,
                                m, model_stepper_new };
}

struct ensemble {
    const struct model **models;
    float *share;
    int count;
    enum average average;
};

struct ensemble *ensemble_new(const struct model *const *models, const float *weight, int count,
                              enum average average, struct error *err)
{
    struct ensemble *e = xcalloc(1, sizeof *e);
    e->models = xcalloc((size_t)count, sizeof *e->models);
    e->share = xcalloc((size_t)count, sizeof *e->share);
    memcpy(e->models, models, (size_t)count * sizeof *e->models);
    e->count = count;
    e->average = average;
    int ret = teacher_shares(e->share, weight, count, err);
    for (int i = 1; i < count && ret == 0; i++)
        ret = teacher_same_vocab(models[0], models[i], i + 1, err);
    if (ret == 0)
        return e;
    ensemble_free(e);
    return NULL;
}

void ensemble_free(struct ensemble *e)
{
    if (!e)
        return;
    free(e->models);
    free(e->share);
    free(e);
}

static int ensemble_stepper_new(struct stepper *out, const void *arg, struct error *err)
{
    const struct ensemble *e = arg;
    struct stepper *members = xcalloc((size_t)e->count, sizeof *members);
    int made = 0, ret = -1;
    for (; made < e->count; made++)
        if (model_stepper_new(&members[made], e->models[made], err) < 0)
            goto done;
    *out = ensemble_stepper(members, e->share, e->count, e->average);
    made = 0;
    ret = 0;
done:
    while (made > 0) {
        made--;
        members[made].free(members[made].state);
    }
    free(members);
    return ret;
}

/* The shortest of the members' limits. */
static int shortest(const struct ensemble *e)
{
    int least = 0;
    for (int i = 0; i < e->count; i++) {
        int length = model_max_length(e->models[i]);
        if (length && (!least || length < least))
            least = length;
    }
    return least;
}

struct translator translator_of_ensemble(const struct ensemble *e)
{
    return (struct translator){ e->models[0]->source_tokenizer, e->models[0]->target_tokenizer,
                                shortest(e), NULL, e, ensemble_stepper_new };
}
