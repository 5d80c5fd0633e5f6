#ifndef DISTILL_GAP_PARTS_H
#define DISTILL_GAP_PARTS_H

#include "distill/gap.h"
#include "distill/gap_tokens.h"
#include "decode/translate.h"

/* Between gap.c, which puts the whole together, and the files that measure a part each. */
enum { TEACHER, STUDENT, MODELS };
enum { GREEDY, BEAM, MODES };
enum { BLEU, CHRF, METRICS };
extern const char *const gap_models[MODELS], *const gap_modes[MODES], *const gap_metrics[METRICS];

/* One file's work in hand. */
struct gap {
    const struct gap_voice *voice[MODELS];
    const struct gap_texts *texts;
    const struct gap_config *config;
    int threads;
    struct translation *out[MODELS][MODES];
    double *stats[MODELS][MODES][METRICS];      /* (n, width) */
    int *words;                                 /* of each source */
    int64_t *seen;                              /* of each target piece of the student's; NULL: unknown */
};

/* Both have the same vocabularies. */
bool gap_comparable(const struct gap *g);

/* Lines of a band of source lengths; band -1: all. */
bool gap_in_band(const struct gap *g, size_t i, int band);

/* A band as "from" and "to" in an object; to null: open. */
void gap_set_band(json_t *it, int64_t from, int64_t below);
void gap_put(json_t *object, const char *key, double value);            /* null where it is not finite */

/* Quality, agreement and tests over the outputs of a band of source lengths. */
json_t *gap_outputs(const struct gap *g, int band);
/* The outputs' pieces against the reference's and each other's, by how often they were seen. */
json_t *gap_pieces(const struct gap *g);
/* What both say of the gold targets: gold, gold_by_length, gold_by_frequency. */
int gap_gold(const struct gap *g, json_t *out, struct error *err);
/* Of models whose vocabularies differ: how well each is calibrated in its own pieces; gold, gold_by_length. */
int gap_gold_apart(const struct gap *g, json_t *out, struct error *err);

/* A figure of sums over sentences, paired: rows[model] is (n, width). */
struct gap_paired {
    const double *rows[MODELS];
    size_t n, width;
    double (*figure)(const double *sum);        /* NAN: there is none */
};
/* The student's figure less the teacher's, { difference, interval, p }: interval is half of what the
 * central 95 % of the resamples span, p two-sided as in eval/significance.h.  Of one sentence there are no resamples. */
json_t *gap_test(const struct gap *g, const struct gap_paired *data);

/* A sum divided by another one: rows of width 2. */
struct gap_ratio {
    double up, down;
};
json_t *gap_test_ratio(const struct gap *g, const struct gap_ratio *teacher, const struct gap_ratio *student, size_t n);

#endif
