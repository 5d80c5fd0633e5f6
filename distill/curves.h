#ifndef DISTILL_CURVES_H
#define DISTILL_CURVES_H

#include <stddef.h>

struct error;

/* The validations of a training run, out of its log.jsonl.  NAN: not measured. */
struct curve {
    double *update, *seconds, *nll, *bleu;
    size_t count;
};

/* An absent log gives an empty curve; a last line cut off by a crash is ignored. */
int curve_read(struct curve *out, const char *folder, struct error *err);
void curve_release(struct curve *c);

#endif
