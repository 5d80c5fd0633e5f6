#ifndef SEQ2SEQ_TEACHER_H
#define SEQ2SEQ_TEACHER_H

#include <stdint.h>

struct batch;
struct batch_source;
struct error;
struct model;

/* One model or several as one teacher of whole sentences: the distribution over the vocabulary at
 * every target token of a batch, the tokens before it given, without dropout.  Architectures and
 * sizes may differ; vocabularies may not.
 *
 *     struct teacher *t = teacher_new(models, count, &(struct teacher_config){ .temperature = 1 }, err);
 *     struct teacher_worker *w = teacher_worker_new(t);       // one a thread
 *     teacher_begin(w, batch);
 *     teacher_rows(w, q, 0, batch->target_tokens);            // or a chunk after another
 *     teacher_worker_free(w);
 *     teacher_free(t);
 */
enum average {
    AVERAGE_PROBABILITY,        /* arithmetic mean of the probabilities: Σ w q */
    AVERAGE_LOG                 /* geometric mean, made to sum to one again: ∝ Π q^w */
};

struct teacher_config {
    enum average average;
    float temperature;          /* divides each model's logits; 1: none */
    const float *weight;        /* one a model, made to sum to 1; NULL: equal ones */
    const char *task;           /* of models with several: which to speak on; NULL: translation */
};

struct teacher;
struct teacher *teacher_new(const struct model *const *models, int count,
                            const struct teacher_config *config, struct error *err);
                            /* models are borrowed; NULL: refused, telling which differs in what */
void teacher_free(struct teacher *t);
int teacher_vocab(const struct teacher *t);             /* V, or how many labels the task has */
float teacher_temperature(const struct teacher *t);
int teacher_max_length(const struct teacher *t);        /* the shortest limit of its models; 0: none */
/* Of all weights, their shares, the average and the temperature. */
uint64_t teacher_fingerprint(const struct teacher *t);

struct teacher_worker;
struct teacher_worker *teacher_worker_new(const struct teacher *t);
void teacher_worker_free(struct teacher_worker *w);
void teacher_begin(struct teacher_worker *w, const struct batch *b);
/* q (rows,V) = the distributions at the batch's target tokens first … first+rows-1; of a task that
 * is a number, q (rows,1) = that number as its head gives it. */
void teacher_rows(struct teacher_worker *w, float *q, int first, int rows);

/* logp (rows,count) = log-probabilities of target[0 … rows-1] at the batch's target tokens first …, with
 * the models' logits divided by each of temperature (count) in the place of the teacher's own. */
void teacher_gold(struct teacher_worker *w, double *logp, const float *temperature, int count,
                  const int32_t *target, int first, int rows);

/* Mean NLL a target token on a batch source, one pass: model_nll of several models. */
int teacher_nll(const struct teacher *t, struct batch_source *data, int threads, double *nll, struct error *err);

/* The same at several temperatures in the place of the teacher's own: nll (count), in one pass. */
int teacher_nll_at(const struct teacher *t, struct batch_source *data, const float *temperature, int count,
                   int threads, double *nll, struct error *err);

/* The temperature, 1/16 … 16, at which the NLL on the data is least (Guo et al. 2017, section 4.2), to a
 * thousandth of itself; a few passes. */
struct teacher_fit {
    float temperature;
    double nll, nll_unfitted;   /* at it, and at 1 */
};
int teacher_fit(struct teacher_fit *out, const struct teacher *t, struct batch_source *data, int threads,
                struct error *err);

/* Weights that sum to 1, into share (count); refuses what is not positive.  weight NULL: equal. */
int teacher_shares(float *share, const float *weight, int count, struct error *err);

/* Whether two models can speak as one: same vocabularies on both sides; `number` is the second
 * one's, counted from 1, for the message. */
int teacher_same_vocab(const struct model *first, const struct model *other, int number, struct error *err);

#endif
