#ifndef CORPORA_DUPLICATES_H
#define CORPORA_DUPLICATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Which pairs came before, in bounded memory however many there are.
 *
 * Keys are kept in a table until it has grown to the limit.  From then on a pair whose keys are not in
 * the table cannot be judged at once: it waits, and its keys go to files, divided by their leading
 * bits.  duplicates_finish takes the files one by one, after which a bit for each waiting pair tells.
 * A pair is a duplicate when one of its keys was seen with any earlier pair, so the answer does
 * not depend on the limit. */
#define DEDUP_FILES 64

enum dedup_answer { DEDUP_FRESH, DEDUP_SEEN, DEDUP_WAITS };

struct duplicates;
/* `limit` in bytes; files go, nameless, to `folder`. */
struct duplicates *duplicates_new(int64_t limit, const char *folder);
void duplicates_free(struct duplicates *d);

void duplicates_prefetch(const struct duplicates *d, uint64_t key);     /* which is soon added */
/* *which: the first key that is known to have been seen; with files there may be an earlier one. */
int duplicates_add(struct duplicates *d, const uint64_t *keys, int count, int *which, struct error *err);

/* No more pairs come. */
int duplicates_finish(struct duplicates *d, struct error *err);
size_t duplicates_waiting(const struct duplicates *d);
/* Of the i-th waiting pair, from 0: DEDUP_FRESH or DEDUP_SEEN. */
enum dedup_answer duplicates_verdict(const struct duplicates *d, size_t i, int *which);

#endif
