#ifndef DECODE_LABEL_INPUT_H
#define DECODE_LABEL_INPUT_H

#include <stdint.h>

#include "base/lines.h"
#include "base/strbuf.h"

struct error;

/* Several text files as one, line after line.  Set
 * paths and the policy first; {0} is valid and empty. */
struct label_input {
    const struct strings *paths;        /* borrowed */
    size_t file;                        /* the one being read */
    enum utf8_policy utf8;              /* for all of them */
    int64_t number;                     /* of the current line, over all files, from 1 */
    struct lines lines;                 /* text, length and number in the file of the current line */
    bool open;
};
int label_input_next(struct label_input *in, struct error *err);        /* 1 a line, 0 the end, -1 */
void label_input_close(struct label_input *in);

#endif
