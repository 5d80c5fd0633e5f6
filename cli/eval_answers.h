#ifndef CLI_EVAL_ANSWERS_H
#define CLI_EVAL_ANSWERS_H

#include "base/strbuf.h"
#include "eval/answers.h"
#include "eval/testset.h"

struct error;

/* What `coho eval` does with metrics of labels, numbers and tags (eval/answers.h). */
struct answers_request {
    const struct testset *set;          /* gold answers are the first references */
    const char *gold_path;              /* as messages name their file */
    const struct answer_metric *const *metrics;
    size_t count;
    int samples;                        /* of the intervals; 0: none */
    struct seed seed;
    int threads, width;
    bool score_only, json;
};

/* Appends what is to be printed. */
int eval_answers(struct strbuf *out, const struct answers_request *r, struct error *err);

#endif
