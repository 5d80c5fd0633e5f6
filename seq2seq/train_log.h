#ifndef SEQ2SEQ_TRAIN_LOG_H
#define SEQ2SEQ_TRAIN_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "seq2seq/tensorboard.h"

struct error;

/* log.jsonl, and TensorBoard's event files beside it: one JSON object a line, each with the number of its update.  Training lines have
 * loss, nll, rate, grad_norm, tokens_per_s, epoch, seconds; validation lines have valid_nll and,
 * where it was decoded, valid_bleu and valid_chrf. */
struct train_log {
    FILE *stream;               /* NULL: nothing is written */
    bool told;                  /* that it cannot be written */
    struct tensorboard events;
};

/* Opens the log of a run; lines beyond update `kept` are dropped (they will be made again). */
int train_log_open(struct train_log *log, const char *folder, int64_t kept, bool events,
                   struct error *err);
void train_log_write(struct train_log *log, json_t *record);    /* takes the reference */
void train_log_close(struct train_log *log);

#endif
