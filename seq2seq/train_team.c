/* The training loop in a team of processes: every rank trains on its share of each batch and holds
 * the same weights; rank 0 validates and writes.  All that decides what comes next, the clock
 * included, is rank 0's or has been agreed on, so that the ranks never part. */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "seq2seq/train_loop.h"

bool loop_leads(const struct loop *l)
{
    return team_rank(l->data->team) == 0;
}

bool loop_stopping(const struct loop *l)
{
    return l->data->team ? l->stopping : interrupt_requested();
}

double loop_clock(const struct loop *l)
{
    return l->data->team ? l->team_seconds : loop_seconds(l);
}

/* ---- shares ---- */

/* Numbers the workers of the whole team: those of rank 0 come first. */
static void number_workers(struct loop *l)
{
    struct team *team = l->data->team;
    for (int r = 0; r < team_size(team); r++) {
        int threads = pool_threads(l->pool);
        team_broadcast(team, r, &threads, sizeof threads);
        if (r < team_rank(team))
            l->first_worker += threads;
        l->all_workers += threads;
    }
    workers_place(l->workers, l->first_worker);
}

/* Two ranks that see different corpora would train, and wrongly. */
static int same_corpus(struct loop *l, struct error *err)
{
    const struct batch_source *train = l->data->train;
    uint64_t mine = train->fingerprint ? train->fingerprint(train->state) : 0, first = mine;
    team_broadcast(l->data->team, 0, &first, sizeof first);
    return team_agree(l->data->team, mine == first ? 0
                      : error_set(err, "the training corpus differs from that of rank 0"), err);
}

int loop_team_open(struct loop *l, struct error *err)
{
    struct team *team = l->data->team;
    const struct batch_source *train = l->data->train;
    if (!team)
        return 0;
    number_workers(l);
    if (same_corpus(l, err) < 0)
        return -1;
    int threads = pool_threads(l->pool);
    l->cuts = !train->share || train->share(train->state, l->first_worker, threads, l->all_workers) < 0;
    l->exchange = exchange_new(team, &l->m->params, workers_grads(l->workers), threads,
                               l->config->gradient_type == GRADIENTS_BF16, l->pool);
    team_broadcast(team, 0, l->m->params.block, l->m->params.total * sizeof(float));
    log_info("%d processes, %d threads in all", team_size(team), l->all_workers);
    return 0;
}

/* ---- an update ---- */

int loop_team_sums(struct loop *l, int ret, struct loss_sums *sums, struct error *err)
{
    double all[] = { sums->loss, sums->tokens, sums->gold, (double)sums->gold_tokens, interrupt_requested(),
                     ret < 0, loop_leads(l) ? loop_seconds(l) : 0, ret > 0 };
    exchange_finish(l->exchange);
    team_add(l->data->team, all, ARRAY_COUNT(all));
    *sums = (struct loss_sums){ all[0], all[1], all[2], (int64_t)all[3] };
    l->stopping = all[4] > 0;
    l->update_seconds = all[6] - l->team_seconds;
    l->team_seconds = all[6];
    return all[5] > 0 ? team_agree(l->data->team, ret < 0 ? ret : 0, err) : all[7] > 0;
}

/* ---- checkpoints ---- */

/* What the objective carries, of all workers of the team in their order. */
json_t *loop_objective_save(const struct loop *l)
{
    struct team *team = l->data->team;
    json_t *mine = workers_save(l->workers);
    if (!team || !l->objective->save)
        return mine;
    json_t *all = json_array();
    for (int r = 0; r < team_size(team); r++) {
        char *text = r == team_rank(team) ? json_dumps(mine, JSON_COMPACT) : NULL;
        text = team_broadcast_text(team, r, text);
        json_t *part = text ? json_loads(text, 0, NULL) : NULL;
        json_array_extend(all, part);
        json_decref(part);
        free(text);
    }
    json_decref(mine);
    return all;
}

int loop_objective_restore(struct loop *l, const json_t *all, struct error *err)
{
    if (!l->data->team)
        return workers_restore(l->workers, all, err);
    json_t *mine = json_array();
    for (int i = 0; i < pool_threads(l->pool); i++)
        json_array_append(mine, json_array_get(all, (size_t)(l->first_worker + i)));
    int ret = workers_restore(l->workers, mine, err);
    json_decref(mine);
    return ret;
}

static void broadcast_block(struct loop *l, float *block)
{
    if (block)
        team_broadcast(l->data->team, 0, block, l->m->params.total * sizeof(float));
}

void loop_team_blocks(struct loop *l)
{
    broadcast_block(l, l->m->params.block);
    broadcast_block(l, l->adam.m);
    broadcast_block(l, l->adam.v);
    broadcast_block(l, l->adam.ema);
    struct checkpoint c = loop_checkpoint(l);
    for (int i = 0; i < c.kept_count; i++)
        team_broadcast(l->data->team, 0, c.kept[i].data, c.kept[i].count * sizeof(float));
}

/* Sums over ranks give everyone the same bits on all MPIs that we know; should they ever not. */
void loop_team_same_weights(struct loop *l)
{
    struct team *team = l->data->team;
    if (!team)
        return;
    uint64_t mine = hash_bytes(l->m->params.block, l->m->params.total * sizeof(float), 0), first = mine;
    team_broadcast(team, 0, &first, sizeof first);
    double others = mine != first;
    team_add(team, &others, 1);
    if (others == 0)
        return;
    log_warning("update %lld: the weights of %g processes differ from those of the first, which are taken",
                (long long)l->s.update, others);
    loop_team_blocks(l);
}

int loop_team_state(struct loop *l, int ret, json_t **state, struct error *err)
{
    struct team *team = l->data->team;
    if (team_agree(team, ret, err) < 0)
        return -1;
    char *text = *state ? json_dumps(*state, JSON_COMPACT) : NULL;
    text = team_broadcast_text(team, 0, text);
    if (!*state && text)
        *state = json_loads(text, 0, NULL);
    free(text);
    if (*state)
        loop_team_blocks(l);
    return 0;
}
