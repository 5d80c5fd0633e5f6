#ifndef CORPORA_PREPARE_H
#define CORPORA_PREPARE_H

#include "corpora/clean.h"
#include "corpora/split.h"

/* Raw text to training data:
 *
 *     import, filters, duplicates (corpora/clean.h) ──▶ split ──▶ train.src train.trg dev.src … test.trg
 *
 * The option groups are import_options, filter_options, dedup_options and split_options; the
 * languages of the import are the files' suffixes.  Memory stays at 8 bytes a pair beside what cleaning takes.  Pairs keep their order.  Files appear
 * whole, when all went well, or not at all. */
struct prepare_config {
    struct clean_config clean;
    struct split_config split;
};

struct prepare_report {
    struct clean_report clean;
    int64_t sets[SPLIT_SETS];           /* pairs, by enum split_set */
    int64_t left_out;
};

/* The members of clean_report_json, and "train", "dev", "test", "left_out". */
json_t *prepare_report_json(const struct prepare_report *report);

/* All of it, into <folder>/<set>.<suffix>; a set of size 0 has no files, and monolingual text those
 * of its side alone.  `folder` is made. */
int corpus_prepare(struct prepare_report *report, const char *folder,
                   const char *source, const char *target, const struct prepare_config *config,
                   struct error *err);

#endif
