/* Mean negative log-likelihood over a batch source, several threads a batch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/thread.h"
#include "seq2seq/train.h"

struct lane {
    struct scorer *scorer;
    float *logp;
    int room;
    double nll;
};

struct validation {
    struct lane *lanes;
    struct batch *shares;
};

static void lane_run(void *arg, int i)
{
    struct validation *v = arg;
    struct lane *lane = &v->lanes[i];
    const struct batch *b = &v->shares[i];
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

int model_nll(const struct model *m, struct batch_source *data, int threads, double *nll,
              struct error *err)
{
    struct pool *pool = pool_new(threads > 0 ? threads : cpu_count());
    int count = pool_threads(pool), more;
    struct validation v = { xcalloc((size_t)count, sizeof *v.lanes), xcalloc((size_t)count, sizeof *v.shares) };
    struct batch b = { 0 };
    double total = 0;
    int64_t tokens = 0;
    for (int i = 0; i < count; i++)
        v.lanes[i].scorer = scorer_new(m);
    while ((more = data->next(data->state, &b, err)) > 0) {
        if (interrupt_requested()) {
            while (data->next(data->state, &b, NULL) > 0)
                ;                       /* the next pass starts at the beginning */
            more = error_set(err, "interrupted");
            break;
        }
        batch_split(&b, v.shares, count);
        pool_run(pool, count, lane_run, &v);
        for (int i = 0; i < count; i++)
            total += v.lanes[i].nll;
        tokens += b.target_tokens;
    }
    for (int i = 0; i < count; i++) {
        scorer_free(v.lanes[i].scorer);
        free(v.lanes[i].logp);
        batch_release(&v.shares[i]);
    }
    free(v.lanes);
    free(v.shares);
    batch_release(&b);
    pool_free(pool);
    if (more < 0)
        return -1;
    if (!tokens)
        return error_set(err, "the validation corpus has no sentence that fits; raise the length limit");
    *nll = total / (double)tokens;
    return 0;
}
