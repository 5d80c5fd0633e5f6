#ifndef TOKENIZE_NORMALIZE_H
#define TOKENIZE_NORMALIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/option.h"

struct strbuf;

/* Unicode normalisation of a line, each step a switch, in this order:
 *
 *   nfc, nfkc        canonical composition; with nfkc compatibility characters are folded too
 *   remove_control   control characters (category Cc) and U+FEFF go; those that are white space
 *                    (tab, line feed, form feed, U+0085 …) become a space
 *   collapse_space   each run of white space becomes one space
 *   trim_space       no white space at either end
 *
 * White space is Unicode's: categories Zs, Zl and Zp, U+0009 … U+000D and U+0085.  Bytes that are
 * not UTF-8 stay as they are, between the text on either side. */
struct normalize_config {
    bool nfc, nfkc, remove_control, collapse_space, trim_space;
};
extern const struct option normalize_options[];

/* Appends the normalised text. */
void normalize_text(struct strbuf *out, const struct normalize_config *config,
                    const char *text, size_t length);

/* Whether any switch is on. */
bool normalize_wanted(const struct normalize_config *config);

#endif
