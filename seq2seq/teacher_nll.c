/* Mean negative log-likelihood of gold by a teacher, several models included. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "corpora/batch.h"
#include "seq2seq/output.h"
#include "seq2seq/teacher.h"

struct lane {
    struct teacher_worker *worker;
    float *q;
    double nll;
};

struct pass {
    struct lane *lanes;
    struct batch *shares;
    int V;
};

static void lane_run(void *arg, int i)
{
    struct pass *p = arg;
    struct lane *lane = &p->lanes[i];
    const struct batch *b = &p->shares[i];
    lane->nll = 0;
    if (!b->B)
        return;
    teacher_begin(lane->worker, b);
    for (int first = 0; first < b->target_tokens; first += OUTPUT_ROWS) {
        int rows = b->target_tokens - first < OUTPUT_ROWS ? b->target_tokens - first : OUTPUT_ROWS;
        teacher_rows(lane->worker, lane->q, first, rows);
        for (int r = 0; r < rows; r++)
            lane->nll -= log((double)lane->q[(size_t)r * (size_t)p->V + (size_t)b->output[first + r]] + 1e-300);
    }
}

int teacher_nll(const struct teacher *t, struct batch_source *data, int threads, double *nll, struct error *err)
{
    struct pool *pool = pool_new(threads > 0 ? threads : cpu_count());
    int count = pool_threads(pool), more;
    struct pass p = { xcalloc((size_t)count, sizeof *p.lanes), xcalloc((size_t)count, sizeof *p.shares),
                      teacher_vocab(t) };
    struct batch b = { 0 };
    double total = 0, tokens = 0;
    for (int i = 0; i < count; i++) {
        p.lanes[i].worker = teacher_worker_new(t);
        p.lanes[i].q = xaligned((size_t)OUTPUT_ROWS * (size_t)p.V * sizeof(float));
    }
    while ((more = data->next(data->state, &b, err)) > 0) {
        batch_split(&b, p.shares, count);
        pool_run(pool, count, lane_run, &p);
        for (int i = 0; i < count; i++)
            total += p.lanes[i].nll;
        tokens += b.target_tokens;
    }
    for (int i = 0; i < count; i++) {
        teacher_worker_free(p.lanes[i].worker);
        free(p.lanes[i].q);
        batch_release(&p.shares[i]);
    }
    free(p.lanes);
    free(p.shares);
    batch_release(&b);
    pool_free(pool);
    if (more < 0)
        return -1;
    if (tokens <= 0)
        return error_set(err, "the validation corpus has no sentence that fits; raise the length limit");
    *nll = total / tokens;
    return 0;
}
