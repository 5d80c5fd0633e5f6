#ifndef CORPORA_SOFT_TARGETS_H
#define CORPORA_SOFT_TARGETS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct error;
struct store;

/* What a teacher says of every target token of a corpus, kept on disk: for each the likeliest
 * pieces with their probabilities, and the mass of all others.  Memory-mapped, in shards, each
 * checksummed; the layout is drawn in soft_format.h.
 *
 *     struct soft_targets *s = soft_targets_open("labels/soft", true, err);
 *     if (!s || soft_targets_bind(s, train_store, err) < 0) …
 *     struct soft_rows rows = { 0 };
 *     for (int i = 0; i < b->B; i++)          // of a batch: row r is target token r of the batch
 *         soft_rows_add(&rows, s, b->index[i], b->target_start[i + 1] - b->target_start[i]);
 *     …
 *     soft_rows_release(&rows);
 *     soft_targets_close(s);
 *
 * An opened store is read-only: threads share it, each with rows of its own. */
struct soft_targets;

/* One file, or a folder: all *.soft in it, or in its folder "soft" as `coho label` leaves them, which must follow each other without gaps and agree in
 * all that made them.  verify false skips the checksums of the bodies. */
struct soft_targets *soft_targets_open(const char *path, bool verify, struct error *err);
void soft_targets_close(struct soft_targets *s);

/* Finds each pair of the corpus among the sentences: the ids of both sides must be those that the
 * teacher saw, in the same order; sentences that the corpus left out are passed over.  Refused,
 * naming where both fingerprints come from, when a vocabulary differs or a pair is not there. */
int soft_targets_bind(struct soft_targets *s, const struct store *corpus, struct error *err);

/* Refuses other teachers than those whose model_fingerprints are given (in any order), naming
 * both sides; `name` says where these come from. */
int soft_targets_check_teachers(const struct soft_targets *s, const uint64_t *fingerprints, int count,
                                const char *name, struct error *err);

struct soft_info {
    int64_t sentences, rows, entries;   /* rows: target tokens with </s> */
    int64_t missing;                    /* sentences without rows: the teacher could not take them */
    int vocab, k;                       /* k: the most entries a row, with those that are drawn … */
    int samples;                        /* … of which there are so many; 0: the others' mass is the tail */
    float mass;                         /* top-p: entries stop once they have this; top-k: 1 */
    float temperature;                  /* that the teacher's logits were divided by */
    uint64_t source_vocab, target_vocab;        /* tokenizer_fingerprint of each side */
    uint64_t teacher, corpus;           /* fingerprints of all teachers together, of all sentences */
    const json_t *about;                /* what made it: teachers, texts, options; borrowed */
};
const struct soft_info *soft_targets_info(const struct soft_targets *s);
const char *soft_targets_path(const struct soft_targets *s);

/* Rows of any number of sentences, end to end.  {0} is valid and empty; memory is kept.
 *
 * Row r has the entries start[r] … start[r+1]-1, most probable first, then those that were drawn;
 * probabilities of a row and its tail sum to 1, but for rounding.  A row without entries says nothing (its sentence is
 * missing): learn from gold alone there. */
struct soft_rows {
    int rows, entries;
    int *start;                 /* rows + 1 */
    float *tail;                /* rows: the mass of all other pieces */
    float *gold_logp;           /* rows: of the token that stands in the corpus; 0 if missing */
    int32_t *id;                /* entries */
    float *p;                   /* entries: natural probabilities */
    size_t start_room, tail_room, gold_room, id_room, p_room;
};
void soft_rows_reset(struct soft_rows *r);
void soft_rows_release(struct soft_rows *r);

/* Appends the rows of pair `index` of the bound corpus (of sentence `index` without one).
 * `count` is how many the batch has for it; where the store has none they come without entries. */
void soft_rows_add(struct soft_rows *r, const struct soft_targets *s, int64_t index, int count);

/* ---- writing: one shard ---- */

struct soft_entry {
    int32_t id;
    float logp;
};

/* Known when a shard is begun. */
struct soft_shape {
    int64_t first;              /* number of the shard's first sentence in the corpus, from 0 */
    int vocab, k;
    float mass, temperature;
    uint64_t source_vocab, target_vocab, teacher;
    const json_t *about;        /* borrowed */
    bool labels;                /* of examples (corpora/task.h): targets are pairs, a row a label */
};

/* `path` appears, whole, at the commit.  After a failed add, abort. */
struct soft_writer;
struct soft_writer *soft_writer_new(const char *path, const struct soft_shape *shape, struct error *err);
/* A row of the sentence at work, its entries most probable first, of which k at most are kept; rest: the
 * probability of all pieces that are not among them.  Drawn entries (about's "samples") come last. */
void soft_writer_row(struct soft_writer *w, const struct soft_entry *entries, int count, double rest,
                     float gold_logp);
/* Ends the sentence, given the ids of the pair (without </s>).  It has target_count + 1 rows (of
 * labels target_count / 2), or none: then it counts as missing. */
int soft_writer_sentence(struct soft_writer *w, const int32_t *source, int source_count,
                         const int32_t *target, int target_count, struct error *err);
int64_t soft_writer_entries(const struct soft_writer *w);               /* written so far */
int soft_writer_commit(struct soft_writer *w, struct error *err);       /* frees w */
void soft_writer_abort(struct soft_writer *w);                          /* frees w */

/* Bytes on disk of so much, to be told before anything is written. */
double soft_targets_bytes(double sentences, double rows, double entries, int vocab);

#endif
