#ifndef CLI_LINE_MAP_H
#define CLI_LINE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/lines.h"

struct error;
struct strbuf;

/* Files of lines to one stream of lines, each line by itself: several threads, the order kept,
 * memory bounded.  `work` appends to out what becomes of a line, without a line end; it may run
 * on any thread.  It returns -1 after describing an error, to which file and line number are
 * added. */
struct line_map {
    const char *const *files;           /* "-" is standard input; none: standard input */
    size_t count;
    enum utf8_policy utf8;
    int threads;                        /* 0: one a core */
    const char *output;                 /* a path, or NULL for standard output */
    int (*work)(void *arg, struct strbuf *out, const char *text, size_t length, int64_t number,
                struct error *err);
    void *arg;
};

/* `number` in work counts the lines of all files from 1 on. */
int line_map_run(const struct line_map *map, struct error *err);

#endif
