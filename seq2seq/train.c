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
#include "seq2seq/schedule.h"
#include "seq2seq/train_log.h"
#include "seq2seq/workers.h"
#include "tensor/adam.h"

#define MAX_SNAPSHOTS 1000
#define MAX_BAD_UPDATES 10      /* in a row, before giving up */

struct snapshot {
    int64_t update;
    double score;               /* larger is better */
};

/* What a checkpoint must restore beside the blocks. */
struct progress_state {
    int64_t update, target_tokens, bad_updates;
    int epoch, without_gain;
    bool validation_due;        /* it was interrupted */
    double seconds, plateau, best_score;
    int64_t best_update;
    double best_nll, best_bleu, best_chrf;
    struct snapshot snapshots[MAX_SNAPSHOTS];
    int snapshot_count;
};

struct loop {
    struct model *m;
    const struct objective *objective;
    const struct train_data *data;
    const struct train_config *config;
    const char *folder;
    struct adam_config adam_config;
    struct adam adam;
    struct pool *pool;
    struct workers *workers;
    struct train_log log;
    struct batch batch;
    struct progress_state s;
    int bad_in_a_row;
    int64_t saved_update;       /* of the newest checkpoint */
    double started;             /* when the clock of training last started */
    struct loss_sums since_log;
    double log_seconds, shown_rate, shown_loss;
    const char *why;
};

/* ---- time and progress ---- */

static double seconds_now(const struct loop *l)
{
    return l->s.seconds + (clock_seconds() - l->started);
}

static void clock_stop(struct loop *l)
{
    l->s.seconds = seconds_now(l);
}

static void clock_start(struct loop *l)
{
    l->started = clock_seconds();
}

static double largest(double a, double b)
{
    return a > b ? a : b;
}

/* The share of training done by the limit that is nearest. */
static double progress_share(const struct loop *l)
{
    const struct train_config *c = l->config;
    double share = 0, epoch_tokens = (double)l->data->train->tokens(l->data->train->state);
    if (c->max_updates)
        share = largest(share, (double)l->s.update / (double)c->max_updates);
    if (c->max_seconds)
        share = largest(share, seconds_now(l) / (double)c->max_seconds);
    if (c->max_epochs && epoch_tokens > 0)
        share = largest(share, (double)l->s.target_tokens / epoch_tokens / c->max_epochs);
    return share < 1 ? share : 1;
}

static void show_progress(struct loop *l)
{
    double share = progress_share(l), seconds = seconds_now(l);
    progress_show(false, "update %lld  epoch %d  loss %.4f  %.0f tokens/s  ETA %s", (long long)l->s.update,
                  l->s.epoch + 1, l->shown_loss, l->shown_rate,
                  share > 0 ? clock_text(seconds / share - seconds) : "?");
}

/* ---- checkpoints ---- */

