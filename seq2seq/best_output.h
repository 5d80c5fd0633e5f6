#ifndef SEQ2SEQ_BEST_OUTPUT_H
#define SEQ2SEQ_BEST_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

struct barred;
struct model;

/* The likeliest token after each row without the logits of all: an int8 product tells, within a bound, which
 * few can be it, and only those are computed in the model's own numbers.  The answer is the one that all
 * logits would give.
 *
 * What the models' threads share, made when it is first needed. */
struct screen;
struct screen *screen_new(void);
void screen_free(struct screen *s);

/* One stepper's working memory; {.m = model} is valid.  The model must have a screen. */
struct best_output {
    const struct model *m;
    float *tops, *bias;
    size_t tops_room;
};
void best_output_release(struct best_output *o);

/* hidden (rows,dim); as `best` of seq2seq/stepper.h. */
void best_output(struct best_output *o, int32_t *best, const float *hidden, int rows, const struct barred *barred);

#endif
