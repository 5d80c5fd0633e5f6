#ifndef DISTILL_TASK_FILES_H
#define DISTILL_TASK_FILES_H

#include "corpora/task.h"

/* What a stage that makes a task leaves: examples, and task.json, which says what the task is and
 * names them.  Paths in the file are relative to its folder. */
#define TASK_FILE "task.json"

struct task_set {
    char *examples;             /* "label TAB text …"; a translation's sources, each behind the tag */
    char *targets;              /* a translation's; NULL for other tasks */
    int64_t count;
};

struct task_files {
    struct task task;
    struct task_set train, dev, test;   /* dev and test may be absent: examples NULL */
    float infill, span;         /* of a translation that is its own target: how sources are damaged while
                                 * training (corpora/damage.h); 0: not */
    char *text[2];              /* what a vocabulary learns from; [1] NULL when it is one file */
};

int task_files_read(struct task_files *out, const char *folder, struct error *err);
/* Paths are given relative to the folder. */
int task_files_write(const struct task_files *t, const char *folder, struct error *err);
void task_files_release(struct task_files *t);

#endif
