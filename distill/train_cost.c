#include "distill/train_cost.h"

#include <math.h>

#include "corpora/batching.h"
#include "distill/forecast.h"
#include "seq2seq/architecture.h"
#include "seq2seq/train.h"

double train_cost_weights(const struct stage_run *run, const struct model_config *given)
{
    json_t *options = stage_options_json(&run->stages[stage_link(run->stage, "vocabulary")->stage]);
    struct model_config config = *given;
    struct param_set set = { 0 };
    config.source_vocab = config.target_vocab = (int)json_integer_value(json_object_get(options, "size"));
    architecture_declare(&set, &config);
    double count = (double)set.weights;
    params_release(&set);
    json_decref(options);
    return count;
}

double train_cost_batch(const struct batching_config *c)
{
    return forecast_words_of_pieces(c->batch_tokens ? c->batch_tokens : BATCH_TOKENS);
}

double train_cost_bytes(const struct train_config *c, double weights)
{
    int blocks = 1 + (c->keep_checkpoints + 1) * (3 + (c->ema > 0)) + c->average + c->keep_models;
    return weights * sizeof(float) * blocks;
}

double train_cost_words(const struct train_config *c, double batch_words, double epoch_words)
{
    double words = -1;
    if (c->max_epochs > 0 && epoch_words >= 0)
        words = c->max_epochs * epoch_words;
    if (c->max_updates > 0) {
        double limit = (double)c->max_updates * batch_words;
        words = words < 0 ? limit : fmin(words, limit);
    }
    return words;
}

double train_cost_epoch(const struct stage_run *run, const char *input)
{
    double words = 0;
    for (size_t i = 0; i < run->stage->link_count && words >= 0; i++) {
        const struct stage_link *link = &run->stage->links[i];
        if (!stage_link_is(link, input))
            continue;
        double more = run->costs[link->stage].train_words;
        words = more < 0 ? -1 : words + more;
    }
    return words;
}

double train_cost_seconds(const struct stage_run *run, const struct train_config *c, double guess)
{
    double seconds = manifest_figure(run->previous, "own_train_seconds"), limit = (double)c->max_seconds;
    double updates = manifest_figure(run->previous, "updates");
    if (seconds > 0 && updates > 0 && c->max_updates > 0)
        guess = seconds / updates * (double)c->max_updates;
    return limit > 0 && (guess < 0 || guess > limit) ? limit : guess;
}
