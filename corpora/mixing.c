#include "corpora/mixing.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "corpora/mixture.h"
#include "corpora/store.h"

#define WEIGHT_MOST 1e6

#define FIELD(member) offsetof(struct mixing_config, member)
const struct option mixing_options[] = {
    { "mixing-weights", OPTION_LIST, FIELD(weights), NULL, 0, 0,
      "of several corpora: each one's share of the training's sentences, a number or how it changes, as "
      "\"ramp 0 1 1000 5000\"; without: by mixing-temperature" },
    { "mixing-temperature", OPTION_FLOAT, FIELD(temperature), "1", 0.1, 1e6,
      "of several corpora: one of n sentences gets a share ∝ n^(1/temperature); 1: as they are; higher: more of the "
      "small ones" },
    { 0 }
};

int mixing_check(const struct mixing_config *config, size_t count, struct error *err)
{
    const struct strings *w = &config->weights;
    struct course course;
    if (w->count && w->count != count)
        return error_set(err, "mixing-weights has %zu numbers for %zu corpora; give one for each", w->count, count);
    for (size_t i = 0; i < w->count; i++)
        if (course_parse(&course, w->items[i], 0, WEIGHT_MOST, err) < 0)
            return error_prefix(err, "mixing-weights");
    return 0;
}

double mixing_batch_sentences(const struct store *store, const struct batching_config *config)
{
    double n = (double)store_count(store), source = (double)store_source_tokens(store) / n + 1;
    double target = config->labels ? (double)store_target_tokens(store) / n / 2
                                   : (double)store_target_tokens(store) / n + 1;
    double room = config->batch_tokens ? config->batch_tokens : BATCH_TOKENS;
    double source_room = config->batch_source_tokens ? config->batch_source_tokens : 1.5 * room;
    double sentences = fmin(source_room / source, room / target);
    if (config->batch_sentences)
        sentences = fmin(sentences, config->batch_sentences);
    return fmax(1, sentences);
}

/* The probability of a batch goes as the share of sentences, divided by how many it holds. */
static int set_weight(struct course *out, const char *text, double a_batch, struct error *err)
{
    if (course_parse(out, text, 0, WEIGHT_MOST, err) < 0)
        return -1;
    out->from = (float)((double)out->from / a_batch);
    out->to = (float)((double)out->to / a_batch);
    return 0;
}

static double sentences_of(const struct batch_source *s)
{
    return (double)s->sentences(s->state);
}

int mixing_open(struct batch_source *out, const struct batch_source *parts, struct store *const *stores,
                size_t count, const struct mixing_config *config, const struct batching_config *batching,
                struct error *err)
{
    struct mixture_part *mixed = xcalloc(count, sizeof *mixed);
    double all = 0;
    int ret = mixing_check(config, count, err);
    for (size_t i = 0; i < count; i++)
        all += sentences_of(&parts[i]);
    for (size_t i = 0; i < count && ret == 0; i++) {
        double a_batch = mixing_batch_sentences(stores[i], batching);
        mixed[i] = (struct mixture_part){ .source = parts[i], .factor = 1 };
        if (config->weights.count)
            ret = set_weight(&mixed[i].weight, config->weights.items[i], a_batch, err);
        else
            mixed[i].weight.from =
                mixture_weight(sentences_of(&parts[i]) / all, a_batch, 1 / (double)config->temperature);
    }
    if (ret == 0)
        ret = mixture_open(out, mixed, (int)count, batching->seed, err);
    free(mixed);
    return ret;
}
