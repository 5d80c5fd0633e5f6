#ifndef DISTILL_ON_POLICY_H
#define DISTILL_ON_POLICY_H

#include <stdbool.h>

#include "base/course.h"
#include "base/option.h"
#include "corpora/batch.h"
#include "decode/sample.h"

struct error;
struct model;

/* A batch source whose targets are, in part, the student's own outputs: it is taught on prefixes
 * that it will meet (GKD, Agarwal 2024; ImitKD, Lin 2020; DistiLLM, Ko 2024).
 *
 * Each batch of the source within is taken as it is or, by chance, its targets are replaced with
 * what the student as it stands makes of its sources, and it is marked as sampled.  With a replay
 * buffer only some of these are made afresh, and kept; the others are drawn from the buffer. */
struct on_policy_config {
    struct course share;        /* of the batches that are the student's own: λ */
    int decoding;               /* enum on_policy_decoding */
    struct sampling sampling;
    int replay;                 /* sentences that the buffer keeps; 0: there is none */
    struct course fresh;        /* with a buffer: share of the student's batches that are made afresh */
    bool labels;                /* no option: the outputs serve as gold (see below) */
};
enum on_policy_decoding { ON_POLICY_SAMPLE, ON_POLICY_GREEDY };
extern const struct option on_policy_options[];

/* All batches have the student's likeliest outputs, which serve as gold: Pseudo-Label (Lee 2013, section
 * 2.1, where the labels are made anew at every update).  Outputs that are empty or that the length limit
 * ended are left out, so that a batch may be empty: it is a source to mix with others (corpora/mixture.h). */
extern const struct on_policy_config on_policy_labels;

/* Whether a share is ever above 0. */
bool on_policy_wanted(const struct on_policy_config *c);

/* Whether the options go together, where a share is above 0. */
int on_policy_check(const struct on_policy_config *c, struct error *err);

/* `within` becomes the new source's; on failure it stays the caller's.  The student is borrowed:
 * its weights are read as they are at each batch.  max_length bounds the outputs, in tokens. */
int on_policy_open(struct batch_source *out, struct batch_source *within, const struct model *student,
                   const struct on_policy_config *config, int max_length, int64_t seed, int threads,
                   struct error *err);

/* Outputs made so far, since the training began, and those of them that were left out. */
struct on_policy_counts { int64_t made, left_out; };
struct on_policy_counts on_policy_count(const struct batch_source *source);

#endif
