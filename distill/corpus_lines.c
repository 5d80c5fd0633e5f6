/* Training sets read with what stands beside their pairs. */
#include "distill/corpus_lines.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

int corpus_lines_open(struct corpus_lines *in, const struct corpus_files *corpus, const char *gold_targets,
                      struct error *err)
{
    *in = (struct corpus_lines){ .weight = 1 };
    if (lines_open(&in->source, corpus->train.source, err) < 0 || lines_open(&in->target, corpus->train.target, err) < 0
        || (corpus->lines && lines_open(&in->lines, corpus->lines, err) < 0)
        || (corpus->weights && lines_open(&in->weights, corpus->weights, err) < 0)
        || (gold_targets && lines_open(&in->gold, gold_targets, err) < 0))
        return -1;
    return 0;
}

static int ends_early(const struct lines *in, struct error *err)
{
    return error_set(err, "'%s' ends after %lld lines, the texts beside it go on", in->path, (long long)in->number);
}

static int not_a_number(const struct lines *in, const char *what, struct error *err)
{
    return error_set(err, "%s:%lld: not a %s", in->path, (long long)in->number, what);
}

/* A number on the next line of a file that goes along. */
static int number_next(struct lines *in, double *out, const char *what, struct error *err)
{
    char *end;
    int more = lines_next(in, err);
    if (more <= 0)
        return more < 0 ? -1 : ends_early(in, err);
    *out = strtod(in->text, &end);
    return end == in->text || *end || !isfinite(*out) || *out < 0 ? not_a_number(in, what, err) : 0;
}

static int line_next(struct corpus_lines *in, struct error *err)
{
    double line;
    if (!in->lines.reader) {
        in->line = in->number;
        return 0;
    }
    if (number_next(&in->lines, &line, "line's number", err) < 0)
        return -1;
    if (line < 1 || line < (double)in->line)
        return error_set(err, "%s:%lld: lines count from 1 and do not fall", in->lines.path, (long long)in->lines.number);
    in->line = (int64_t)line;
    return 0;
}

/* The gold target of the line at hand. */
static int gold_next(struct corpus_lines *in, struct error *err)
{
    while (in->gold.reader && in->gold.number < in->line) {
        int more = lines_next(&in->gold, err);
        if (more <= 0)
            return more < 0 ? -1 : ends_early(&in->gold, err);
    }
    return 0;
}

int corpus_lines_next(struct corpus_lines *in, struct error *err)
{
    int more = lines_next(&in->source, err);
    int other = more < 0 ? -1 : lines_next(&in->target, err);
    if (more < 0 || other < 0)
        return -1;
    if (more != other)
        return ends_early(more ? &in->target : &in->source, err);
    if (more == 0)
        return 0;
    in->number++;
    if (line_next(in, err) < 0 || gold_next(in, err) < 0
        || (in->weights.reader && number_next(&in->weights, &in->weight, "weight", err) < 0))
        return -1;
    return 1;
}

void corpus_lines_close(struct corpus_lines *in)
{
    lines_close(&in->source);
    lines_close(&in->target);
    lines_close(&in->gold);
    lines_close(&in->lines);
    lines_close(&in->weights);
    *in = (struct corpus_lines){ 0 };
}

int corpus_weights_read(float **out, const struct corpus_files *corpus, int64_t pairs, struct error *err)
{
    struct lines in = { 0 };
    double value;
    int ret = 0;
    *out = NULL;
    if (!corpus->weights)
        return 0;
    if (lines_open(&in, corpus->weights, err) < 0)
        return -1;
    float *weights = xcalloc((size_t)pairs + 1, sizeof *weights);
    for (int64_t i = 0; i < pairs && ret == 0; i++) {
        ret = number_next(&in, &value, "weight", err);
        weights[i] = (float)value;
    }
    lines_close(&in);
    if (ret < 0) {
        free(weights);
        return -1;
    }
    *out = weights;
    return 0;
}
