#ifndef DISTILL_KD_H
#define DISTILL_KD_H

#include <stdbool.h>

#include "base/course.h"
#include "base/option.h"
#include "seq2seq/objective.h"
#include "tensor/loss.h"

struct error;
struct objective_needs;

/* Losses that learn from a teacher's distribution at every token:
 *
 *     (1-α) · cross-entropy to gold, smoothed  +  α · [T²] · D(teacher's target at T, student at T)
 *
 * A method says what D is and what becomes of the teacher's distribution before it is a target.
 * On batches of the student's own outputs (batch.sampled) there is no gold, and the teacher's
 * share is the whole. */
enum tail { TAIL_SPREAD, TAIL_RENORMALISE, TAIL_BUCKET };
enum hard_among { POOL_BATCH, POOL_QUEUE };

struct kd_config {
    struct course alpha;            /* the teacher's share */
    struct course label_smoothing;  /* of the gold share */
    struct course skew;             /* β of JSD, λ of the skewed divergences */
    float temperature;              /* divides both models' logits in the teacher's term */
    bool t_squared;                 /* multiply that term by T², which keeps gradients comparable */
    int tail;                       /* enum tail: what becomes of mass outside of the entries */
    int k;                          /* entries kept */
    float similarity;               /* kd-sim: divides the cosines */
    struct course share;            /* selective: of the tokens that the teacher speaks on */
    int pool;                       /* enum hard_among: what a token's loss is compared with */
    int queue;                      /* tokens that the queue holds */
    float sharpen;                  /* air: divides the logits of the student of before */
    int every;                      /* air: updates between two copies of the student; 0: an epoch */
};

/* A row of the student at work; methods change what the mixture says of the teacher. */
struct kd_row {
    const struct kd_config *config;
    struct mixture *mix;            /* all filled in; teacher: q */
    float *q;                       /* (V) the teacher's distribution at T; may be changed */
    int32_t gold;
    int V;
    float *weight;                  /* the row's factor */
    int32_t *id;                    /* room for entries, V of each */
    float *p;
    const int32_t *order, *place;   /* a fixed permutation of 0 … V-1 and its inverse */
    uint64_t seed;                  /* for this row */
};

struct kd_method {
    const char *name;
    enum divergence divergence;
    bool entries;                   /* a stored teacher's few entries serve as they are */
    bool similarity;                /* the target comes from the teacher's embeddings, not its outputs */
    bool selective;                 /* on some of the tokens only */
    bool self;                      /* the teacher is the student as it was some time ago (past_self.h) */
    bool gold_only;                 /* the teacher's distribution is looked at, but no target */
    void (*row)(struct kd_row *row);        /* NULL: the teacher's distribution is the target */
};

/* What a method cannot take: several teachers, or stored soft targets, as it is configured. */
int kd_check(const struct kd_method *method, const struct kd_config *config, int teachers, bool soft, struct error *err);

/* A model that is its own teacher (air) must have been copied before the training is over, or gold alone teaches:
 * whether so many updates will do (0: who knows), and, once it is over, a warning where they did not. */
int kd_self_check(const struct kd_method *method, const struct kd_config *config, int64_t max_updates, struct error *err);
void kd_self_warn(const struct kd_method *method, const struct kd_config *config, int64_t updates, int epochs);

/* Stored targets of which some pieces were drawn: they give the whole distribution on average, in a loss that is
 * linear in it and at its temperature.  `temperature`: the one that is asked for, of the teacher's logits. */
struct kd_drawn {
    const char *where;          /* for the message */
    int pieces;                 /* a token; 0: none */
    float temperature;          /* they were drawn at */
};
int kd_check_drawn(const struct kd_method *method, float temperature, const struct kd_drawn *drawn, struct error *err);
/* What divides the teacher's logits; teacher_temperature as in objective_needs. */
float kd_temperature(const struct kd_config *config, float teacher_temperature);

int objective_kd(struct objective *out, const struct kd_method *method, const struct objective_needs *needs,
                 const struct kd_config *config, struct error *err);

/* Whether student and teachers have the same pieces: word-level targets are numbered by them. */
int kd_same_pieces(const struct objective_needs *needs, struct error *err);

/* A few entries of a distribution as the target of a row: `tail` is the mass of the others. */
void kd_entries(struct mixture *mix, enum tail policy, const int32_t *id, float *p, int count, float tail, int V);
/* The same written out: q (V). */
void kd_dense(float *q, enum tail policy, const int32_t *id, const float *p, int count, float tail, int V);

/* The methods: kd_methods.c. */
extern const struct kd_method kd_words, kd_probability, kd_top, kd_similarity, kd_selective, kd_confidence,
    kd_permuted, kd_double, kd_reverse, kd_jsd, kd_skew, kd_skew_reverse, kd_tvd, kd_self, kd_none;
extern const struct option kd_words_options[], kd_probability_options[], kd_top_options[],
    kd_similarity_options[], kd_selective_options[], kd_confidence_options[], kd_jsd_options[],
    kd_skew_options[], kd_self_options[], kd_none_options[];

#endif
