/* The training loop's clock, and its checkpoints. */
#include "seq2seq/train_loop.h"

#include <math.h>

#include "base/error.h"
#include "base/log.h"
#include "seq2seq/checkpoint.h"

double loop_seconds(const struct loop *l)
{
    return l->s.seconds + (clock_seconds() - l->started);
}

void loop_clock_stop(struct loop *l)
{
    l->s.seconds = loop_seconds(l);
}

void loop_clock_start(struct loop *l)
{
    l->started = clock_seconds();
}

json_t *real_or_null(double x)
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
    return json_pack("{s:I,s:I,s:I,s:i,s:i,s:b,s:f,s:f,s:o,s:I,s:o,s:o,s:o,s:I,s:o,s:o,s:o,s:i,s:o}",
                     "update", (json_int_t)s->update, "target_tokens", (json_int_t)s->target_tokens,
                     "bad_updates", (json_int_t)s->bad_updates, "epoch", s->epoch,
                     "without_gain", s->without_gain, "validation_due", s->validation_due,
                     "seconds", s->seconds, "plateau", s->plateau,
                     "best_score", real_or_null(s->best_score), "best_update", (json_int_t)s->best_update,
                     "best_nll", real_or_null(s->best_nll), "best_bleu", real_or_null(s->best_bleu),
                     "best_chrf", real_or_null(s->best_chrf), "adam_step", (json_int_t)l->adam.step,
                     "snapshots", snapshots, "data", l->data->train->save(l->data->train->state),
                     "last_nll", real_or_null(s->last_nll), "rises", s->rises,
                     "objective", workers_save(l->workers));
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
    s->last_nll = real_value(j, "last_nll");
    s->rises = (int)json_integer_value(json_object_get(j, "rises"));
    s->snapshot_count = 0;
    json_array_foreach(snapshots, i, one)
        if (s->snapshot_count < MAX_SNAPSHOTS)
            s->snapshots[s->snapshot_count++] = (struct snapshot){
                json_integer_value(json_array_get(one, 0)), json_number_value(json_array_get(one, 1)) };
    if (workers_restore(l->workers, json_object_get(j, "objective"), err) < 0)
        return -1;
    return l->data->train->restore(l->data->train->state, json_object_get(j, "data"), err);
}

/* A checkpoint that cannot be written (a full disk) does not end the training. */
int loop_save(struct loop *l, struct error *err)
{
    struct error problem = { 0 };
    if (l->saved_update == l->s.update)
        return 0;
    loop_clock_stop(l);
    json_t *state = state_to_json(l);
    int ret = checkpoint_save(l->folder, l->m, &l->adam, state, l->s.update, l->config->keep_checkpoints,
                              &problem);
    json_decref(state);
    loop_clock_start(l);
    if (ret == 0)
        l->saved_update = l->s.update;
    else if (err)
        *err = problem;
    else
        log_warning("%s; the checkpoint before it stays, training goes on", problem.text);
    return ret;
}

int loop_resume(struct loop *l, struct error *err)
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
