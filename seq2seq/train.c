/* The training loop: updates, validations, checkpoints, and what ends it. */
#include "seq2seq/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "seq2seq/architecture.h"
#include "seq2seq/checkpoint.h"
#include "seq2seq/kept_models.h"
#include "seq2seq/layer_rates.h"
#include "seq2seq/train_loop.h"
#include "tensor/product.h"

/* ---- time and progress ---- */

static double largest(double a, double b)
{
    return a > b ? a : b;
}

/* The share of training done by the limit that is nearest. */
double loop_progress(const struct loop *l)
{
    const struct train_config *c = l->config;
    double share = 0, epoch_tokens = (double)l->data->train->tokens(l->data->train->state);
    if (c->max_updates)
        share = largest(share, (double)l->s.update / (double)c->max_updates);
    if (c->max_seconds)
        share = largest(share, loop_clock(l) / (double)c->max_seconds);
    if (c->max_epochs && epoch_tokens > 0)
        share = largest(share, (double)l->s.target_tokens / epoch_tokens / c->max_epochs);
    return share < 1 ? share : 1;
}

static void show_progress(struct loop *l)
{
    double share = loop_progress(l), seconds = loop_seconds(l);
    progress_show(false, "update %lld  epoch %d  loss %.4f  %.0f tokens/s  ETA %s", (long long)l->s.update,
                  l->s.epoch + 1, l->shown_loss, l->shown_rate,
                  share > 0 ? clock_text(seconds / share - seconds) : "?");
}

/* ---- the loop ---- */

static const char *limit_reached(struct loop *l)
{
    const struct train_config *c = l->config;
    if (c->max_updates && l->s.update >= c->max_updates)
        return "max-updates";
    if (c->max_epochs && l->s.epoch >= c->max_epochs)
        return "max-epochs";
    if (c->max_seconds && loop_clock(l) >= (double)c->max_seconds)
        return "max-seconds";
    if (c->patience && l->s.without_gain >= c->patience)
        return "patience";
    return NULL;
}

static bool has_validation(const struct loop *l)
{
    return l->data->dev || l->data->validator;
}

/* Where a signal ends the decoding, the loop saves and stops; a resumed run validates first. */
static int validate_and_save(struct loop *l, struct error *err)
{
    l->s.validation_due = has_validation(l);
    if (l->s.validation_due && loop_validate(l, err) < 0)
        return loop_stopping(l) ? 0 : -1;
    l->s.validation_due = false;
    loop_save(l, NULL);
    return 0;
}

static int after_update(struct loop *l, struct error *err)
{
    const struct train_config *c = l->config;
    if (c->validate_every && l->s.update % c->validate_every == 0)
        return validate_and_save(l, err);
    if (c->save_every && l->s.update % c->save_every == 0)
        loop_save(l, NULL);
    return 0;
}

static int run(struct loop *l, struct error *err)
{
    bool empty = false;
    if (l->s.validation_due && validate_and_save(l, err) < 0)
        return -1;
    while (!(l->why = limit_reached(l))) {
        bool ended;
        if (loop_stopping(l)) {
            l->why = "interrupted";
            return loop_save(l, err);
        }
        loop_mark(l);
        if (loop_fetch(l, &ended, err) < 0)
            return -1;
        if (ended) {
            if (empty)
                return error_set(err, "the training corpus has no sentence that fits; raise the length limit");
            empty = true;
            l->s.epoch++;
            if (!l->config->validate_every && validate_and_save(l, err) < 0)
                return -1;
            continue;
        }
        empty = false;
        int64_t before = l->s.update;
        if (loop_update(l, err) < 0 || (l->s.update > before && after_update(l, err) < 0))
            return -1;
        show_progress(l);
    }
    progress_show(true, "%s", "");
    return 0;
}

/* ---- the end ---- */

/* The weights to keep into the model and its folder. */
static int keep_weights(struct loop *l, struct error *err)
{
    if (l->s.snapshot_count > 1) {
        if (loop_average(l, err) < 0)
            return -1;
    } else if (l->s.best_update) {
        if (loop_best_weights(l, err) < 0)
            return -1;
    } else {
        loop_swap_weights(l);
    }
    return model_save(l->m, l->folder, err);
}

static int finish(struct loop *l, struct error *err)
{
    loop_save(l, NULL);
    loop_clock_stop(l);
    if (has_validation(l) && l->s.best_update == 0 && l->s.update > 0) {
        loop_clock_start(l);
        if (loop_validate(l, err) < 0)
            return -1;
        loop_clock_stop(l);
    }
    int ret = loop_leads(l) ? keep_weights(l, err) : 0;
    bool stopped = ret < 0 && interrupt_requested();
    team_broadcast(l->data->team, 0, &stopped, sizeof stopped);
    l->stopping = l->stopping || stopped;
    return team_agree(l->data->team, ret, err);
}

static void report_fill(const struct loop *l, struct train_report *r, double wall)
{
    *r = (struct train_report){
        .updates = l->s.update, .target_tokens = l->s.target_tokens, .epochs = l->s.epoch,
        .seconds = l->s.seconds, .wall_seconds = wall, .dev_nll = l->s.best_nll,
        .dev_bleu = l->s.best_bleu, .dev_chrf = l->s.best_chrf, .best_update = l->s.best_update,
        .why = l->why, .interrupted = !strcmp(l->why, "interrupted"),
    };
}

