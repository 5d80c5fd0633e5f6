#ifndef TOKENIZE_SEAL_H
#define TOKENIZE_SEAL_H

#include <stddef.h>

struct error;
struct strbuf;

/* SentencePiece models carry no checksum, and most flipped bits give another sound model.  Those that
 * are trained here end with one:
 *
 *     +-------------------------+--------------+----------------------+
 *     | the model               | 82 e8 07 08  | XXH3 of the model    |
 *     +-------------------------+--------------+----------------------+
 *                                 field 16000 of 8 bytes
 *
 * To a reader of protocol buffers that is a field it does not know, among those that are left to
 * extensions, and it passes over it. */
void seal_add(struct strbuf *model);

/* An error when the model is not as it was sealed, or its seal is not; 0 where there is none. */
int seal_check(const void *bytes, size_t length, const char *path, struct error *err);

#endif
