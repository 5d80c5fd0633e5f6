#ifndef EVAL_SEGMENTS_H
#define EVAL_SEGMENTS_H

#include <stdbool.h>

#include "base/lines.h"
#include "base/strbuf.h"
#include "eval/text.h"

struct error;

/* How the bytes of a file are text; {0} is UTF-8 and nothing else. */
struct encoding {
    const char *name;           /* as of Python or iconv; NULL: UTF-8 */
    enum utf8_policy bad;
};

/* Segments to score: the lines of a file, white space at their ends taken off.  Lines may hold
 * several columns divided by tabs: references, or systems.  {0} is valid and empty. */
struct segments {
    struct text *items;         /* (columns, count): column after column */
    size_t count;
    int columns;
    bool marked;                /* the file began with a byte order mark; the first segment keeps it */
    struct strbuf bytes;
};

/* columns 0: as many as the first line has.  columns 1: tabs are text.  A line with fewer columns
 * is an error; of more, the last column takes the rest, but with columns 0 that is an error too.
 * A file without lines is an error. */
int segments_load(struct segments *out, const char *path, int columns, struct encoding encoding,
                  struct error *err);
void segments_release(struct segments *s);

#endif
