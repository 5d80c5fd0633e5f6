/* One update of the training loop: batches in, gradients, what to do with bad ones, weights out. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/thread.h"
#include "seq2seq/schedule.h"
#include "seq2seq/train_loop.h"
#include "seq2seq/weights.h"

#define LONG_UPDATE 1.0         /* seconds; a stop does not wait for the end of such a one */
#define GOOD_UPDATES 100        /* after so many the brake is let off by a notch */

/* ---- data ---- */

static struct moment loop_moment(const struct loop *l)
{
    return (struct moment){ loop_progress(l), l->s.update, l->s.rises, (uint64_t)l->config->seed,
                            l->s.epoch };
}

int loop_fetch(struct loop *l, bool *ended, struct error *err)
{
    const struct batch_source *train = l->data->train;
    struct moment when = loop_moment(l);
    if (train->at)
        train->at(train->state, &when);
    int more = train->next(train->state, l->cuts ? &l->whole : &l->batch, err);
    if (l->cuts)
        batch_share(&l->whole, &l->batch, l->first_worker, pool_threads(l->pool), l->all_workers);
    *ended = more == 0;
    return more < 0 ? -1 : 0;
}

/* ---- a stop in the middle ---- */

/* Notes where the update begins, for a stop in its middle; not where the data could not go back. */
void loop_mark(struct loop *l)
{
    json_decref(l->mark);
    l->mark = NULL;
    if (!l->data->train->kept && (l->update_seconds == 0 || l->update_seconds > LONG_UPDATE))
        l->mark = json_pack("{s:o,s:o}", "data", l->data->train->save(l->data->train->state), "objective",
                            workers_save(l->workers));
    workers_may_stop(l->workers, l->mark != NULL);
}

static void drop_gradients(struct loop *l)
{
    float **grads = workers_grads(l->workers);
    for (int i = 0; i < pool_threads(l->pool); i++)
        memset(grads[i], 0, l->m->params.total * sizeof(float));
}

/* As if the update had not begun. */
static int go_back(struct loop *l, struct error *err)
{
    const struct batch_source *train = l->data->train;
    drop_gradients(l);
    if (workers_restore(l->workers, json_object_get(l->mark, "objective"), err) < 0)
        return -1;
    return train->restore(train->state, json_object_get(l->mark, "data"), err);
}

/* ---- what is not finite ---- */

static int bad_update(struct loop *l, bool loss, struct error *err)
{
    const struct train_config *c = l->config;
    struct progress_state *s = &l->s;
    const char *what = loss ? "loss" : "gradient";
    drop_gradients(l);
    s->bad_updates++;
    s->good_in_a_row = 0;
    if (++s->bad_in_a_row >= c->bad_updates)
        return error_set(err, "the loss or the gradient of %d updates in a row, up to update %lld, was not finite; "
                         "go on with --resume from the last checkpoint and a lower learning rate (it was %g) "
                         "or clip norm, or look for what is wrong in the data", s->bad_in_a_row,
                         (long long)s->update, schedule_rate(c, s->update, 0, s->plateau) * s->brake);
    s->brake *= (double)c->bad_factor;
    log_warning("update %lld: the %s is not finite; skipped (%lld so far), the learning rate is %g of the "
                "schedule's now", (long long)s->update, what, (long long)s->bad_updates, s->brake);
    train_log_write(&l->log, json_pack("{s:I,s:i,s:f,s:I,s:s,s:f}", "update", (json_int_t)s->update, "epoch",
                                       s->epoch, "seconds", loop_seconds(l), "skipped",
                                       (json_int_t)s->bad_updates, "not_finite", what, "brake", s->brake));
    return 0;
}

/* The rate comes back as it went. */
static void good_update(struct loop *l)
{
    struct progress_state *s = &l->s;
    s->bad_in_a_row = 0;
    if (s->brake < 1 && ++s->good_in_a_row == GOOD_UPDATES) {
        s->good_in_a_row = 0;
        s->brake /= (double)l->config->bad_factor;
        if (s->brake > 1)
            s->brake = 1;
    }
}

