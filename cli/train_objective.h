#ifndef CLI_TRAIN_OBJECTIVE_H
#define CLI_TRAIN_OBJECTIVE_H

#include <jansson.h>

#include "base/option.h"
#include "base/strbuf.h"
#include "decode/models.h"
#include "distill/objectives.h"
#include "distill/teacher_temperature.h"

struct batch_source;
struct error;
struct store;

/* The loss of `coho train`: one of distill/objectives.h, with the teachers that run along or the
 * soft targets that are stored. */
struct train_objective {
    /* options */
    char *name, *soft_path, *temperature;
    struct strings teachers, weights;
    int mean;
    /* what they lead to */
    const struct objective_kind *kind;
    void *config;                       /* of the kind's options */
    struct models models;               /* the teachers */
    struct soft_targets *soft;
    struct teacher_temperature found;
    struct objective objective;
};
extern const struct option train_objective_options[];

/* Which objective the words of a command line name, before they are parsed: its options are a
 * group of their own.  An unknown one is left for train_objective_check to tell. */
void train_objective_choose(struct train_objective *o, int argc, char **argv);
struct option_group train_objective_group(const struct train_objective *o);

/* Whether the options agree with each other. */
int train_objective_check(const struct train_objective *o, struct error *err);

/* Opens what it learns from.  The student and the corpus must outlive it; dev (NULL: there is none) is read
 * through where the teachers' temperature is fitted. */
int train_objective_open(struct train_objective *o, const struct model *student, const struct store *corpus,
                         struct batch_source *dev, int max_length, int threads, struct error *err);
void train_objective_close(struct train_objective *o);

/* Name, options and teachers, for lineage. */
json_t *train_objective_describe(const struct train_objective *o);
json_t *train_objective_teachers(const struct train_objective *o);

#endif
