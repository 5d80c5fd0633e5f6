#ifndef DISTILL_TEACHER_TEMPERATURE_H
#define DISTILL_TEACHER_TEMPERATURE_H

#include <stdbool.h>

#include "seq2seq/teacher.h"

struct batch_source;
struct error;
struct objective_kind;
struct objective_needs;

/* `teacher-temperature`: a number that divides the teacher's logits alone, or `fit`, the one at which its
 * dev NLL is least: a teacher that is surer, or less sure, than it is right teaches the better for it
 * (Guo et al. 2017, section 4.2; Menon et al. 2020).  An objective's `temperature` divides the student's
 * logits as well, so that it cannot change what the student's own distributions become. */
#define TEACHER_TEMPERATURE_HELP \
    "divides the teacher's logits alone: a number, or fit, the one at which its dev NLL is least"

struct teacher_temperature {
    bool fitted;
    float value;
    struct teacher_fit fit;     /* fitted: what it was found by */
};

/* Whether the text is that, and the objective can follow it; soft: from stored soft targets. */
int teacher_temperature_check(const char *text, const struct objective_kind *kind, bool soft, struct error *err);

/* A checked text into *out and into the needs, all else of which is filled in; dev (NULL: there is none) is
 * read through where it is to be fitted. */
int teacher_temperature_find(struct teacher_temperature *out, struct objective_needs *needs, const char *text,
                             struct batch_source *dev, int threads, struct error *err);

#endif
