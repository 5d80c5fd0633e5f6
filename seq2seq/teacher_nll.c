/* Mean negative log-likelihood of gold by a teacher, several models included. */
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "corpora/batch.h"
#include "seq2seq/output.h"
#include "seq2seq/teacher.h"

struct lane {
    struct teacher_worker *worker;
    double *logp;               /* (OUTPUT_ROWS,count) */
    double *nll;                /* (count) */
};

struct pass {
    struct lane *lanes;
    struct batch *shares;
    const float *temperature;
    int count, threads;
};

static void lane_run(void *arg, int i)
{
    struct pass *p = arg;
    struct lane *lane = &p->lanes[i];
    const struct batch *b = &p->shares[i];
    for (int k = 0; k < p->count; k++)
        lane->nll[k] = 0;
    if (!b->B)
        return;
    teacher_begin(lane->worker, b);
    for (int first = 0; first < b->target_tokens; first += OUTPUT_ROWS) {
        int rows = b->target_tokens - first < OUTPUT_ROWS ? b->target_tokens - first : OUTPUT_ROWS;
        teacher_gold(lane->worker, lane->logp, p->temperature, p->count, b->output + first, first, rows);
        for (int r = 0; r < rows; r++)
            for (int k = 0; k < p->count; k++)
                lane->nll[k] -= lane->logp[r * p->count + k];
    }
}

static void pass_open(struct pass *p, const struct teacher *t, const float *temperature, int count, int threads)
{
    *p = (struct pass){ xcalloc((size_t)threads, sizeof *p->lanes), xcalloc((size_t)threads, sizeof *p->shares),
                        temperature, count, threads };
    for (int i = 0; i < threads; i++) {
        p->lanes[i].worker = teacher_worker_new(t);
        p->lanes[i].logp = xcalloc((size_t)OUTPUT_ROWS * (size_t)count, sizeof(double));
        p->lanes[i].nll = xcalloc((size_t)count, sizeof(double));
    }
}

static void pass_close(struct pass *p)
{
    for (int i = 0; i < p->threads; i++) {
        teacher_worker_free(p->lanes[i].worker);
        free(p->lanes[i].logp);
        free(p->lanes[i].nll);
        batch_release(&p->shares[i]);
    }
    free(p->lanes);
    free(p->shares);
}

static void add_lanes(double *total, const struct pass *p)
{
    for (int i = 0; i < p->threads; i++)
        for (int k = 0; k < p->count; k++)
            total[k] += p->lanes[i].nll[k];
}

int teacher_nll_at(const struct teacher *t, struct batch_source *data, const float *temperature, int count,
                   int threads, double *nll, struct error *err)
{
    struct pool *pool = pool_new(threads > 0 ? threads : cpu_count());
    double *total = xcalloc((size_t)count, sizeof *total), tokens = 0;
    struct pass p;
    struct batch b = { 0 };
    int more;
    pass_open(&p, t, temperature, count, pool_threads(pool));
    while ((more = data->next(data->state, &b, err)) > 0) {
        batch_split(&b, p.shares, p.threads);
        pool_run(pool, p.threads, lane_run, &p);
        add_lanes(total, &p);
        tokens += b.target_tokens;
    }
    for (int k = 0; k < count && more == 0 && tokens > 0; k++)
        nll[k] = total[k] / tokens;
    pass_close(&p);
    free(total);
    batch_release(&b);
    pool_free(pool);
    if (more == 0 && tokens <= 0)
        return error_set(err, "the validation corpus has no sentence that fits; raise the length limit");
    return more;
}

int teacher_nll(const struct teacher *t, struct batch_source *data, int threads, double *nll, struct error *err)
{
    float own = teacher_temperature(t);
    return teacher_nll_at(t, data, &own, 1, threads, nll, err);
}
