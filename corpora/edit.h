#ifndef CORPORA_EDIT_H
#define CORPORA_EDIT_H

#include "base/option.h"
#include "base/strbuf.h"
#include "corpora/text.h"

/* What is mended in a text before it is judged: a row of `edits` each, all off by default. */
struct edit_config {
    bool fix_unicode, fix_quotes, detokenize;
};
extern const struct option edit_options[];

/* To add an edit: add its option to edit_options and a row to edits, both in edit.c. */
struct edit {
    const char *name, *summary;
    bool (*wanted)(const struct edit_config *config);
    /* Appends the text as it should be; false: it is so already, and nothing was appended. */
    bool (*apply)(struct strbuf *out, struct text t);
};
extern const struct edit edits[];               /* a row without a name ends it */
#define EDIT_MOST 8

bool edits_wanted(const struct edit_config *config);

/* All wanted edits, one on the other; bit i of the result: row i changed the text.  *out, which may
 * point to the result in `scratch`, is borrowed until the next call. */
unsigned edits_apply(struct text *out, struct strbuf scratch[2], struct text t,
                     const struct edit_config *config);

#endif
