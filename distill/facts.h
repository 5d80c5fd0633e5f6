#ifndef DISTILL_FACTS_H
#define DISTILL_FACTS_H

#include <stdbool.h>

#include "corpora/task.h"
#include "distill/stage.h"
#include "seq2seq/model.h"

struct error;
struct train_config;
struct train_courses;

/* What a recipe alone tells of what its stages will leave, so that a stage which cannot go with those that it takes
 * from is refused before any of them runs, and not after hours of training.  Each kind tells its own (stage.h);
 * what is not told is zero and contradicts nothing.  A new contradiction: what one stage must know of another is a
 * member here, which its kind fills, and the other's `check` looks at it.
 *
 * Texts and stages that are pointed to are the recipe's. */
struct stage_facts {
    /* A corpus's; of a model, those that it translates from and to. */
    const char *source_lang, *target_lang;

    /* A corpus or a task. */
    bool no_targets, no_dev, no_test;   /* it has certainly none */
    bool gold;                  /* the targets that its own stand in the place of are at hand, too … */
    int n_best;                 /* … and hypotheses beside them, so many a sentence; 0: none */
    bool soft;                  /* soft targets, of the pieces of `vocabulary` … */
    int drawn;                  /* … so many of which are drawn, a token … */
    float soft_temperature;     /* … at this temperature */
    enum task_kind task;
    bool damaged;               /* the task is to restore texts */

    /* A vocabulary, which is itself; a model's; soft targets'. */
    const struct stage *vocabulary;
    bool separate;              /* one a side */

    /* A model. */
    bool shaped;                /* `config` is told */
    struct model_config config; /* without the sizes of vocabularies */
    const struct stage *tasks;  /* the stage whose `tasks` it was made for; NULL: it translates and no more */
};

/* Of the first stage under `input`; nothing is known where there is none. */
const struct stage_facts *facts_of(const struct stage_view *v, const char *input);

/* ---- filling them ---- */

/* All that is known of the first stage under `input` is so of this one, too. */
void facts_pass(struct stage_facts *out, const struct stage_view *v, const char *input);
/* Of a corpus made from the one under `input`: languages, and whether there are dev and test sets. */
void facts_derive(struct stage_facts *out, const struct stage_view *v, const char *input);
/* Of a model that learns from the corpora under `corpus`: the languages that they agree in. */
void facts_languages(struct stage_facts *out, const struct stage_view *v);

/* ---- contradictions ----
 *
 * Each looks at all stages under an input, says what is wrong with the first that cannot be, and blames that key. */

/* Models have the vocabulary, a fact's; NULL: they all have one of their own.  so: what to do otherwise. */
int facts_same_vocabulary(struct stage_view *v, const char *input, const struct stage *vocabulary, const char *so,
                          struct error *err);
/* Models translate as the first stage under `corpus` has its sides; back: the other way. */
int facts_direction(struct stage_view *v, const char *input, bool back, struct error *err);
/* Corpora have the set of enum test_set (test_lines.h). */
int facts_have_set(struct stage_view *v, const char *input, int set, struct error *err);
/* Corpora have targets to learn from. */
int facts_have_targets(struct stage_view *v, const char *input, struct error *err);
/* Sentences of max_length tokens have places in the models. */
int facts_take(struct stage_view *v, const char *input, int max_length, struct error *err);
/* Models know the task, or each knows the one of its label where that is NULL. */
int facts_know_task(struct stage_view *v, const char *input, const char *task, struct error *err);
/* Models translate and do no other task. */
int facts_translate(struct stage_view *v, const char *input, struct error *err);

/* What a training of a translation model cannot be, of itself and with its corpus, start and vocabulary. */
int facts_training(struct stage_view *v, const struct train_courses *courses, const struct model_config *model,
                   struct error *err);

/* The stage's own model can be, over the vocabulary under `vocabulary`; translates: it needs a decoder. */
int facts_model_can_be(struct stage_view *v, const struct model_config *config, bool translates, struct error *err);

/* Where there is no dev set, the training asks for none; its courses are train_courses_check's. */
int facts_train_without_dev(struct stage_view *v, const struct train_config *config, struct error *err);

#endif
