/* The table of kinds. */
#include "distill/kinds.h"

const struct stage_kind *const stage_kinds[] = {
    &stage_corpus,              /* raw text → train, dev and test sets */
    &stage_vocabulary,          /* corpus → SentencePiece model(s) */
    &stage_train,               /* corpus, vocabulary [, teacher, start] → model */
    &stage_choose,              /* models, corpus → the one with the lowest dev NLL */
    &stage_slice,               /* model → its leading channels as a model */
    &stage_prune,               /* model → the same with its smallest weights zero */
    &stage_quantize,            /* model → the same in int8 */
    &stage_task,                /* examples, or a corpus and a tag → task */
    &stage_task_outputs,        /* models, task → what they say of its examples */
    &stage_label_task,          /* model, task, texts → pseudo-labelled examples of the task */
    &stage_train_tasks,         /* tasks, vocabulary [, teachers, outputs, pseudo, start] → model */
    &stage_evaluate_tasks,      /* model, tasks → scores of each */
    &stage_task_table,          /* scores of tasks → table */
    &stage_label,               /* model, corpus → pseudo-labelled corpus, n-best lists */
    &stage_select,              /* labels → the hypotheses nearest to gold */
    &stage_filter,              /* corpus [, model, reverse-model] → the pairs worth learning from */
    &stage_reverse,             /* corpus → the same with its sides changed */
    &stage_corrupt,             /* corpus → the same with a share of wrong targets */
    &stage_munge,               /* corpus → new source lines, to be labelled */
    &stage_novelty,             /* corpus, candidates, vocabulary → the candidates that are new */
    &stage_train_meta,          /* labelled and unlabelled text, teacher → student, and the teacher after it */
    &stage_match,               /* teacher, corpus → a student with its features */
    &stage_figures,             /* what stages measured → a table of it */
    &stage_evaluate,            /* model, corpus → scores, speed */
    &stage_gap,                 /* teacher, student, corpus → what the one does not do as the other */
    &stage_table,               /* scores → table, report page */
    NULL
};
