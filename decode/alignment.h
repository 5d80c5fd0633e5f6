#ifndef DECODE_ALIGNMENT_H
#define DECODE_ALIGNMENT_H

#include <stdint.h>

struct hypothesis;
struct strbuf;
struct tokenizer;

/* Which source token each target token comes from, read off the attention that a search kept
 * (search_config.watched): the one that it looked at most, </s> apart.
 *
 *     alignment_append(&text, ALIGN_WORDS, h, t->source, source_tokenizer, target_tokenizer);
 *
 * appends "0-0 1-2 2-1" (Pharaoh's format: source-target, from 0, in the order of the target).
 * Words are runs of pieces that begin with one that has SentencePiece's sign of a space; a word
 * looks as its pieces do together.  A source without tokens has no links. */
enum align { ALIGN_NONE, ALIGN_PIECES, ALIGN_WORDS };
extern const char *const align_names[];         /* in this order */

/* source: h->source_count - 1 ids; the tokenizers are asked for words only. */
void alignment_append(struct strbuf *out, enum align kind, const struct hypothesis *h,
                      const int32_t *source, const struct tokenizer *source_tokenizer,
                      const struct tokenizer *target_tokenizer);

#endif
