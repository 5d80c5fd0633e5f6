#ifndef DECODE_PREDICT_H
#define DECODE_PREDICT_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct model;

/* What a model says of texts by the head of one of its tasks.
 *
 *     struct prediction *out = xcalloc(n, sizeof *out);
 *     if (predict_lines(out, m, task, lines, n, threads, err) < 0) …
 *     predictions_release(out, n);
 *
 * A line is a text, or two with a tab between; a tagging's words are divided by single spaces.
 * Results do not depend on what other lines are asked for beside it, nor on the threads. */
struct prediction {
    int places;                 /* 1, or a tagging's words */
    int outputs;                /* labels, or 1 */
    float *value;               /* (places,outputs): probabilities; for a number it itself, unscaled */
};

/* Fails on an empty line and on more texts than two, naming `path` and the line; first: the number
 * of the first line. */
int predict_lines(struct prediction *out, const struct model *m, int task, const char *const *lines, size_t n,
                  int threads, const char *path, int64_t first, struct error *err);
void predictions_release(struct prediction *p, size_t n);

/* The likeliest label of a place. */
int prediction_label(const struct prediction *p, int place);

#endif
