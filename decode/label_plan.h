#ifndef DECODE_LABEL_PLAN_H
#define DECODE_LABEL_PLAN_H

#include <jansson.h>
#include <stdint.h>

#include "base/hash.h"

struct error;
struct label_folder;
struct label_job;

/* What a labelling job is, in <folder>/job.json: the input, shard by shard, and all that the
 * labels depend on.  Whoever comes first reads the whole input once and writes it; later processes
 * read it, and refuse to go on with anything else. */
struct label_plan {
    int64_t lines, shard_lines, shards;
    uint64_t *input;            /* a hash of each shard's lines */
    uint64_t *target;           /* and of the given translations; NULL: there are none */
    json_t *about;              /* what labels: models, options */
    json_t *names;              /* what people call the models and the files; these may change */
    char fingerprint[HASH_TEXT];        /* of all this */
    double source_tokens, target_tokens;        /* a line, from a sample; 0: unknown */
    int max_source;             /* tokens of a source that are read: no more than the first process's memory
                                 * had room for, whatever later ones have */
};
int label_plan_make(struct label_plan *plan, const struct label_job *job, const struct label_folder *folder,
                    struct error *err);
/* As it was written; the inputs' names are in *inputs (the caller's), which may be NULL. */
int label_plan_read(struct label_plan *plan, json_t **inputs, const struct label_folder *folder,
                    struct error *err);
void label_plan_release(struct label_plan *plan);

/* The shards first … end-1 are those of a share. */
void label_plan_share(const struct label_plan *plan, int share, int shares, int64_t *first, int64_t *end);
int64_t label_plan_lines(const struct label_plan *plan, int64_t shard);         /* in a shard */

/* Reads files again and compares with the plan. */
int label_plan_compare(const struct label_plan *plan, const json_t *inputs, const char *folder, struct error *err);

#endif
