#ifndef SEQ2SEQ_TRAIN_LOOP_H
#define SEQ2SEQ_TRAIN_LOOP_H

#include "base/team.h"
#include "seq2seq/checkpoint.h"
#include "seq2seq/exchange.h"
#include "seq2seq/prune.h"
#include "seq2seq/train.h"
#include "seq2seq/train_log.h"
#include "seq2seq/workers.h"
#include "tensor/adam.h"

/* What the files of the training loop share: train.c runs it, train_save.c writes and reads its
 * checkpoints, train_same.c tells whether one is of the same training, train_update.c makes an update,
 * train_team.c joins processes, train_validate.c measures, keeps the best weights and averages. */
#define MAX_SNAPSHOTS 1000

struct snapshot {
    int64_t update;
    double score;               /* larger is better */
};

/* What a checkpoint must restore beside the blocks. */
struct progress_state {
    int64_t update, target_tokens, bad_updates;
    int epoch, without_gain, bad_in_a_row, good_in_a_row;
    double brake;               /* on the learning rate, after updates that were not finite; 1: none */
    bool validation_due;        /* it was interrupted */
    double seconds, plateau, best_score;
    int64_t best_update;
    double best_nll, best_bleu, best_chrf;
    double last_nll;            /* of the dev set, at the validation before … */
    int rises;                  /* … and how often it was higher than that */
    struct snapshot snapshots[MAX_SNAPSHOTS];
    int snapshot_count;
};

struct loop {
    struct model *m;
    const struct objective *objective;
    const struct train_data *data;
    const struct train_config *config;
    const char *folder;
    struct adam_config adam_config;
    struct adam adam;
    struct zeros *zeros;        /* weights that stay zero; NULL: none do */
    struct pool *pool;
    struct workers *workers;
    struct train_log log;
    struct batch batch;
    struct progress_state s;
    bool metric_falls;          /* of the metric that picks, less is better */
    float *rounded;             /* the weights that passes see when they learn to be int8; else NULL */
    float *unsaved;             /* the best weights while they cannot be written; NULL usually */
    json_t *mark;               /* where the update began, when it may be stopped in its middle */
    /* in a team of processes */
    struct exchange *exchange;  /* of gradients; NULL: alone */
    struct batch whole;         /* a batch of which ours is a share … */
    bool cuts;                  /* … where the source gives whole ones */
    int first_worker, all_workers;
    bool stopping;              /* agreed: a signal came to one of us */
    double team_seconds;        /* rank 0's clock at the last update */
    double update_seconds;      /* that the last one took, by the same clock; 0: none yet */
    int64_t saved_update;       /* of the newest checkpoint */
    double started;             /* when the clock of training last started */
    struct loss_sums since_log;
    double log_seconds, shown_rate, shown_loss;
    json_t *others;             /* further figures of the validation at work; NULL: none */
    const char *why;
};

/* The share of training done by the limit that is nearest, 0 … 1. */
double loop_progress(const struct loop *l);

/* The next batch; at the end of an epoch *ended is set and there is none.  loop_mark comes before
 * the first batch of an update. */
void loop_mark(struct loop *l);
int loop_fetch(struct loop *l, bool *ended, struct error *err);
/* One update from the fetched batch and, when accumulating, those after it.  A signal in the middle
 * of a long one leaves everything as it was before loop_mark. */
int loop_update(struct loop *l, struct error *err);

/* ---- teams: train_team.c ---- */
bool loop_leads(const struct loop *l);          /* rank 0, which writes */
bool loop_stopping(const struct loop *l);       /* after a signal, here or at another rank */
double loop_clock(const struct loop *l);        /* loop_seconds, the same on all ranks */
int loop_team_open(struct loop *l, struct error *err);
/* The end of the gradients of an update: `ret` tells how they went on this rank; returned is -1 where
 * they failed on any, else 1 where a signal stopped them on any; *sums become those of all. */
int loop_team_sums(struct loop *l, int ret, struct loss_sums *sums, struct error *err);
json_t *loop_objective_save(const struct loop *l);
int loop_objective_restore(struct loop *l, const json_t *all, struct error *err);
void loop_team_blocks(struct loop *l);          /* weights and moments: rank 0's to all */
void loop_team_same_weights(struct loop *l);
/* What rank 0 loaded, to all; `ret` tells how that went. */
int loop_team_state(struct loop *l, int ret, json_t **state, struct error *err);

/* The clock of training stands still while validating and saving. */
double loop_seconds(const struct loop *l);
void loop_clock_stop(struct loop *l);
void loop_clock_start(struct loop *l);

/* JSON has no NaN. */
json_t *real_or_null(double x);

/* The blocks that a checkpoint holds. */
struct checkpoint loop_checkpoint(struct loop *l);
/* Saves a checkpoint unless this update has one.  With err NULL a failure (a full disk) is a
 * warning and training goes on. */
int loop_save(struct loop *l, struct error *err);
/* Goes on from the newest checkpoint where there is one. */
int loop_resume(struct loop *l, struct error *err);

/* What makes this training the one that it is, for checkpoints.  loop_identity_check compares with
 * that of a checkpoint, NULL where it has none: refuses where the best weights so far were
 * `measured` by other means, and warns of other options. */
json_t *loop_identity(const struct loop *l);
int loop_identity_check(const struct loop *l, const json_t *then, bool measured, struct error *err);

/* The weights that are validated and kept, the moving average where there is one, change places
 * with those that are trained. */
void loop_swap_weights(struct loop *l);
/* Has the validator measure what picks the best weights. */
int loop_choose_metric(struct loop *l, struct error *err);
/* Measures; keeps the model in its folder when it is the best so far, and a snapshot to average. */
int loop_validate(struct loop *l, struct error *err);
/* The best weights so far into the model. */
int loop_best_weights(struct loop *l, struct error *err);
/* Writes the best weights if they could not be written when they were found. */
void loop_retry_best(struct loop *l);
/* The mean of the snapshots where it is no worse than the best single weights, else those. */
int loop_average(struct loop *l, struct error *err);

#endif
