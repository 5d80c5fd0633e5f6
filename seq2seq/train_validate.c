/* Validation in the training loop: measuring, keeping the best weights, averaging. */
#include "seq2seq/train_loop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/thread.h"
#include "seq2seq/checkpoint.h"
#include "seq2seq/kept_models.h"
#include "seq2seq/nll.h"

/* The weights that are validated and kept: the moving average where there is one. */
void loop_swap_weights(struct loop *l)
{
    if (l->adam.ema) {
        float *block = l->m->params.block;
        l->m->params.block = l->adam.ema;
        l->adam.ema = block;
    }
}

struct scores {
    double nll, bleu, chrf, chosen;
};

static bool by_nll(const struct loop *l)
{
    return !l->config->metric || !strcmp(l->config->metric, "nll");
}

/* BLEU and chrF are measured whenever anything is decoded. */
int loop_choose_metric(struct loop *l, struct error *err)
{
    const struct validator *v = l->data->validator;
    const char *metric = l->config->metric;
    if (by_nll(l))
        return 0;
    if (v->choose)
        return v->choose(v->state, metric, &l->metric_falls, err);
    if (!strcmp(metric, "bleu") || !strcmp(metric, "chrf"))
        return 0;
    return error_set(err, "there is no metric '%s' here; known are nll, bleu, chrf", metric);
}

static int measure_here(struct loop *l, struct scores *s, struct error *err)
{
    const struct validator *v = l->data->validator;
    struct decode_scores decoded = { NAN, NAN, NAN, NULL };
    s->nll = NAN;
    if (l->data->dev && model_nll(l->m, l->data->dev, pool_threads(l->pool), &s->nll, err) < 0)
        return -1;
    if (v && (l->config->validate_decode || !by_nll(l)) &&
        v->decode(v->state, l->m, pool_threads(l->pool), &decoded, err) < 0)
        return -1;
    l->others = decoded.others;
    s->bleu = decoded.bleu;
    s->chrf = decoded.chrf;
    s->chosen = decoded.chosen;
    return 0;
}

/* In a team rank 0 measures, and tells the others. */
static int measure(struct loop *l, struct scores *s, struct error *err)
{
    struct { struct scores scores; int ret; bool stopping; struct error err; } told = { .ret = 0 };
    struct team *team = l->data->team;
    if (!team)
        return measure_here(l, s, err);
    if (loop_leads(l))
        told.ret = measure_here(l, &told.scores, &told.err);
    told.stopping = interrupt_requested();
    team_broadcast(team, 0, &told, sizeof told);
    *s = told.scores;
    *err = told.err;
    l->stopping = l->stopping || told.stopping;
    return l->stopping ? told.ret : team_agree(team, told.ret, err);
}

/* Larger is better. */
static double score_of(const struct loop *l, const struct scores *s)
{
    if (by_nll(l))
        return -s->nll;
    if (l->data->validator->choose)
        return l->metric_falls ? -s->chosen : s->chosen;
    return !strcmp(l->config->metric, "bleu") ? s->bleu : s->chrf;
}

static bool is_third(const struct loop *l)
{
    return !by_nll(l) && strcmp(l->config->metric, "bleu") && strcmp(l->config->metric, "chrf");
}

static void log_validation(struct loop *l, const struct scores *s, const char *what)
{
    json_t *record = json_pack("{s:I,s:i,s:f,s:o,s:o,s:o}", "update", (json_int_t)l->s.update,
                               "epoch", l->s.epoch, "seconds", l->s.seconds, "valid_nll", real_or_null(s->nll),
                               "valid_bleu", real_or_null(s->bleu), "valid_chrf", real_or_null(s->chrf));
    if (is_third(l)) {
        char name[64];
        snprintf(name, sizeof name, "valid_%s", l->config->metric);
        json_object_set_new(record, name, real_or_null(s->chosen));
    }
    if (what)
        json_object_set_new(record, "weights", json_string(what));
    json_object_update(record, l->others);
    json_decref(l->others);
    l->others = NULL;
    train_log_write(&l->log, record);
    progress_show(true, "%s", "");
    char decoded[64] = "", third[96] = "", loss[48] = "";
    if (l->shown_rate > 0)
        snprintf(loss, sizeof loss, "  train loss %.4f", l->shown_loss);
    if (isfinite(s->bleu))
        snprintf(decoded, sizeof decoded, "  BLEU %.2f  chrF %.2f", s->bleu, s->chrf);
    if (is_third(l))
        snprintf(third, sizeof third, "  %s %.2f", l->config->metric, s->chosen);
    log_info("update %lld  epoch %d  %s%s  dev NLL %.4f  perplexity %.3f%s%s%s%s",
             (long long)l->s.update, l->s.epoch, clock_text(l->s.seconds), loss, s->nll, exp(s->nll),
             decoded, third, what ? "  of " : "", what ? what : "");
}

