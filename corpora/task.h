#ifndef CORPORA_TASK_H
#define CORPORA_TASK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

struct error;
struct example;
struct example_files;
struct tokenizer;

/* What a model may be asked to do with a text, and examples of it.
 *
 *     classify   one label of a set, for a text or a pair of texts
 *     regress    a number, for a text or a pair
 *     tag        a label for every word of a text
 *     translate  a text in another language, told by a tag before the source
 *
 * Examples are a label and one text or two (corpora/examples.h says how they stand in files); a tagged text has
 * its words and its labels divided by single spaces, as many of one as of the other. */
enum task_kind { TASK_CLASSIFY, TASK_REGRESS, TASK_TAG, TASK_TRANSLATE };
extern const char *const task_kind_names[];     /* ends with NULL */

struct task {
    char *name;
    int kind;
    int texts;                  /* of an example: 1 or 2; 0: not known */
    struct strings labels;      /* classify, tag: in the order of their ids */
    float mean, deviation;      /* regress: of the training values; models give (y − mean) / deviation */
    char *tag;                  /* translate: the piece before the source, or NULL */
};
void task_release(struct task *t);
void task_copy(struct task *out, const struct task *t);

/* How many numbers a model gives for a place: labels, or 1. */
int task_outputs(const struct task *t);
int task_label(const struct task *t, const char *text);         /* its id; -1: unknown */
/* A label as it stands in a store: its id, or the bits of a number; -1 for an unknown label. */
int task_label_id(const struct task *t, const char *label, int32_t *out, struct error *err);

/* As in config.json and task.json. */
json_t *task_json(const struct task *t);
int task_from_json(struct task *out, const json_t *json, struct error *err);

/* The labels, or the mean and deviation, of the examples in files, into a task that has none.
 * Labels come in their order by bytes, numbers by value, so that the order of lines is of no matter. */
int task_learn(struct task *t, const struct example_files *files, struct error *err);

/* How many texts the first example has, into a task that does not know. */
int task_learn_texts(struct task *t, const struct example_files *files, struct error *err);

/* What examples hold: how often each label stands there (tags: of words); NULL where t is a
 * regression.  counts: task_outputs(t) of them, the caller's. */
int task_count(const struct task *t, const struct example_files *files, int64_t *counts, int64_t *examples,
               struct error *err);

struct ids;
/* The text (two texts with </s> between) as ids, without the last </s>.  `first`: for tags, where
 * each word's first piece stands; NULL otherwise. */
void example_encode(const struct task *t, const struct example *e, const struct tokenizer *tokenizer,
                    struct ids *out, struct ids *first);

/* The examples of a file "label TAB text …" as a store for batching_open: target ids are pairs (label, the place in
 * the source that it belongs to); a number's label is the bits of (y − mean) / deviation.  Labels
 * that the task does not know are refused by file and line. */
int examples_build(const char *store, const char *path, const struct task *t, const struct tokenizer *tokenizer,
                   struct error *err);

#endif
