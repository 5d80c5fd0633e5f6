#ifndef SEQ2SEQ_TRAIN_H
#define SEQ2SEQ_TRAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"
#include "corpora/batch.h"
#include "seq2seq/model.h"
#include "seq2seq/objective.h"

struct error;
struct team;

enum schedule { SCHEDULE_INVERSE_SQRT, SCHEDULE_PLATEAU, SCHEDULE_CONSTANT, SCHEDULE_LINEAR };
enum gradient_type { GRADIENTS_FP32, GRADIENTS_BF16 };
enum average_of { AVERAGE_LAST, AVERAGE_BEST };

/* How a model is trained.  A limit of 0 is none; at least one limit must be set. */
struct train_config {
    int threads;                /* workers; 0: one a core */
    int64_t seed;
    float learning_rate;
    int schedule;               /* enum schedule */
    int warmup;                 /* updates of linear warm-up */
    float plateau_factor;       /* plateau: multiply the rate after a validation without gain */
    float adam_beta1, adam_beta2, adam_epsilon;
    float weight_decay;         /* decoupled (AdamW) */
    bool keep_zeros;            /* weights of matrices that are zero at the start stay so (prune.h) */
    float layer_decay;          /* of the rate, a layer from the top down (layer_rates.h); 1: none */
    float clip_norm;            /* 0: none */
    int accumulate;             /* batches an update */
    float ema;                  /* decay of the weights' exponential moving average; 0: none */
    int average;                /* final weights are the mean of the last (or best) K checkpoints */
    int average_of;             /* enum average_of: the last K or the best K */
    int64_t max_updates;
    int max_epochs;
    int64_t max_seconds;        /* of training, across resumes */
    int validate_every;         /* updates; 0: each epoch */
    int save_every;             /* updates between checkpoints; 0: at validations */
    int log_every;              /* updates between lines of the log */
    char *metric;               /* "nll" or one of the validator's: picks the best weights, stops early */
    int patience;               /* validations without gain before stopping; 0: never */
    bool validate_decode;       /* BLEU and chrF by greedy decoding at each validation */
    int keep_checkpoints;       /* resumable checkpoints kept */
    int keep_models;            /* of the last validations, models that stay (kept_models.h) */
    int bad_updates;            /* whose loss or gradient is not finite, in a row, before giving up */
    float bad_factor;           /* of the rate after each; it comes back after good ones */
    bool quantize_aware;        /* passes see the weights rounded to int8; gradients go straight through */
    int gradient_type;          /* enum gradient_type: what travels between processes */
    bool tensorboard;           /* event files beside the log */
    int micro_tokens;           /* target tokens that a worker takes at a time; 0: chosen */
    int64_t memory;             /* bytes that training may take; 0: as many as it does */
    int precision;              /* enum precision (tensor/product.h) */
    bool resume;
};
extern const struct option train_options[];

/* Validation by decoding, handed in from above so that training knows no search. */
struct decode_scores {
    double bleu, chrf;
    double chosen;              /* by the metric that was chosen, if any */
    json_t *others;             /* further figures for the log, the caller's; NULL: none */
};
struct validator {
    void *state;
    /* Measures by this metric too, from now on; *falls: less is better.  NULL: there are only
     * bleu and chrf. */
    int (*choose)(void *state, const char *metric, bool *falls, struct error *err);
    int (*decode)(void *state, const struct model *m, int threads, struct decode_scores *scores,
                  struct error *err);
};

struct train_data {
    struct batch_source *train;
    struct batch_source *dev;           /* unshuffled; NULL: no validation */
    const struct validator *validator;  /* NULL: no decoding */
    struct team *team;                  /* of processes (base/team.h); NULL: alone */
};

struct train_report {
    int64_t updates, target_tokens;
    int epochs;
    double seconds;                     /* of training; validation and saving not counted */
    double wall_seconds;
    double dev_nll, dev_bleu, dev_chrf; /* of the weights that were kept; NAN: not measured */
    int64_t best_update;
    const char *why;                    /* what ended it: "max-updates", "patience", … */
    bool interrupted;                   /* a signal: saved, to be resumed */
};

/* Trains m in place and leaves in `folder`: the model itself (best or averaged weights),
 * log.jsonl (one object a line) and checkpoints/.  With config->resume it goes on from the newest
 * checkpoint where there is one; without, a folder with checkpoints is refused.  A signal
 * (base/interrupt.h) makes it save and return.  Progress on standard error.
 *
 * In a team every rank calls this with the same arguments; each trains on its share of every batch,
 * and only rank 0 writes and is left with the final weights. */
int train_model(struct model *m, const struct objective *objective, const struct train_data *data,
                const struct train_config *config, const char *folder,
                struct train_report *report, struct error *err);

/* Whether some limit ends it. */
int train_ends(const struct train_config *config, struct error *err);

/* Whether keep-zeros has a model to start from, whose zeros they are. */
int train_start_check(const struct train_config *config, bool start, struct error *err);

/* The first option that asks for a validation corpus, or for one that is decoded, where there is none; NULL: none does. */
const char *train_wants_dev(const struct train_config *config, bool dev, bool decoding);

/* What would make train_model refuse at once, to be told before the data is read.  `dev`: there is
 * a development set; `decoding`: a validator. */
int train_check(const struct train_config *config, const char *folder, bool dev, bool decoding,
                struct error *err);

/* Label-smoothed cross-entropy: (1-ε)·gold + ε/V; of sampled batches without ε.  The plain objective of `coho train`. */
struct objective objective_cross_entropy(float label_smoothing);

#endif
