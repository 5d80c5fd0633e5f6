#include "decode/models.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

const char *const average_names[] = { "probability", "log", NULL };
const char *const mean_names[] = { "arithmetic", "geometric", NULL };

#define FIELD(member) offsetof(struct ensemble_config, member)
const struct option ensemble_options[] = {
    { "weights", OPTION_LIST, FIELD(weights), NULL, .help = "an ensemble's weights, one a model; without: equal ones" },
    { "average", OPTION_CHOICE, FIELD(average), "probability", .choices = average_names,
      .help = "what an ensemble averages: probabilities or their logarithms" },
    { "products", OPTION_CHOICE, FIELD(products), "stored", .choices = products_names,
      .help = "numbers to multiply in: as the model's file has them, or another kind made of them at the start" },
    { 0 }
};
#undef FIELD

int models_load(struct models *m, const struct strings *folders, int use, struct error *err)
{
    m->items = xcalloc(folders->count + 1, sizeof *m->items);
    for (size_t i = 0; i < folders->count; i++) {
        m->items[i] = use == MODELS_WHOLE ? model_load(folders->items[i], err)
                    : model_load_decoder(folders->items[i], (enum precision_of_products)use, err);
        if (!m->items[i])
            return -1;
        m->count++;
    }
    return 0;
}

int model_weights_parse(float **out, const char *option, const struct strings *weights, int models, struct error *err)
{
    *out = NULL;
    if (!weights->count)
        return 0;
    if (weights->count != (size_t)models)
        return error_set(err, "%s has %zu numbers for %d models: give one each", option, weights->count, models);
    float *numbers = xcalloc(weights->count, sizeof *numbers);
    for (size_t i = 0; i < weights->count; i++) {
        char *end;
        numbers[i] = strtof(weights->items[i], &end);
        if (end == weights->items[i] || *end || !(numbers[i] > 0) || !isfinite(numbers[i])) {
            free(numbers);
            return error_set(err, "%s: '%s' is not a number above 0", option, weights->items[i]);
        }
    }
    *out = numbers;
    return 0;
}

int models_weigh(struct models *m, const char *option, const struct strings *weights, struct error *err)
{
    return model_weights_parse(&m->weights, option, weights, m->count, err);
}

static int join(struct models *m, enum average average, struct error *err)
{
    if (m->count < 2)
        return 0;
    m->ensemble = ensemble_new(models_list(m), m->weights, m->count, average, err);
    return m->ensemble ? 0 : -1;
}

int models_open(struct models *m, const struct strings *folders, int use, const char *option,
                const struct strings *weights, enum average average, struct error *err)
{
    if (weights && model_weights_parse(&m->weights, option, weights, (int)folders->count, err) < 0)
        return -1;
    return models_load(m, folders, use, err) < 0 ? -1 : join(m, average, err);
}

int models_open_ensemble(struct models *m, const struct strings *folders, const struct ensemble_config *config,
                         struct error *err)
{
    return models_open(m, folders, config->products, "--weights", &config->weights, (enum average)config->average, err);
}

struct translator models_translator(const struct models *m)
{
    return m->ensemble ? translator_of_ensemble(m->ensemble) : translator_of_model(m->items[0]);
}

const struct model *const *models_list(const struct models *m)
{
    return (const struct model *const *)m->items;
}

int models_max_length(const struct models *m)
{
    int least = 0;
    for (int i = 0; i < m->count; i++) {
        int limit = model_max_length(m->items[i]);
        if (limit && (!least || limit < least))
            least = limit;
    }
    return least;
}

void models_release(struct models *m)
{
    ensemble_free(m->ensemble);
    for (int i = 0; i < m->count; i++)
        model_free(m->items[i]);
    free(m->items);
    free(m->weights);
    *m = (struct models){ 0 };
}
