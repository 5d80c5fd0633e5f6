#ifndef CORPORA_SPOOL_H
#define CORPORA_SPOOL_H

#include <stdio.h>

#include "base/strbuf.h"
#include "corpora/text.h"

struct error;

/* Pairs that wait in a nameless file until something is known about all of them.  {0} is closed.
 *
 *     | key: uint64 | source: uint32 | target: uint32 | mark: uint32 | paired: uint32 | texts | */
struct spool {
    FILE *file;
    char *name;                         /* for messages; the file has none any more */
    size_t count;
    struct strbuf text;
};

struct spooled {
    struct text_pair pair;              /* borrowed until the next call */
    uint64_t key;                       /* these two are the caller's */
    uint32_t mark;
};

int spool_open(struct spool *s, const char *folder, struct error *err);
int spool_add(struct spool *s, const struct spooled *item, struct error *err);
int spool_rewind(struct spool *s, struct error *err);   /* back to the first pair */
int spool_next(struct spool *s, struct spooled *out, struct error *err);    /* 1, 0, -1 */
void spool_close(struct spool *s);

#endif
