#ifndef DECODE_SCORE_H
#define DECODE_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "decode/translate.h"

struct error;
struct pairs;

/* The probabilities that a decoder's models give to translations that exist already.
 *
 *     decoder_score(d, out, sources, targets, n, err);
 *     perplexity = exp(-out[i].best[0].logp / (out[i].best[0].count + 1));
 *
 * out[i].best[0] holds the target's ids, each token's log-probability (that of </s> last), their
 * sum, and the score by which a search with the decoder's length penalty would rank it; its text
 * stays NULL.  An empty side is no exception: the model sees </s> alone.  The target has
 * max_source as its limit too: longer pairs are cut, marked by cut_tokens (of both sides
 * together), or refused.  A single model takes whole sentences at a time; an ensemble steps. */
int decoder_score(struct decoder *d, struct translation *out, const char *const *sources,
                  const char *const *targets, size_t n, struct error *err);

/* Two files side by side, a window at a time, with the pairs' numbers from 1. */
int decoder_score_stream(struct decoder *d, struct pairs *in,
                         int (*write)(void *arg, const struct translation *t, int64_t number,
                                      struct error *err),
                         void *arg, struct error *err);

/* Translations that begin as given: the rest is searched for.  An empty target asks for nothing. */
int decoder_continue(struct decoder *d, struct translation *out, const char *const *sources,
                     const char *const *targets, size_t n, struct error *err);
int decoder_continue_stream(struct decoder *d, struct pairs *in,
                            int (*write)(void *arg, const struct translation *t, int64_t number,
                                         struct error *err),
                            void *arg, struct error *err);

#endif
