#ifndef CORPORA_CLEAN_H
#define CORPORA_CLEAN_H

#include <jansson.h>

#include "corpora/edit.h"
#include "corpora/filter.h"
#include "corpora/import.h"
#include "corpora/sources.h"

struct error;

/* The pairs of one corpus or several that survive the filters, without duplicates, as a stream:
 *
 *     import ──▶ edits ──▶ filters ──▶ duplicates ──▶ models ──▶ sink
 *
 * Pairs keep their order, whatever the number of threads.  Memory stays within `dedup_memory` and a
 * bit for each pair that comes after it is used up; those pairs wait in files and reach the
 * sink at the end. */
struct clean_config {
    struct import_config import;
    struct edit_config edit;
    struct filter_config filter;
    int dedup;                          /* enum dedup */
    int near;                           /* enum near_duplicates */
    int64_t dedup_memory;               /* bytes; 0: 1 GiB */
    int threads;                        /* 0: one a core */
    char *sources;                      /* a list of corpora in place of one; NULL: none */
    char *dropped;                      /* file for what was dropped, and why; NULL: none */
    char *temporary;                    /* folder for pairs that wait; NULL: $TMPDIR or /tmp */
    const struct pair_scorer *scorer;   /* borrowed; NULL: no model */
};
extern const struct option dedup_options[];         /* fill a struct clean_config */
extern const struct option source_list_options[];   /* likewise: sources */
extern const struct option clean_run_options[];     /* likewise: what changes nothing of the outcome */

/* Of pairs that are the same (all of them, or their sources, or their targets), the first stays. */
enum dedup { DEDUP_NONE, DEDUP_PAIR, DEDUP_SOURCE, DEDUP_TARGET };
/* Likewise of pairs with the same letters and digits, or much the same ones (corpora/near.h). */
enum near_duplicates { NEAR_KEEP, NEAR_FORM, NEAR_SIMILAR };

/* What models say of pairs: nats a token of the target given the source, and the other way round;
 * NAN where there is no such model.  Called with some thousand pairs at a time. */
struct pair_score { float forward, backward; };
struct pair_scorer {
    void *state;
    bool forward, backward;             /* which there are */
    int (*score)(void *state, struct pair_score *out, const struct text_pair *pairs, size_t count,
                 struct error *err);
};

/* The dual conditional cross-entropy (Junczys-Dowmunt 2018): the two models' mean, and by how much
 * they disagree. */
float pair_score_dual(struct pair_score s);

struct source_report { int64_t read, kept; };

struct clean_report {
    int64_t read;                       /* pairs that were imported */
    int64_t edited[EDIT_MOST];          /* by the row of `edits` */
    int64_t dropped[FILTER_MOST];       /* by the row of `filters` */
    int64_t kept;
    int64_t repaired;                   /* lines that were not UTF-8 */
};

/* {"read": …, "edited": {…}, "dropped": {"empty": …, …}, "duplicates": …, "kept": …, "repaired": …} */
json_t *clean_report_json(const struct clean_report *report);

/* A pair that stays.  Copies: 0 where a weight below 1 leaves it out of the training set. */
struct cleaned {
    struct text_pair pair;
    struct text untagged;               /* its source without the tag */
    const struct corpus_source *source;
    int copies;
    int64_t number;                     /* of the pair among those that were read, from 1 */
};
struct clean_sink {
    int (*take)(void *arg, const struct cleaned *pair, struct error *err);
    void *arg;
};

/* target is NULL for formats with both sides in one input and for monolingual text; source too when
 * the config lists sources.  That no pair is left is an error. */
int clean_run(struct clean_report *report, const char *source, const char *target,
              const struct clean_config *config, const struct clean_sink *sink, struct error *err);

/* An error where `output` is one of the files that are read, or that for what is dropped; NULL is none. */
int clean_spares(const char *output, const char *source, const char *target, const struct clean_config *config,
                 struct error *err);

/* Whether what comes out has two sides; that sources agree in it is checked by clean_run. */
int clean_is_paired(bool *out, const char *source, const char *target,
                    const struct clean_config *config, struct error *err);

/* The stream into two line-aligned files, or one of monolingual text, which appear whole or not at
 * all; each pair as often as its source's weight says. */
int corpus_clean(struct clean_report *report, const char *source_out, const char *target_out,
                 const char *source, const char *target, const struct clean_config *config,
                 struct error *err);

#endif
