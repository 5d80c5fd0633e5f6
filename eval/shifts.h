#ifndef EVAL_SHIFTS_H
#define EVAL_SHIFTS_H

#include <stddef.h>
#include <stdint.h>

/* Edits of translation edit rate: insertions, deletions, substitutions and shifts of runs of
 * words that turn a hypothesis into a reference, searched for as Tercom does and limited as
 * sacreBLEU limits it (runs of 10 words, 50 places, 1,000 candidates, a beam of 25 around the
 * diagonal).  Words are 64-bit hashes. */
struct shifts;
struct shifts *shifts_new(void);                /* scratch memory of one thread */
void shifts_free(struct shifts *s);

size_t shifts_count(struct shifts *s, const uint64_t *hyp, size_t hyp_length,
                    const uint64_t *ref, size_t ref_length);

#endif
