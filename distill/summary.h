#ifndef DISTILL_SUMMARY_H
#define DISTILL_SUMMARY_H

#include "distill/stage.h"

/* What the stages under one label of a gathering stage (seeds.h) measured of one thing. */
struct summary {
    double mean, deviation;     /* the sample's standard deviation; NAN for one run */
    int runs;
};
struct summary stage_summary(const struct stage_run *run, const char *label, const char *key);

/* Whether no link before this one has its label. */
bool stage_label_is_new(const struct stage_run *run, size_t link);

#endif
