#ifndef SEQ2SEQ_TRAIN_COURSES_H
#define SEQ2SEQ_TRAIN_COURSES_H

#include <stdbool.h>

#include "base/option.h"
#include "base/strbuf.h"

struct error;
struct train_config;

/* Whether the courses (base/course.h) among a training's options can go where they say. */
struct train_courses {
    const struct option_group *groups;  /* all options */
    const char *unused;                 /* one that plays no part in this training; NULL: all do */
    const struct strings *weights;      /* of corpora that are mixed: courses as text; NULL: none */
    const struct train_config *config;
};

/* One that follows the dev loss needs a validation corpus (dev), and one that goes with the share of the
 * training that is done needs to know its end: without that they would stand still, and nobody would be told.
 * A mixture needs a corpus to draw from at every update, as far as that can be known.  The message begins
 * with the option's name, without dashes. */
int train_courses_check(const struct train_courses *t, bool dev, struct error *err);

/* Warns of those that would move after the last update only: the training may be a trial. */
void train_courses_warn(const struct train_courses *t);

#endif