static int compare_snapshots(const void *a, const void *b)
{
    double x = ((const struct snapshot *)a)->score, y = ((const struct snapshot *)b)->score;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Keeps the last K weights, or the best K. */
static void snapshot_add(struct loop *l, double score)
{
    struct progress_state *s = &l->s;
    struct error problem;
    int keep = l->config->average;
    if (!keep || !loop_leads(l))
        return;
    if (snapshot_save(l->folder, l->m, l->m->params.block, s->update, &problem) < 0) {
        log_warning("%s; these weights will be missing from the average, training goes on", problem.text);
        return;
    }
    if (s->snapshot_count < MAX_SNAPSHOTS)
        s->snapshots[s->snapshot_count++] = (struct snapshot){ s->update, score };
    if (s->snapshot_count <= keep)
        return;
    int out = 0;
    if (l->config->average_of == AVERAGE_BEST) {
        qsort(s->snapshots, (size_t)s->snapshot_count, sizeof *s->snapshots, compare_snapshots);
        out = s->snapshot_count - 1;
    }
    snapshot_remove(l->folder, s->snapshots[out].update);
    memmove(s->snapshots + out, s->snapshots + out + 1,
            (size_t)(s->snapshot_count - out - 1) * sizeof *s->snapshots);
    s->snapshot_count--;
}

/* A full disk costs one of the models that stay, not the training. */
static void keep_model(struct loop *l)
{
    struct error problem;
    if (l->config->keep_models && loop_leads(l)
        && kept_model_save(l->folder, l->m, l->s.update, l->config->keep_models, &problem) < 0)
        log_warning("%s; this model will be missing from those that are kept, training goes on", problem.text);
}

/* ---- the best weights ---- */

/* The model's weights into its folder.  Where there is no room they wait in memory. */
static void best_write(struct loop *l)
{
    struct error problem;
    if (!loop_leads(l))
        return;
    if (model_save(l->m, l->folder, &problem) == 0) {
        free(l->unsaved);
        l->unsaved = NULL;
        return;
    }
    if (!l->unsaved)
        l->unsaved = block_new(&l->m->params);
    memcpy(l->unsaved, l->m->params.block, l->m->params.total * sizeof(float));
    log_warning("%s; the best weights are kept in memory meanwhile, training goes on", problem.text);
}

void loop_retry_best(struct loop *l)
{
    float *current = l->m->params.block, *best = l->unsaved;
    struct error problem;
    if (!best)
        return;
    l->m->params.block = best;
    bool written = model_save(l->m, l->folder, &problem) == 0;
    l->m->params.block = current;
    if (written) {
        l->unsaved = NULL;
        free(best);
    }
}

int loop_best_weights(struct loop *l, struct error *err)
{
    if (l->unsaved) {
        memcpy(l->m->params.block, l->unsaved, l->m->params.total * sizeof(float));
        return 0;
    }
    int found = best_find(l->folder, l->m, l->s.best_update, err);
    return found < 0 ? -1 : found ? 0 : model_load_weights(l->m, l->folder, err);
}

int loop_validate(struct loop *l, struct error *err)
{
    struct progress_state *s = &l->s;
    struct scores scores;
    int ret;
    loop_clock_stop(l);
    loop_swap_weights(l);
    ret = measure(l, &scores, err);
    if (ret == 0) {
        double score = score_of(l, &scores);
        log_validation(l, &scores, NULL);
        s->rises += scores.nll > s->last_nll;
        s->last_nll = scores.nll;
        snapshot_add(l, score);
        keep_model(l);
        if (isfinite(score) && (isnan(s->best_score) || score > s->best_score)) {
            s->best_score = score;
            s->best_update = s->update;
            s->best_nll = scores.nll;
            s->best_bleu = scores.bleu;
            s->best_chrf = scores.chrf;
            s->without_gain = 0;
            best_write(l);
        } else {
            loop_retry_best(l);
            s->without_gain++;
            if (l->config->schedule == SCHEDULE_PLATEAU)
                s->plateau *= (double)l->config->plateau_factor;
        }
    }
    loop_swap_weights(l);
    loop_clock_start(l);
    return ret;
}

/* ---- the average ---- */

static void keep_scores(struct loop *l, const struct scores *s, double score)
{
    l->s.best_score = score;
    l->s.best_nll = s->nll;
    l->s.best_bleu = s->bleu;
    l->s.best_chrf = s->chrf;
    l->s.best_update = l->s.update;
}

/* The mean of the snapshots where it is no worse than the best single weights, which are then set
 * aside: a longer training may need them. */
int loop_average(struct loop *l, struct error *err)
{
    int64_t updates[MAX_SNAPSHOTS];
    struct scores scores;
    size_t bytes = l->m->params.total * sizeof(float);
    for (int i = 0; i < l->s.snapshot_count; i++)
        updates[i] = l->s.snapshots[i].update;
    if (loop_best_weights(l, err) < 0)
        return -1;
    float *best = memcpy(block_new(&l->m->params), l->m->params.block, bytes);
    int ret = best_set_aside(l->folder, l->m, l->s.best_update, err);
    if (ret == 0)
        ret = snapshots_average(l->folder, l->m, updates, l->s.snapshot_count, l->m->params.block, err);
    if (ret == 0)
        ret = measure_here(l, &scores, err);
    double score = ret == 0 ? score_of(l, &scores) : NAN;
    if (ret == 0)
        log_validation(l, &scores, "the average");
    if (score >= l->s.best_score) {
        keep_scores(l, &scores, score);
    } else if (ret == 0) {
        log_info("the average is worse than the weights of update %lld, which are kept",
                 (long long)l->s.best_update);
        memcpy(l->m->params.block, best, bytes);
    }
    free(best);
    return ret;
}
