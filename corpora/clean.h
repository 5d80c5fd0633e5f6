#ifndef CORPORA_CLEAN_H
#define CORPORA_CLEAN_H

#include <jansson.h>

#include "base/log.h"
#include "corpora/filter.h"
#include "corpora/hash_set.h"
#include "corpora/import.h"

struct error;

/* The pairs of a corpus that survive the filters, without duplicates, as a stream:
 *
 *     import ──▶ filters ──▶ duplicates ──▶
 *
 *     struct cleaner cleaner;
 *     if (cleaner_open(&cleaner, "c.en.gz", "c.de.gz", &config, err) < 0) return -1;
 *     while ((more = cleaner_next(&cleaner, &pair, err)) > 0)
 *         use(pair.source, pair.target);
 *     report = cleaner.report;
 *     cleaner_close(&cleaner);
 *
 * Pairs keep their order.  Memory stays at some 20 bytes a pair that is kept, for duplicates. */
struct clean_config {
    struct import_config import;
    struct filter_config filter;
    int dedup;                          /* enum dedup */
};
extern const struct option dedup_options[];         /* fill a struct clean_config */

/* Of pairs that are the same (all of them, or their sources, or their targets), the first stays. */
enum dedup { DEDUP_NONE, DEDUP_PAIR, DEDUP_SOURCE, DEDUP_TARGET };

struct clean_report {
    int64_t read;                       /* pairs that were imported */
    int64_t dropped[FILTER_MOST];       /* by the row of `filters` */
    int64_t duplicates;
    int64_t kept;
    int64_t repaired;                   /* lines that were not UTF-8; known at the end */
};

/* {"read": …, "dropped": {"empty": …, …}, "duplicates": …, "kept": …, "repaired": …} */
json_t *clean_report_json(const struct clean_report *report);

struct cleaner {
    const struct clean_config *config;
    const char *source, *target;        /* borrowed */
    struct import *in;
    struct hash_set seen;
    struct clean_report report;
    struct progress progress;
};

int cleaner_open(struct cleaner *c, const char *source, const char *target,
                 const struct clean_config *config, struct error *err);
/* 1 a pair, borrowed until the next call; 0 the end; -1 an error.  That none is left is one. */
int cleaner_next(struct cleaner *c, struct text_pair *out, struct error *err);
void cleaner_close(struct cleaner *c);

/* The stream into two line-aligned files, which appear whole or not at all. */
int corpus_clean(struct clean_report *report, const char *source_out, const char *target_out,
                 const char *source, const char *target, const struct clean_config *config,
                 struct error *err);

#endif
