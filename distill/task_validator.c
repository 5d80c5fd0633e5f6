#include "distill/task_validator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "corpora/mixture.h"
#include "distill/task_scores.h"

struct state {
    const struct task_validation *v;
    int chosen;                 /* the task that picks; -1: the average */
};

/* Restored texts have none. */
static bool has_score(const struct task_files *f)
{
    return f->dev.examples && f->infill <= 0;
}

static int choose(void *state, const char *metric, bool *falls, struct error *err)
{
    struct state *s = state;
    const struct task_files *files = s->v->files;
    *falls = false;
    s->chosen = -1;
    if (!strcmp(metric, "average"))
        return 0;
    for (int i = 0; i < s->v->count; i++)
        if (!strcmp(files[i].task.name, metric) && has_score(&files[i])) {
            s->chosen = i;
            return 0;
        }
    return error_set(err, "metric: '%s' is no task with examples to validate on; known are nll, average and "
                     "the names of such tasks", metric);
}

/* Answers that are all the same have no correlation: nothing is learnt yet. */
static double counted(double score)
{
    return isfinite(score) ? score : 0;
}

static int decode(void *state, const struct model *m, int threads, struct decode_scores *out, struct error *err)
{
    struct state *s = state;
    json_t *others = json_object();
    double sum = 0, count = 0, chosen = NAN;
    for (int i = 0; i < s->v->count; i++) {
        const struct task_files *f = &s->v->files[i];
        double score;
        if (!has_score(f))
            continue;
        if (task_score(&score, NULL, NULL, m, i, &f->dev, threads, err) < 0) {
            json_decref(others);
            return -1;
        }
        char *key = xasprintf("valid_%s", f->task.name);
        json_object_set_new(others, key, json_real(counted(score)));
        free(key);
        sum += counted(score);
        count++;
        if (i == s->chosen)
            chosen = counted(score);
        if (s->v->patience)
            mixture_judge(s->v->train, i, counted(score), s->v->patience);
    }
    double average = count > 0 ? sum / count : 0;
    json_object_set_new(others, "valid_average", json_real(average));
    out->chosen = s->chosen < 0 ? average : chosen;
    out->others = others;
    return 0;
}

void task_validator_open(struct validator *out, const struct task_validation *v)
{
    struct state *s = xcalloc(1, sizeof *s);
    *s = (struct state){ v, -1 };
    *out = (struct validator){ .state = s, .choose = choose, .decode = decode };
}

void task_validator_close(struct validator *v)
{
    free(v->state);
    *v = (struct validator){ 0 };
}
