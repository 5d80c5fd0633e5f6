#ifndef EVAL_SIGNIFICANCE_H
#define EVAL_SIGNIFICANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eval/metric.h"

/* Significance tests on the statistics of segments, as sacreBLEU makes them: the same random
 * numbers for the same seed, and single precision where NumPy computes in it, so that its
 * figures come out again. */

struct seed {
    bool random;                /* from the system's entropy */
    uint64_t value;
};
/* SACREBLEU_SEED from the environment: a number, or "none"; 12345 without it. */
int seed_from_environment(struct seed *seed, struct error *err);

/* The statistics of several systems on the same segments. */
struct sampled {
    const struct metric *metric;
    const struct metric_config *config;
    const double *stats;        /* (systems, n, width) */
    const double *scores;       /* (systems), of all segments */
    size_t systems, n;
};

struct significance {
    double mean, interval;      /* of the resamples: mean, half of the central 95 % */
    double p;                   /* against the first system, which has none (NAN) */
};

/* Bootstrap resampling of one system: n segments drawn with replacement, `samples` times.  Mean
 * and interval as sacreBLEU's --confidence prints them; out[0] alone is filled in. */
void significance_bootstrap(struct significance *out, const struct sampled *data, int samples,
                            struct seed seed, int threads);

/* Paired bootstrap resampling (Koehn 2004), two-sided, each system against the first: out (systems). */
void significance_paired_bootstrap(struct significance *out, const struct sampled *data, int samples,
                                   struct seed seed, int threads);

/* Paired approximate randomisation (Riezler & Maxwell 2005), two-sided; p alone is filled in, the
 * rest is NAN. */
void significance_paired_randomization(struct significance *out, const struct sampled *data,
                                       int trials, struct seed seed, int threads);

#endif
