#ifndef DISTILL_NOVEL_LINES_H
#define DISTILL_NOVEL_LINES_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "distill/novelty.h"

/* Of unlabelled lines those that a teacher's labels are worth most on: new beside the known ones, but
 * not the newest, which are noise (Burda 2018's novelty; distill/novelty.h). */
struct novel_config {
    struct novelty_config novelty;
    float from, to;             /* quantiles of the candidates' novelty, between which lines are taken */
};
extern const struct option novel_options[];     /* from, to */
int novel_check(const struct novel_config *c, struct error *err);

struct novel_job {
    const struct tokenizer *tokenizer;
    const char *known, *candidates;     /* text files */
    const char *in_domain;      /* lines like the known ones, which were not learnt: how well novelty tells
                                 * them from shuffled and foreign ones is measured; NULL: not measured */
    const char *foreign;        /* NULL: there are none */
};

struct novel_lines {
    size_t known, count, chosen;        /* lines */
    struct strings candidates;  /* their texts (count) */
    float *scores;              /* of each candidate … */
    bool *take;                 /* … and whether it is chosen */
    double loss;                /* of learning, a place */
    double auc_shuffled, auc_foreign;   /* NAN: not measured */
};
/* Fails where a text holds nothing, or where no line is chosen. */
int novel_lines(struct novel_lines *out, const struct novel_job *job, const struct novel_config *config,
                struct error *err);
void novel_lines_release(struct novel_lines *n);

/* Those of rank from·count … to·count by score, ties in their order. */
size_t novel_choose(bool *take, const float *scores, size_t count, float from, float to);

#endif
