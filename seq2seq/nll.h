#ifndef SEQ2SEQ_NLL_H
#define SEQ2SEQ_NLL_H

struct batch;
struct batch_source;
struct error;
struct model;
struct pool;

/* Mean NLL of gold a target token on a batch source, one pass, without dropout.  threads 0: one a core.  A
 * signal (base/interrupt.h) ends it as a failure. */
int model_nll(const struct model *m, struct batch_source *data, int threads, double *nll, struct error *err);

/* The same, a batch at a time: the sum over its target tokens, on all threads of the pool.  The model, whose
 * weights may change in between, and the pool are borrowed. */
struct nll_lanes;
struct nll_lanes *nll_lanes_new(const struct model *m, struct pool *pool);
double nll_lanes_sum(struct nll_lanes *l, const struct batch *b);
void nll_lanes_free(struct nll_lanes *l);

#endif