/* ---- the log ---- */

/* Of a mixture: what each corpus has given so far, in sentences. */
static json_t *drawn_of(const struct batch_source *train)
{
    int count = 0;
    const int64_t *drawn = train->drawn ? train->drawn(train->state, &count) : NULL;
    json_t *all = count ? json_array() : NULL;
    for (int i = 0; i < count; i++)
        json_array_append_new(all, json_integer(drawn[i]));
    return all;
}

static void log_update(struct loop *l, const struct loss_sums *sums, double rate, double norm)
{
    struct loss_sums *s = &l->since_log;
    loss_sums_add(s, sums);
    double now = loop_seconds(l), passed = now - l->log_seconds;
    if (l->s.update % l->config->log_every || passed <= 0 || s->tokens <= 0)
        return;
    l->shown_loss = s->loss / s->tokens;
    l->shown_rate = (double)s->gold_tokens / passed;
    train_log_write(&l->log, json_pack("{s:I,s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:o*}", "update",
                                       (json_int_t)l->s.update, "epoch", l->s.epoch, "seconds", now, "loss",
                                       l->shown_loss, "nll", s->gold / (double)s->gold_tokens, "rate", rate,
                                       "grad_norm", norm, "tokens_per_s", l->shown_rate, "drawn",
                                       drawn_of(l->data->train)));
    *s = (struct loss_sums){ 0 };
    l->log_seconds = now;
}

/* ---- the update ---- */

static void swap_rounded(struct loop *l)
{
    float *block = l->m->params.block;
    if (l->rounded) {
        l->m->params.block = l->rounded;
        l->rounded = block;
    }
}

/* Gradients of the fetched batch and, when accumulating, of those after it.  Returns 1 when a
 * signal stopped it, -1 when it failed. */
static int gradients(struct loop *l, const struct moment *when, struct loss_sums *sums, struct error *err)
{
    bool ended;
    if (l->rounded)                     /* their gradients are taken for those of the weights (straight through) */
        weights_round_int8(l->rounded, l->m, l->pool);
    if (l->exchange)
        exchange_begin(l->exchange);
    for (int part = 0; part < l->config->accumulate; part++) {
        workers_overlap(l->workers, part + 1 == l->config->accumulate ? l->exchange : NULL);
        if (part && loop_fetch(l, &ended, err) < 0)
            return -1;
        if (part && ended)
            break;
        swap_rounded(l);
        int ret = workers_run(l->workers, &l->batch, when, part, sums, err);
        swap_rounded(l);
        if (ret)
            return ret;
    }
    return 0;
}

int loop_update(struct loop *l, struct error *err)
{
    struct loss_sums sums = { 0 };
    struct moment when = loop_moment(l);
    double started = clock_seconds();
    if (l->objective->turn)
        l->objective->turn(l->objective->shared, &when);
    int ret = gradients(l, &when, &sums, err);
    if (l->exchange)
        ret = loop_team_sums(l, ret, &sums, err);
    if (ret)
        return ret < 0 ? -1 : go_back(l, err);
    l->s.update++;
    l->s.target_tokens += sums.gold_tokens;
    for (int i = 0; l->zeros && i < pool_threads(l->pool); i++)
        zeros_keep(l->zeros, workers_grads(l->workers)[i]);
    float factor = sums.tokens > 0 ? (float)(1 / sums.tokens) : 0;
    double norm = grads_reduce(workers_grads(l->workers), l->exchange ? 1 : pool_threads(l->pool), l->m->params.total, factor,
                               l->pool);
    if (!isfinite(norm) || !isfinite(sums.loss))
        return bad_update(l, !isfinite(sums.loss), err);
    double rate = schedule_rate(l->config, l->s.update, when.progress, l->s.plateau) * l->s.brake;
    adam_update(&l->adam, &l->m->params, workers_grads(l->workers)[0], norm, factor, (float)rate,
                &l->adam_config, l->pool);
    good_update(l);
    if (!l->exchange)
        l->update_seconds = clock_seconds() - started;
    log_update(l, &sums, rate, norm);
    return 0;
}
