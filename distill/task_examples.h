#ifndef DISTILL_TASK_EXAMPLES_H
#define DISTILL_TASK_EXAMPLES_H

#include <stdint.h>

#include "base/strbuf.h"
#include "corpora/examples.h"
#include "distill/task_files.h"

struct error;
struct stage_run;

/* The sets of a task's examples, from the files that a recipe names to those in a stage's folder: checked as they
 * were given, so that messages name them; joined to lines "label TAB text [TAB second text]"; what is to validate
 * and test with taken out of train where it has no file of its own; classes of unequal size balanced. */
enum balance { BALANCE_NONE, BALANCE_REPEAT, BALANCE_CUT };

struct task_examples {
    struct example_files train, dev, test;      /* texts NULL: none */
    struct strings labels;              /* all of them; empty: those of train */
    int balance;                        /* enum balance */
    int64_t train_examples, dev_examples, test_examples;        /* 0: all; none; none */
    int64_t seed;                       /* of the hash that chooses them */
};

/* The files that are read. */
void task_examples_paths(const struct task_examples *c, struct strings *paths);
/* -1 where a file of labels or of second texts lacks the one that it belongs to. */
int task_examples_check(const struct task_examples *c, struct error *err);

/* Fills t, whose name and kind are set, and writes its sets and train.txt, their texts, into the stage's folder. */
int task_examples_take(struct stage_run *run, struct task_files *t, const struct task_examples *c, struct error *err);

/* Divides lines into the sets of t, which are named train, dev and test with `ending`.  A line's place depends on
 * what stands behind its first tab, or on all of it. */
int task_examples_divide(struct stage_run *run, struct task_files *t, const struct task_examples *c,
                         const struct strings *lines, const char *ending, struct error *err);

#endif
