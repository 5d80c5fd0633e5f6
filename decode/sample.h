#ifndef DECODE_SAMPLE_H
#define DECODE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

struct candidate;

/* Tokens drawn from a distribution, cut and sharpened as asked.
 *
 *     struct sampler s = { 0 };
 *     struct rng rng;
 *     sample_stream(&rng, seed, line, 0);
 *     int32_t token = sample_token(&s, logp, V, &(struct sampling){ 1, 0, 1 }, &rng);
 *     sampler_release(&s);
 *
 * In this order: the scores are divided by the temperature, the top_k likeliest are kept, of them
 * the nucleus (Holtzman 2020): the fewest, likeliest first, that hold top_p of what is left.  One
 * of these is drawn by its share.  One number of the stream a token, whatever the options. */
struct sampling {
    float temperature;          /* 1: as the model says; less is surer; 0: always the likeliest */
    int top_k;                  /* 0: all; 1: always the likeliest */
    float top_p;                /* 1: all */
};

/* One thread's scratch memory.  {0} is valid and empty. */
struct sampler {
    float *p;                   /* V */
    struct candidate *best;     /* top_k */
    struct sample_choice {
        float p;
        int32_t token;
    } *choices;
    size_t p_room, best_room, choices_room;
};
void sampler_release(struct sampler *s);

/* The token, or -1 when no score of logp (V) is greater than -infinity.  logp need not sum to one;
 * -infinity is never drawn.  Ties in rank go to the lower token. */
int32_t sample_token(struct sampler *s, const float *logp, int V, const struct sampling *how,
                     struct rng *rng);

/* The random numbers of one sample (0 … SAMPLES_MOST-1) of one line: the same ones whatever else
 * is drawn, in whichever order or batch. */
enum { SAMPLES_MOST = 1024 };
void sample_stream(struct rng *rng, uint64_t seed, int64_t line, int number);

#endif
