#ifndef CORPORA_MIXING_H
#define CORPORA_MIXING_H

#include "base/option.h"
#include "base/strbuf.h"
#include "corpora/batching.h"

struct error;
struct store;

/* How a training draws from several corpora of the same kind: as the weights say, which are shares of
 * its sentences and may change over the training (base/course.h); without them a corpus of n sentences
 * gets a share ∝ n^(1 / temperature), as multilingual models are trained (Arivazhagan et al. 2019,
 * section 4.1): at 1 every corpus as often as the others, and the higher, the more of the small ones.
 *
 * A small corpus that is drawn often begins its next epoch when it comes to its end. */
struct mixing_config {
    struct strings weights;             /* a course for each corpus; none: by temperature */
    float temperature;
};
extern const struct option mixing_options[];

/* Whether the weights are courses, one for each of `count` corpora. */
int mixing_check(const struct mixing_config *config, size_t count, struct error *err);

/* About how many sentences a batch of the store holds, its targets being labels or not. */
double mixing_batch_sentences(const struct store *store, const struct batching_config *config);

/* One source of `count` of them, which become its own; on failure they stay the caller's.  Each was
 * opened from its store with this batching. */
int mixing_open(struct batch_source *out, const struct batch_source *parts, struct store *const *stores,
                size_t count, const struct mixing_config *config, const struct batching_config *batching,
                struct error *err);

#endif
