#ifndef CORPORA_CATALOGUE_H
#define CORPORA_CATALOGUE_H

#include "base/lines.h"
#include "base/charset.h"
#include "corpora/pair_queue.h"

/* What the formats of gettext have in common: PO files are text, MO files are made of them. */
struct catalogue {
    struct charset charset;
    enum utf8_policy utf8;
    int64_t repaired;
    struct strbuf side[2];              /* scratch */
    struct pair_queue queue;
};

/* Takes the encoding from the header, the translation of "". */
int catalogue_header(struct catalogue *c, struct text header, struct error *err);

/* A message and its translation, in the catalogue's encoding; `where` begins the message when it is
 * not in that encoding: "x.po:12". */
int catalogue_add(struct catalogue *c, struct text source, struct text target, const char *where,
                  struct error *err);
void catalogue_release(struct catalogue *c);

#endif
