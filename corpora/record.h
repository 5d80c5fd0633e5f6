#ifndef CORPORA_RECORD_H
#define CORPORA_RECORD_H

#include "base/lines.h"
#include "base/strbuf.h"
#include "corpora/text.h"

struct error;

/* Rows of fields out of a text file: divided by a separator, and in the manner of CSV (RFC 4180)
 * where `quoted`: a field in "…" may hold separators, line ends (which become spaces) and "" for
 * a quotation mark.  {0} with `separator` and `quoted` set is ready to be opened. */
struct record {
    struct lines in;
    char separator;
    bool quoted;
    int64_t line;                       /* where the row began */
    struct strbuf text;
    size_t *ends;                       /* of each field in `text` */
    size_t count, room;
};

int record_open(struct record *r, const char *path, struct error *err);
int record_next(struct record *r, struct error *err);           /* 1, 0, -1 */
struct text record_field(const struct record *r, size_t i);     /* borrowed until the next row */
void record_close(struct record *r);

#endif
