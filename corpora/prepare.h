#ifndef CORPORA_PREPARE_H
#define CORPORA_PREPARE_H

#include "corpora/clean.h"
#include "corpora/split.h"

/* Raw text to training data:
 *
 *     import ──▶ filters ──▶ duplicates ──▶ split ──▶ train.src train.trg dev.src … test.trg
 *
 * The option groups are import_options, filter_options, dedup_options, split_options and
 * prepare_options.  Memory stays at some 40 bytes a pair.  Pairs keep their order.  Files appear
 * whole, when all went well, or not at all. */
struct prepare_config {
    struct clean_config clean;
    struct split_config split;
    char *source_lang, *target_lang;    /* suffixes of the files: "src" and "trg" */
};
extern const struct option prepare_options[];       /* the suffixes */

struct prepare_report {
    struct clean_report clean;
    int64_t sets[SPLIT_SETS];           /* pairs, by enum split_set */
    int64_t left_out;
};

/* The members of clean_report_json, and "train", "dev", "test", "left_out". */
json_t *prepare_report_json(const struct prepare_report *report);

/* All of it, into <folder>/<set>.<suffix>; a set of size 0 has no files.  `folder` is made. */
int corpus_prepare(struct prepare_report *report, const char *folder,
                   const char *source, const char *target, const struct prepare_config *config,
                   struct error *err);

#endif
