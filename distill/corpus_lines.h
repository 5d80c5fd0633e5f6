#ifndef DISTILL_CORPUS_LINES_H
#define DISTILL_CORPUS_LINES_H

#include <stdint.h>

#include "base/lines.h"
#include "distill/corpus_files.h"

/* The pairs of a training set with what stands beside them: the line that each comes from, its
 * weight, and, where gold's targets are given, the gold target of that line.
 *
 *     struct corpus_lines in = { 0 };
 *     if (corpus_lines_open(&in, &corpus, gold_targets, err) < 0) …
 *     while ((more = corpus_lines_next(&in, err)) > 0)
 *         use(in.source.text, in.target.text, in.gold.text, in.line, in.weight);
 *     corpus_lines_close(&in);
 */
struct corpus_lines {
    struct lines source, target, gold;  /* gold: open where its path was given */
    int64_t number, line;               /* of the pair and of what it comes from, from 1 */
    double weight;                      /* 1 where the corpus has no weights */
    struct lines lines, weights;
};
int corpus_lines_open(struct corpus_lines *in, const struct corpus_files *corpus, const char *gold_targets,
                      struct error *err);
int corpus_lines_next(struct corpus_lines *in, struct error *err);      /* 1, 0 the end, -1 */
void corpus_lines_close(struct corpus_lines *in);                       /* harmless on {0} */

/* The weights of all pairs, the caller's; NULL where all count alike, or with an error set (-1). */
int corpus_weights_read(float **out, const struct corpus_files *corpus, int64_t pairs, struct error *err);

#endif
