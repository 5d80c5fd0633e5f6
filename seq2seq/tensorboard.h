#ifndef SEQ2SEQ_TENSORBOARD_H
#define SEQ2SEQ_TENSORBOARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/strbuf.h"

/* Event files for TensorBoard: what log.jsonl says, as scalars.  "valid_bleu" becomes the tag
 * valid/bleu, "loss" becomes train/loss; the step is the update. */
struct tensorboard {
    FILE *stream;
    bool told;                  /* that it cannot be written */
};

/* A new file in the folder.  After a resume TensorBoard forgets what earlier files said of updates
 * beyond `kept`.  A file that cannot be made is a warning. */
void tensorboard_open(struct tensorboard *t, const char *folder, int64_t kept);
void tensorboard_write(struct tensorboard *t, const json_t *record);
void tensorboard_close(struct tensorboard *t);

/* The pieces, which tests compare with another writer's. */
void tfrecord_add(struct strbuf *out, const struct strbuf *message);
void event_version(struct strbuf *out, double wall_time);
void event_start(struct strbuf *out, double wall_time, int64_t step);
void event_scalars(struct strbuf *out, double wall_time, const json_t *record);

#endif
