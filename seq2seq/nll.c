/* Negative log-likelihood of batches, several threads a batch: each has a lane, which takes a share of the
 * sentences.  Sums over lanes are added in order, so that they repeat for the same number of threads. */
#include "seq2seq/nll.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/thread.h"
#include "corpora/batch.h"
#include "seq2seq/model.h"

struct lane {
    struct scorer *scorer;
    float *logp;                        /* of the share's tokens */
    int room;
    double nll;
};

struct nll_lanes {
    struct pool *pool;
    int count;
    struct lane *lanes;
    struct batch *shares;
};

static void lane_run(void *arg, int i)
{
    struct nll_lanes *l = arg;
    struct lane *lane = &l->lanes[i];
    const struct batch *b = &l->shares[i];
    lane->nll = 0;
    if (!b->B)
        return;
    if (lane->room < b->target_tokens) {
        lane->room = b->target_tokens;
        lane->logp = xrealloc(lane->logp, (size_t)lane->room * sizeof(float));
    }
    scorer_run(lane->scorer, b, lane->logp);
    for (int n = 0; n < b->target_tokens; n++)
        lane->nll -= (double)lane->logp[n];
}

struct nll_lanes *nll_lanes_new(const struct model *m, struct pool *pool)
{
    struct nll_lanes *l = xcalloc(1, sizeof *l);
    l->pool = pool;
    l->count = pool_threads(pool);
    l->lanes = xcalloc((size_t)l->count, sizeof *l->lanes);
    l->shares = xcalloc((size_t)l->count, sizeof *l->shares);
    for (int i = 0; i < l->count; i++)
        l->lanes[i].scorer = scorer_new(m);
    return l;
}

void nll_lanes_free(struct nll_lanes *l)
{
    for (int i = 0; i < l->count; i++) {
        scorer_free(l->lanes[i].scorer);
        free(l->lanes[i].logp);
        batch_release(&l->shares[i]);
    }
    free(l->lanes);
    free(l->shares);
    free(l);
}

double nll_lanes_sum(struct nll_lanes *l, const struct batch *b)
{
    double sum = 0;
    batch_split(b, l->shares, l->count);
    pool_run(l->pool, l->count, lane_run, l);
    for (int i = 0; i < l->count; i++)
        sum += l->lanes[i].nll;
    return sum;
}

/* ---- a whole pass ---- */

/* After a signal the source is read to its end, so that the next pass starts at the beginning. */
static int stop(struct batch_source *data, struct batch *b, struct error *err)
{
    while (data->next(data->state, b, NULL) > 0)
        ;
    return error_set(err, "interrupted");
}

static int mean(struct nll_lanes *l, struct batch_source *data, double *nll, struct error *err)
{
    struct batch b = { 0 };
    double total = 0;
    int64_t tokens = 0;
    int more;
    while ((more = data->next(data->state, &b, err)) > 0) {
        if (interrupt_requested()) {
            more = stop(data, &b, err);
            break;
        }
        total += nll_lanes_sum(l, &b);
        tokens += b.target_tokens;
    }
    batch_release(&b);
    if (more < 0)
        return -1;
    if (!tokens)
        return error_set(err, "the validation corpus has no sentence that fits; raise the length limit");
    *nll = total / (double)tokens;
    return 0;
}

int model_nll(const struct model *m, struct batch_source *data, int threads, double *nll, struct error *err)
{
    struct pool *pool = pool_new(threads > 0 ? threads : cpu_count());
    struct nll_lanes *lanes = nll_lanes_new(m, pool);
    int ret = mean(lanes, data, nll, err);
    nll_lanes_free(lanes);
    pool_free(pool);
    return ret;
}
