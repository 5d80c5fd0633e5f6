#ifndef DISTILL_TEST_LINES_H
#define DISTILL_TEST_LINES_H

#include <stdint.h>

#include "base/strbuf.h"
#include "distill/corpus_files.h"

struct error;

/* A corpus's test set, or its dev set, as stages that measure translations read it. */
enum test_set { SET_TEST, SET_DEV };
extern const char *const test_set_names[];      /* for options, in this order */

struct test_lines {
    const struct corpus_set *set;       /* the corpus's */
    struct strings sources, references; /* as many of each */
};

/* The first `lines` of the set; 0: all.  To be released whatever comes of it. */
int test_lines_read(struct test_lines *out, const struct corpus_files *corpus, int set, int64_t lines,
                    struct error *err);
void test_lines_release(struct test_lines *t);

#endif
