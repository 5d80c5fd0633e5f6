#ifndef CORPORA_XML_UNITS_H
#define CORPORA_XML_UNITS_H

#include <expat.h>

#include "base/bytes.h"
#include "corpora/pair_queue.h"

struct error;

/* Translation units out of an XML file that is read as a stream, in memory that does not grow
 * with it.  The format's handlers say what is a unit:
 *
 *     start, end     are called with the element's name, without its prefix; `depth` is that of
 *                    the element, 1 for the root
 *     into           the side, 0 or 1, that text now goes to; -1: none
 *     skip           above 0 text is left out: raised and lowered by the handlers
 *     xml_units_emit makes the sides a pair, and empties them
 *
 * UTF-8, UTF-16 and the encodings of one byte a character that iconv knows are read. */
struct xml_units {
    void (*start)(struct xml_units *x, const char *name, const char **attributes);
    void (*end)(struct xml_units *x, const char *name);
    struct bytes in;
    XML_Parser parser;
    struct pair_queue queue;
    struct strbuf side[2];
    bool present[2];
    int into, skip, depth;
    bool at_end;
};

/* start and end are set before.  On failure there is nothing to close. */
int xml_units_open(struct xml_units *x, const char *path, struct error *err);
int xml_units_next(struct xml_units *x, struct text_pair *out, struct error *err);  /* 1, 0, -1 */
void xml_units_close(struct xml_units *x);

void xml_units_clear(struct xml_units *x);              /* empties both sides */
void xml_units_emit(struct xml_units *x);
const char *xml_attribute(const char **attributes, const char *name);   /* NULL: absent */

#endif