static json_t *real_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static double real_value(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static json_t *state_to_json(const struct loop *l)
{
    const struct progress_state *s = &l->s;
    json_t *snapshots = json_array();
    for (int i = 0; i < s->snapshot_count; i++)
        json_array_append_new(snapshots, json_pack("[I,o]", (json_int_t)s->snapshots[i].update,
                                                   real_or_null(s->snapshots[i].score)));
    return json_pack("{s:I,s:I,s:I,s:i,s:i,s:b,s:f,s:f,s:o,s:I,s:o,s:o,s:o,s:I,s:o,s:o}",
                     "update", (json_int_t)s->update, "target_tokens", (json_int_t)s->target_tokens,
                     "bad_updates", (json_int_t)s->bad_updates, "epoch", s->epoch,
                     "without_gain", s->without_gain, "validation_due", s->validation_due,
                     "seconds", s->seconds, "plateau", s->plateau,
                     "best_score", real_or_null(s->best_score), "best_update", (json_int_t)s->best_update,
                     "best_nll", real_or_null(s->best_nll), "best_bleu", real_or_null(s->best_bleu),
                     "best_chrf", real_or_null(s->best_chrf), "adam_step", (json_int_t)l->adam.step,
                     "snapshots", snapshots, "data", l->data->train->save(l->data->train->state));
}

static int state_from_json(struct loop *l, const json_t *j, struct error *err)
{
    struct progress_state *s = &l->s;
    const json_t *snapshots = json_object_get(j, "snapshots"), *one;
    size_t i;
    s->update = json_integer_value(json_object_get(j, "update"));
    s->target_tokens = json_integer_value(json_object_get(j, "target_tokens"));
    s->bad_updates = json_integer_value(json_object_get(j, "bad_updates"));
    s->epoch = (int)json_integer_value(json_object_get(j, "epoch"));
    s->without_gain = (int)json_integer_value(json_object_get(j, "without_gain"));
    s->validation_due = json_is_true(json_object_get(j, "validation_due"));
    s->seconds = real_value(j, "seconds");
    s->plateau = real_value(j, "plateau");
    s->best_score = real_value(j, "best_score");
    s->best_update = json_integer_value(json_object_get(j, "best_update"));
    s->best_nll = real_value(j, "best_nll");
    s->best_bleu = real_value(j, "best_bleu");
    s->best_chrf = real_value(j, "best_chrf");
    l->adam.step = json_integer_value(json_object_get(j, "adam_step"));
    s->snapshot_count = 0;
    json_array_foreach(snapshots, i, one)
        if (s->snapshot_count < MAX_SNAPSHOTS)
            s->snapshots[s->snapshot_count++] = (struct snapshot){
                json_integer_value(json_array_get(one, 0)), json_number_value(json_array_get(one, 1)) };
    return l->data->train->restore(l->data->train->state, json_object_get(j, "data"), err);
}

/* A checkpoint that cannot be written (a full disk) does not end the training. */
static int save(struct loop *l, struct error *err)
{
    struct error problem = { 0 };
    if (l->saved_update == l->s.update)
        return 0;
    clock_stop(l);
    json_t *state = state_to_json(l);
    int ret = checkpoint_save(l->folder, l->m, &l->adam, state, l->s.update, l->config->keep_checkpoints,
                              &problem);
    json_decref(state);
    clock_start(l);
    if (ret == 0)
        l->saved_update = l->s.update;
    else if (err)
        *err = problem;
    else
        log_warning("%s; the checkpoint before it stays, training goes on", problem.text);
    return ret;
}

static int resume(struct loop *l, struct error *err)
{
    json_t *state;
    if (checkpoint_load(l->folder, l->m, &l->adam, &state, err) < 0)
        return -1;
    if (!state)
        return 0;
    int ret = state_from_json(l, state, err);
    json_decref(state);
    l->saved_update = l->s.update;
    if (ret == 0)
        log_info("going on from update %lld of '%s'", (long long)l->s.update, l->folder);
    return ret;
}

/* ---- validation ---- */

/* The weights that are validated and kept: the moving average where there is one. */
static void swap_kept_weights(struct loop *l)
{
    if (l->adam.ema) {
        float *block = l->m->params.block;
        l->m->params.block = l->adam.ema;
        l->adam.ema = block;
    }
}

struct scores {
    double nll, bleu, chrf;
};

static int measure(struct loop *l, struct scores *s, struct error *err)
{
    const struct validator *v = l->data->validator;
    struct decode_scores decoded = { NAN, NAN };
    s->nll = NAN;
    if (l->data->dev && model_nll(l->m, l->data->dev, pool_threads(l->pool), &s->nll, err) < 0)
        return -1;
    if (v && (l->config->validate_decode || l->config->metric != METRIC_NLL) &&
        v->decode(v->state, l->m, pool_threads(l->pool), &decoded, err) < 0)
        return -1;
    s->bleu = decoded.bleu;
    s->chrf = decoded.chrf;
    return 0;
}

static double score_of(const struct loop *l, const struct scores *s)
{
    return l->config->metric == METRIC_BLEU ? s->bleu : l->config->metric == METRIC_CHRF ? s->chrf : -s->nll;
}

static void log_validation(struct loop *l, const struct scores *s, const char *what)
{
    json_t *record = json_pack("{s:I,s:i,s:f,s:o,s:o,s:o}", "update", (json_int_t)l->s.update,
                               "epoch", l->s.epoch, "seconds", l->s.seconds, "valid_nll", real_or_null(s->nll),
                               "valid_bleu", real_or_null(s->bleu), "valid_chrf", real_or_null(s->chrf));
    if (what)
        json_object_set_new(record, "weights", json_string(what));
    train_log_write(&l->log, record);
    progress_show(true, "%s", "");
    char decoded[64] = "";
    if (isfinite(s->bleu))
        snprintf(decoded, sizeof decoded, "  BLEU %.2f  chrF %.2f", s->bleu, s->chrf);
    log_info("update %lld  epoch %d  %s  train loss %.4f  dev NLL %.4f  perplexity %.3f%s%s%s",
             (long long)l->s.update, l->s.epoch, clock_text(l->s.seconds), l->shown_loss, s->nll, exp(s->nll),
             decoded, what ? "  of " : "", what ? what : "");
}

static int compare_snapshots(const void *a, const void *b)
{
    double x = ((const struct snapshot *)a)->score, y = ((const struct snapshot *)b)->score;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Keeps the last K weights, or the best K. */
static int snapshot_add(struct loop *l, double score, struct error *err)
{
    struct progress_state *s = &l->s;
    int keep = l->config->average;
    if (!keep)
        return 0;
    if (snapshot_save(l->folder, l->m, l->m->params.block, s->update, err) < 0)
        return -1;
    if (s->snapshot_count < MAX_SNAPSHOTS)
        s->snapshots[s->snapshot_count++] = (struct snapshot){ s->update, score };
    if (s->snapshot_count <= keep)
        return 0;
    int out = 0;
    if (l->config->average_of == AVERAGE_BEST) {
        qsort(s->snapshots, (size_t)s->snapshot_count, sizeof *s->snapshots, compare_snapshots);
        out = s->snapshot_count - 1;
    }
    snapshot_remove(l->folder, s->snapshots[out].update);
    memmove(s->snapshots + out, s->snapshots + out + 1,
            (size_t)(s->snapshot_count - out - 1) * sizeof *s->snapshots);
    s->snapshot_count--;
    return 0;
}

static int validate(struct loop *l, struct error *err)
{
    struct progress_state *s = &l->s;
    struct scores scores;
    int ret;
    clock_stop(l);
    swap_kept_weights(l);
    ret = measure(l, &scores, err);
    if (ret == 0) {
        double score = score_of(l, &scores);
        log_validation(l, &scores, NULL);
        ret = snapshot_add(l, score, err);
        if (ret == 0 && (isnan(s->best_score) || score > s->best_score)) {
            s->best_score = score;
            s->best_update = s->update;
            s->best_nll = scores.nll;
            s->best_bleu = scores.bleu;
            s->best_chrf = scores.chrf;
            s->without_gain = 0;
            ret = model_save(l->m, l->folder, err);
        } else {
            s->without_gain++;
            if (l->config->schedule == SCHEDULE_PLATEAU)
                s->plateau *= (double)l->config->plateau_factor;
        }
    }
    swap_kept_weights(l);
    clock_start(l);
    return ret;
}

/* ---- one update ---- */

/* The next batch; at the end of an epoch *ended is set and there is none. */
static int fetch(struct loop *l, bool *ended, struct error *err)
{
    const struct batch_source *train = l->data->train;
    int more = train->next(train->state, &l->batch, err);
    *ended = more == 0;
    return more < 0 ? -1 : 0;
}

static void drop_gradients(struct loop *l)
{
    memset(workers_grads(l->workers)[0], 0, l->m->params.total * sizeof(float));
}

static int bad_update(struct loop *l, struct error *err)
{
    drop_gradients(l);
    l->s.bad_updates++;
    if (++l->bad_in_a_row < MAX_BAD_UPDATES) {
        log_warning("update %lld: the gradient is not finite; skipped", (long long)l->s.update);
        return 0;
    }
    return error_set(err, "the gradient of %d updates in a row, up to update %lld, was not finite; "
                     "lower the learning rate (now %g) or the clip norm", MAX_BAD_UPDATES,
                     (long long)l->s.update, schedule_rate(l->config, l->s.update, 0, l->s.plateau));
}

static void log_update(struct loop *l, double rate, double norm)
{
    double now = seconds_now(l), passed = now - l->log_seconds;
    struct loss_sums *s = &l->since_log;
    if (l->s.update % l->config->log_every || passed <= 0 || s->tokens <= 0)
        return;
    l->shown_loss = s->loss / s->tokens;
    l->shown_rate = (double)s->gold_tokens / passed;
    train_log_write(&l->log, json_pack("{s:I,s:i,s:f,s:f,s:f,s:f,s:f,s:f}", "update",
                                       (json_int_t)l->s.update, "epoch", l->s.epoch, "seconds", now, "loss",
                                       l->shown_loss, "nll", s->gold / (double)s->gold_tokens, "rate", rate,
                                       "grad_norm", norm, "tokens_per_s", l->shown_rate));
    *s = (struct loss_sums){ 0 };
    l->log_seconds = now;
}

/* One update from the fetched batch and, when accumulating, those after it. */
static int update(struct loop *l, struct error *err)
{
    struct loss_sums sums = { 0 };
    double progress = progress_share(l);
    bool ended;
    for (int part = 0; part < l->config->accumulate; part++) {
        if (part && fetch(l, &ended, err) < 0)
            return -1;
        if (part && ended)
            break;
        if (workers_run(l->workers, &l->batch, l->s.update, part, progress, &sums, err) < 0)
            return -1;
    }
    l->s.update++;
    l->s.target_tokens += sums.gold_tokens;
    float factor = sums.tokens > 0 ? (float)(1 / sums.tokens) : 0;
    double norm = grads_reduce(workers_grads(l->workers), pool_threads(l->pool), l->m->params.total, factor,
                               l->pool);
    if (!isfinite(norm) || !isfinite(sums.loss))
        return bad_update(l, err);
    l->bad_in_a_row = 0;
    double rate = schedule_rate(l->config, l->s.update, progress, l->s.plateau);
    adam_update(&l->adam, &l->m->params, workers_grads(l->workers)[0], norm, factor, (float)rate,
                &l->adam_config, l->pool);
    l->since_log.loss += sums.loss;
    l->since_log.tokens += sums.tokens;
    l->since_log.gold += sums.gold;
    l->since_log.gold_tokens += sums.gold_tokens;
    log_update(l, rate, norm);
    return 0;
}

/* ---- the loop ---- */

static const char *limit_reached(struct loop *l)
{
    const struct train_config *c = l->config;
    if (c->max_updates && l->s.update >= c->max_updates)
        return "max-updates";
    if (c->max_epochs && l->s.epoch >= c->max_epochs)
        return "max-epochs";
    if (c->max_seconds && seconds_now(l) >= (double)c->max_seconds)
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
    if (l->s.validation_due && validate(l, err) < 0)
        return interrupt_requested() ? 0 : -1;
    l->s.validation_due = false;
    save(l, NULL);
    return 0;
}

static int after_update(struct loop *l, struct error *err)
{
    const struct train_config *c = l->config;
    if (c->validate_every && l->s.update % c->validate_every == 0)
        return validate_and_save(l, err);
    if (c->save_every && l->s.update % c->save_every == 0)
        save(l, NULL);
    return 0;
}

static int run(struct loop *l, struct error *err)
{
    bool empty = false;
    if (l->s.validation_due && validate_and_save(l, err) < 0)
        return -1;
    while (!(l->why = limit_reached(l))) {
        bool ended;
        if (interrupt_requested()) {
            l->why = "interrupted";
            return save(l, err);
        }
        if (fetch(l, &ended, err) < 0)
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
        if (update(l, err) < 0 || after_update(l, err) < 0)
            return -1;
        show_progress(l);
    }
    progress_show(true, "%s", "");
    return 0;
}

/* ---- the end ---- */

static void keep_scores(struct loop *l, const struct scores *s, double score)
{
    l->s.best_score = score;
    l->s.best_nll = s->nll;
    l->s.best_bleu = s->bleu;
    l->s.best_chrf = s->chrf;
    l->s.best_update = l->s.update;
}

/* The mean of the snapshots where it is no worse than the best single weights. */
static int finish_with_average(struct loop *l, struct error *err)
{
    int64_t updates[MAX_SNAPSHOTS];
    struct scores scores;
    for (int i = 0; i < l->s.snapshot_count; i++)
        updates[i] = l->s.snapshots[i].update;
    if (snapshots_average(l->folder, l->m, updates, l->s.snapshot_count, l->m->params.block, err) < 0 ||
        measure(l, &scores, err) < 0)
        return -1;
    double score = score_of(l, &scores);
    log_validation(l, &scores, "the average");
    if (score < l->s.best_score) {
        log_info("the average is worse than the weights of update %lld, which are kept",
                 (long long)l->s.best_update);
        return model_load_weights(l->m, l->folder, err);
    }
    keep_scores(l, &scores, score);
    return 0;
}

/* Leaves the weights to keep in the model and in its folder. */
static int finish(struct loop *l, struct error *err)
{
    save(l, NULL);
    clock_stop(l);
    if (has_validation(l) && l->s.best_update == 0 && l->s.update > 0) {
        clock_start(l);
        if (validate(l, err) < 0)
            return -1;
        clock_stop(l);
    }
    if (l->s.snapshot_count > 1) {
        if (finish_with_average(l, err) < 0)
            return -1;
    } else if (l->s.best_update) {
        if (model_load_weights(l->m, l->folder, err) < 0)
            return -1;
    } else {
        swap_kept_weights(l);
    }
    return model_save(l->m, l->folder, err);
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

int train_check(const struct train_config *c, const char *folder, bool dev, bool decoding, struct error *err)
{
    int64_t update = checkpoint_newest(folder);
    if (!c->max_updates && !c->max_epochs && !c->max_seconds && !c->patience)
        return error_set(err, "training would never end: set max-updates, max-epochs, max-seconds or patience");
    if (c->average > MAX_SNAPSHOTS)
        return error_set(err, "average: at most %d", MAX_SNAPSHOTS);
    if (c->metric != METRIC_NLL && !decoding)
        return error_set(err, "metric bleu or chrf needs a validation corpus to decode");
    if ((c->patience || c->schedule == SCHEDULE_PLATEAU || c->average) && !dev && !decoding)
        return error_set(err, "patience, plateau and average need a validation corpus");
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
    l->pool = pool_new(c->threads > 0 ? c->threads : cpu_count());
    l->workers = workers_new(l->m, l->objective, l->pool, c->seed,
                             c->micro_tokens ? c->micro_tokens : l->m->arch->micro_tokens);
    l->s.plateau = 1;
    l->s.best_score = l->s.best_nll = l->s.best_bleu = l->s.best_chrf = NAN;
    l->saved_update = -1;
}

static void loop_release(struct loop *l)
{
    adam_release(&l->adam);
    workers_free(l->workers);
    pool_free(l->pool);
    train_log_close(&l->log);
    batch_release(&l->batch);
    free(l);
}

int train_model(struct model *m, const struct objective *objective, const struct train_data *data,
                const struct train_config *config, const char *folder,
                struct train_report *report, struct error *err)
{
    double started = clock_seconds();
    if (train_check(config, folder, data->dev, data->validator, err) < 0)
        return -1;
    struct loop *l = xcalloc(1, sizeof *l);
    l->m = m;
    l->objective = objective;
    l->data = data;
    l->config = config;
    l->folder = folder;
    loop_init(l);
    int ret = dir_make(folder, err);
    if (ret == 0 && config->resume)
        ret = resume(l, err);
    if (ret == 0)
        ret = train_log_open(&l->log, folder, l->s.update, err);
    clock_start(l);
    l->log_seconds = seconds_now(l);
    if (ret == 0)
        ret = run(l, err);
    if (ret == 0 && strcmp(l->why, "interrupted"))
        ret = finish(l, err);
    if (ret == 0)
        report_fill(l, report, clock_seconds() - started);
    loop_release(l);
    return ret;
}