int train_ends(const struct train_config *c, struct error *err)
{
    if (c->max_updates || c->max_epochs || c->max_seconds || c->patience)
        return 0;
    return error_set(err, "training would never end: set max-updates, max-epochs, max-seconds or patience");
}

int train_start_check(const struct train_config *c, bool start, struct error *err)
{
    if (!c->keep_zeros || start)
        return 0;
    return error_set(err, "keep-zeros: the zeros are those of the model to start from; give one that was pruned as start");
}

const char *train_wants_dev(const struct train_config *c, bool dev, bool decoding)
{
    if (c->metric && strcmp(c->metric, "nll") && !decoding)
        return "metric";
    if (dev || decoding)
        return NULL;
    return c->patience ? "patience" : c->schedule == SCHEDULE_PLATEAU ? "schedule" : c->average ? "average"
        : c->keep_models ? "keep-models" : NULL;
}

int train_check(const struct train_config *c, const char *folder, bool dev, bool decoding, struct error *err)
{
    int64_t update = checkpoint_newest(folder);
    if (train_ends(c, err) < 0 || precision_check(c->precision, err) < 0)
        return -1;
    if (c->average > MAX_SNAPSHOTS)
        return error_set(err, "average: at most %d", MAX_SNAPSHOTS);
    const char *wants = train_wants_dev(c, dev, decoding);
    if (wants && !strcmp(wants, "metric"))
        return error_set(err, "metric %s needs a validation corpus to decode", c->metric);
    if (wants)
        return error_set(err, "%s needs a validation corpus", strcmp(wants, "schedule") ? wants : "schedule plateau");
    if (!c->resume && update >= 0)
        return error_set(err, "'%s' holds a training already, with a checkpoint of update %lld; go on with "
                         "--resume, choose another folder, or remove '%s/checkpoints'", folder,
                         (long long)update, folder);
    return 0;
}

static void loop_init(struct loop *l)
{
    const struct train_config *c = l->config;
    l->adam_config = (struct adam_config){ c->adam_beta1, c->adam_beta2, c->adam_epsilon, c->weight_decay,
                                           c->clip_norm, c->ema };
    adam_init(&l->adam, &l->m->params, &l->adam_config);
    l->adam.factor = layer_rates(l->m, l->config->layer_decay);
    l->pool = pool_new(c->threads > 0 ? c->threads : cpu_count());
    l->workers = workers_new(l->m, l->objective, l->pool, c->seed,
                             c->micro_tokens ? c->micro_tokens : l->m->arch->micro_tokens, c->precision);
    l->s.plateau = l->s.brake = 1;
    l->s.best_score = l->s.best_nll = l->s.best_bleu = l->s.best_chrf = l->s.last_nll = NAN;
    l->saved_update = -1;
    l->rounded = c->quantize_aware ? block_new(&l->m->params) : NULL;
}

static void loop_release(struct loop *l)
{
    free(l->rounded);
    adam_release(&l->adam);
    workers_free(l->workers);
    pool_free(l->pool);
    train_log_close(&l->log);
    batch_release(&l->batch);
    batch_release(&l->whole);
    exchange_free(l->exchange);
    json_decref(l->mark);
    json_decref(l->others);
    free(l->unsaved);
    zeros_free(l->zeros);
    free(l);
}

static int find_zeros(struct loop *l, struct error *err)
{
    l->zeros = zeros_new(&l->m->params);
    if (zeros_count(l->zeros))
        return 0;
    return error_set(err, "keep-zeros: no weight is zero; start from a model that was pruned (coho model prune)");
}

/* All that may fail before the first update. */
static int open_folder(struct loop *l, struct error *err)
{
    int ret = loop_choose_metric(l, err);
    if (ret == 0)
        ret = dir_make(l->folder, err);
    if (ret == 0 && loop_leads(l) && checkpoint_newest(l->folder) < 0)
        ret = kept_models_remove(l->folder, err);       /* of an earlier training */
    if (team_agree(l->data->team, ret, err) < 0 || loop_team_open(l, err) < 0 ||
        (l->config->resume && loop_resume(l, err) < 0))
        return -1;
    if (l->config->keep_zeros)
        ret = find_zeros(l, err);
    if (ret == 0 && loop_leads(l))
        ret = train_log_open(&l->log, l->folder, l->s.update, l->config->tensorboard, err);
    return team_agree(l->data->team, ret, err);
}

int train_model(struct model *m, const struct objective *objective, const struct train_data *data,
                const struct train_config *config, const char *folder,
                struct train_report *report, struct error *err)
{
    double started = clock_seconds();
    int ret = train_check(config, folder, data->dev, data->validator, err);
    if (team_agree(data->team, ret, err) < 0)
        return -1;
    struct loop *l = xcalloc(1, sizeof *l);
    l->m = m;
    l->objective = objective;
    l->data = data;
    l->config = config;
    l->folder = folder;
    loop_init(l);
    ret = open_folder(l, err);
    loop_clock_start(l);
    l->log_seconds = loop_seconds(l);
    if (ret == 0)
        ret = run(l, err);
    if (ret == 0 && strcmp(l->why, "interrupted") && (ret = finish(l, err)) < 0 && loop_stopping(l)) {
        l->why = "interrupted";         /* its checkpoint is there; it finishes when resumed */
        ret = 0;
    }
    if (ret == 0)
        report_fill(l, report, clock_seconds() - started);
    loop_release(l);
    return ret;
}
