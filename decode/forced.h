#ifndef DECODE_FORCED_H
#define DECODE_FORCED_H

#include <stddef.h>
#include <stdint.h>

#include "corpora/soft_targets.h"

struct error;
struct teacher;
struct tokenizer;

/* Given pairs of sentences through a teacher, on all threads: the probability of each target
 * token, and the likeliest pieces in its place.
 *
 *     struct forced *f = forced_new(teacher, source, target, &config, threads);
 *     if (forced_run(f, sources, targets, n, use_result, arg, err) < 0) …
 *     forced_free(f);
 */
struct forced_config {
    int k;                      /* likeliest pieces a token, at most; 0: none are wanted */
    float mass;                 /* no more than have this mass together; 1: all k */
    int samples;                /* pieces drawn of the others, which then stand for all of their mass */
    int max_length;             /* tokens of a side; longer pairs are not taken */
};

struct forced_result {
    const int32_t *source, *target;             /* ids, without </s> */
    int source_count, target_count;
    int rows;                                   /* target_count + 1; 0: a side is too long */
    int k;                                      /* the config's k + samples */
    double logp;                                /* of the target, </s> included */
    const float *gold_logp;                     /* rows */
    const struct soft_entry *entries;           /* row r has entries[r * k] and so on, most probable first, then drawn, … */
    const int *count;                           /* … so many … */
    const double *rest;                         /* … and all other pieces this mass: none if there are samples */
};

/* threads 0: one a core.  What is given is borrowed. */
struct forced *forced_new(const struct teacher *t, const struct tokenizer *source,
                          const struct tokenizer *target, const struct forced_config *config, int threads);
void forced_free(struct forced *f);

/* `give` gets each pair's result, in order, on the caller's thread; borrowed until it returns.  It
 * returns -1 after describing an error.  A signal is an error. */
int forced_run(struct forced *f, const char *const *sources, const char *const *targets, size_t n,
               int (*give)(void *arg, size_t index, const struct forced_result *r, struct error *err),
               void *arg, struct error *err);

#endif
