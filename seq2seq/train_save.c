/* The training loop's clock, and its checkpoints. */
#include "seq2seq/train_loop.h"

#include <assert.h>
#include <math.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "seq2seq/checkpoint.h"
#include "tensor/kernels.h"

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

/* ---- the state as JSON ---- */

/* To add a number to what a checkpoint restores: a member of progress_state and a row here. */
enum kind { WHOLE, SMALL, FLAG, REAL };     /* int64_t, int, bool, double */
#define STATE(member, kind) { #member, kind, offsetof(struct progress_state, member) }
static const struct {
    const char *name;
    enum kind kind;
    size_t offset;
} members[] = {
    STATE(update, WHOLE), STATE(target_tokens, WHOLE), STATE(bad_updates, WHOLE), STATE(epoch, SMALL),
    STATE(without_gain, SMALL), STATE(bad_in_a_row, SMALL), STATE(good_in_a_row, SMALL), STATE(brake, REAL),
    STATE(validation_due, FLAG), STATE(seconds, REAL), STATE(plateau, REAL), STATE(best_score, REAL),
    STATE(best_update, WHOLE), STATE(best_nll, REAL), STATE(best_bleu, REAL), STATE(best_chrf, REAL),
    STATE(last_nll, REAL), STATE(rises, SMALL),
};

static json_t *member_save(enum kind kind, const void *at)
{
    switch (kind) {
    case WHOLE:
        return json_integer((json_int_t)*(const int64_t *)at);
    case SMALL:
        return json_integer(*(const int *)at);
    case FLAG:
        return json_boolean(*(const bool *)at);
    default:
        return real_or_null(*(const double *)at);
    }
}

static void member_restore(enum kind kind, void *at, const json_t *value)
{
    switch (kind) {
    case WHOLE:
        *(int64_t *)at = json_integer_value(value);
        break;
    case SMALL:
        *(int *)at = (int)json_integer_value(value);
        break;
    case FLAG:
        *(bool *)at = json_is_true(value);
        break;
    case REAL:
        *(double *)at = json_is_number(value) ? json_number_value(value) : NAN;
        break;
    }
}

static json_t *snapshots_save(const struct progress_state *s)
{
    json_t *all = json_array();
    for (int i = 0; i < s->snapshot_count; i++)
        json_array_append_new(all, json_pack("[I,o]", (json_int_t)s->snapshots[i].update,
                                             real_or_null(s->snapshots[i].score)));
    return all;
}

static void snapshots_restore(struct progress_state *s, const json_t *all)
{
    const json_t *one;
    size_t i;
    s->snapshot_count = 0;
    json_array_foreach(all, i, one)
        if (s->snapshot_count < MAX_SNAPSHOTS)
            s->snapshots[s->snapshot_count++] = (struct snapshot){
                json_integer_value(json_array_get(one, 0)), json_number_value(json_array_get(one, 1)) };
}

static json_t *state_to_json(const struct loop *l)
{
    json_t *state = json_object();
    for (size_t i = 0; i < ARRAY_COUNT(members); i++)
        json_object_set_new(state, members[i].name,
                            member_save(members[i].kind, (const char *)&l->s + members[i].offset));
    json_object_set_new(state, "seed", json_integer((json_int_t)l->config->seed));
    json_object_set_new(state, "adam_step", json_integer((json_int_t)l->adam.step));
    json_object_set_new(state, "identity", loop_identity(l));
    json_object_set_new(state, "snapshots", snapshots_save(&l->s));
    json_object_set_new(state, "objective", loop_objective_save(l));
    json_object_set_new(state, "data", l->data->train->save(l->data->train->state));
    return state;
}

static int state_from_json(struct loop *l, const json_t *j, struct error *err)
{
    const json_t *seed = json_object_get(j, "seed");
    if (seed && json_integer_value(seed) != l->config->seed)
        return error_set(err, "cannot resume: seed was %lld and is %lld now; resume with the old value or start "
                         "again in another folder", (long long)json_integer_value(seed), (long long)l->config->seed);
    bool measured = json_integer_value(json_object_get(j, "best_update")) > 0;
    if (loop_identity_check(l, json_object_get(j, "identity"), measured, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_COUNT(members); i++) {
        const json_t *value = json_object_get(j, members[i].name);
        if (value)
            member_restore(members[i].kind, (char *)&l->s + members[i].offset, value);
    }
    l->adam.step = json_integer_value(json_object_get(j, "adam_step"));
    snapshots_restore(&l->s, json_object_get(j, "snapshots"));
    if (loop_objective_restore(l, json_object_get(j, "objective"), err) < 0)
        return -1;
    return l->data->train->restore(l->data->train->state, json_object_get(j, "data"), err);
}

/* ---- checkpoints ---- */

static void list_kept(struct checkpoint *c, const struct kept_block *kept, int count)
{
    assert(c->kept_count + count <= KEPT_MOST);
    for (int i = 0; i < count; i++)
        c->kept[c->kept_count++] = kept[i];
}

struct checkpoint loop_checkpoint(struct loop *l)
{
    const struct batch_source *train = l->data->train;
    struct checkpoint c = { .m = l->m, .a = &l->adam, .best = l->unsaved };
    int count = 0;
    const struct kept_block *kept = l->objective->kept ? l->objective->kept(l->objective->shared, &count) : NULL;
    list_kept(&c, kept, count);
    count = 0;
    kept = train->kept ? train->kept(train->state, &count) : NULL;
    list_kept(&c, kept, count);
    return c;
}

static int write_checkpoint(struct loop *l, const json_t *state, struct error *err)
{
    const struct checkpoint c = loop_checkpoint(l);
    if (!isfinite(kernel->sum_squares(l->m->params.block, l->m->params.total)))
        return error_set(err, "the weights of update %lld are not finite and are not saved", (long long)l->s.update);
    return checkpoint_save(l->folder, &c, state, l->s.update, l->config->keep_checkpoints, err);
}

/* A checkpoint that cannot be written (a full disk) does not end the training. */
int loop_save(struct loop *l, struct error *err)
{
    struct error problem = { 0 };
    int ret = 0;
    if (l->saved_update == l->s.update)
        return 0;
    loop_clock_stop(l);
    loop_team_same_weights(l);
    json_t *state = state_to_json(l);
    if (loop_leads(l))
        ret = write_checkpoint(l, state, &problem);
    json_decref(state);
    team_broadcast(l->data->team, 0, &ret, sizeof ret);
    team_broadcast(l->data->team, 0, &problem, sizeof problem);
    loop_clock_start(l);
    if (ret == 0)
        l->saved_update = l->s.update;
    else if (err)
        return *err = problem, team_agree(l->data->team, ret, err);
    else
        log_warning("%s; the checkpoint before it stays, training goes on", problem.text);
    return ret;
}

int loop_resume(struct loop *l, struct error *err)
{
    json_t *state = NULL;
    struct checkpoint c = loop_checkpoint(l);
    int ret = loop_leads(l) ? checkpoint_load(l->folder, &c, &state, err) : 0;
    l->unsaved = c.best;
    if (loop_team_state(l, ret, &state, err) < 0)
        return -1;
    if (!state)
        return 0;
    ret = team_agree(l->data->team, state_from_json(l, state, err), err);
    json_decref(state);
    l->saved_update = l->s.update;
    l->team_seconds = l->s.seconds;
    if (ret == 0)
        log_info("going on from update %lld of '%s'", (long long)l->s.update, l->folder);
    return ret;
}
