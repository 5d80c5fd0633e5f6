#ifndef TOKENIZE_PREPARE_H
#define TOKENIZE_PREPARE_H

#include <stddef.h>

struct model;
struct strbuf;

/* Text as a model's segmenters want it, appended to out: characters mapped by the model's rules,
 * bad UTF-8 replaced byte by byte with U+FFFD, user-defined symbols kept, and, as the model
 * says, white space collapsed and shown as U+2581, one such sign added in front or behind.
 * Byte for byte what SentencePiece 0.1.97's normaliser gives. */
void prepare_text(struct strbuf *out, const struct model *m, const char *text, size_t length);

#endif
