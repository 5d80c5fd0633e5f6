#ifndef CORPORA_CHECK_H
#define CORPORA_CHECK_H

#include <jansson.h>

#include "base/strbuf.h"
#include "corpora/import.h"

struct error;

/* What is wrong with a corpus, before anything is trained on it: a row of `checks` each. */
struct check_config {
    struct import_config import;
    int max_words, max_word_length;
    float max_ratio, min_script, min_numbers;
    bool identify_language, strict;
    float tolerate;                     /* share of lines that may be found, check by check */
    struct strings against;             /* texts of held-out sets, in the source's language */
    int64_t dedup_memory;               /* bytes; 0: 1 GiB */
    int threads;                        /* 0: one a core */
};
extern const struct option check_options[];

/* Errors make the check fail, warnings only when it is strict. */
enum check_level { CHECK_WARNING, CHECK_ERROR };

/* To add a check: add a row to checks in check.c, with the row of `filters` that finds it, or with
 * what finds it beside. */
struct check {
    const char *name, *summary;
    enum check_level level;
    const char *filter;                 /* NULL: found otherwise */
};
extern const struct check checks[];     /* a row without a name ends it */
#define CHECK_MOST 32
#define CHECK_LINES 5

struct finding {
    int64_t count;
    int64_t lines[CHECK_LINES];         /* the first of them, from 1; 0: no more */
    char *detail;                       /* or NULL; released with the report */
};

struct check_report {
    int64_t lines[2];                   /* of source and target */
    bool paired;
    double correlation;                 /* of the sides' lengths */
    struct finding found[CHECK_MOST];   /* by the row of `checks` */
    bool failed;
};
void check_report_release(struct check_report *r);

/* Findings are no errors: -1 means that the corpus could not be read. */
int corpus_check(struct check_report *out, const char *source, const char *target,
                 const struct check_config *config, struct error *err);

/* {"status": "passed" or "failed", "source_lines": …, "target_lines": …, "correlation": …,
 *  "findings": [{"check": …, "level": …, "count": …, "share": …, "lines": […], "detail": …}]} */
json_t *check_report_json(const struct check_report *r);

#endif
