/* One objective a task, and the squared error of numbers. */
#include "distill/task_objective.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "corpora/soft_targets.h"
#include "corpora/task.h"
#include "distill/kd.h"
#include "seq2seq/model.h"
#include "seq2seq/output.h"

/* ---- numbers ---- */

struct number_shared {
    struct teacher *teacher;            /* or NULL */
    const struct soft_targets *soft;    /* or NULL */
    struct course alpha;
};

struct number_worker {
    const struct number_shared *shared;
    struct teacher_worker *teacher;
    struct soft_rows soft;
    float alpha;
    float taught[OUTPUT_ROWS];
};

static void *number_worker_new(void *shared, int number)
{
    const struct number_shared *s = shared;
    struct number_worker *w = xcalloc(1, sizeof *w);
    (void)number;
    w->shared = s;
    if (s->teacher)
        w->teacher = teacher_worker_new(s->teacher);
    return w;
}

static void number_worker_free(void *worker)
{
    struct number_worker *w = worker;
    teacher_worker_free(w->teacher);
    soft_rows_release(&w->soft);
    free(w);
}

static int number_begin(void *worker, const struct batch *b, const struct moment *when, struct error *err)
{
    struct number_worker *w = worker;
    (void)err;
    const struct number_shared *s = w->shared;
    w->alpha = w->teacher || s->soft ? course_at(&s->alpha, when) : 0;
    if (w->alpha > 0 && w->teacher)
        teacher_begin(w->teacher, b);
    soft_rows_reset(&w->soft);
    for (int i = 0; i < b->B && w->alpha > 0 && s->soft; i++)
        soft_rows_add(&w->soft, s->soft, b->index[i], b->target_start[i + 1] - b->target_start[i]);
    return 0;
}

/* What the teacher says at row `row` of the batch, which is row r of the chunk: its share, and the
 * number.  A store that says nothing there has no share. */
static float taught(const struct number_worker *w, int row, int r, float *said)
{
    *said = 0;
    if (w->alpha <= 0)
        return 0;
    if (w->teacher) {
        *said = w->taught[r];
        return w->alpha;
    }
    if (w->soft.start[row] == w->soft.start[row + 1])
        return 0;
    *said = logf(w->soft.p[w->soft.start[row]]);
    return w->alpha;
}

static void number_chunk(void *worker, int first, int rows, int V, const int32_t *target,
                         const float *weight, float scale, float *logits, struct loss_sums *sums)
{
    struct number_worker *w = worker;
    (void)V;
    if (w->alpha > 0 && w->teacher)
        teacher_rows(w->teacher, w->taught, first, rows);
    for (int r = 0; r < rows; r++) {
        float gold, said, alpha = taught(w, first + r, r, &said), given = logits[r];
        memcpy(&gold, &target[r], sizeof gold);
        float wanted = (1 - alpha) * gold + alpha * said;
        sums->loss += (double)(weight[r] * (given - wanted) * (given - wanted));
        sums->gold += (double)((given - gold) * (given - gold));
        sums->gold_tokens++;
        sums->tokens += (double)weight[r];
        logits[r] = 2 * scale * weight[r] * (given - wanted);
    }
}

static void number_free(void *shared)
{
    struct number_shared *s = shared;
    teacher_free(s->teacher);
    free(s);
}

static int number_objective(struct objective *out, const struct task *task, const struct task_teacher *teacher,
                            const struct course *alpha, struct error *err)
{
    struct number_shared *s = xcalloc(1, sizeof *s);
    s->alpha = *alpha;
    s->soft = teacher->soft;
    if (teacher->count) {
        const struct teacher_config config = { .temperature = 1, .task = task->name };
        s->teacher = teacher_new(teacher->models, teacher->count, &config, err);
    }
    if (teacher->count && !s->teacher) {
        free(s);
        return -1;
    }
    *out = (struct objective){
        .name = "squared-error", .shared = s, .worker_new = number_worker_new, .worker_free = number_worker_free,
        .begin = number_begin, .chunk = number_chunk, .free = number_free,
    };
    return 0;
}

/* ---- dispatch ---- */

struct shared {
    struct objective *tasks;
    int count;
};

struct worker {
    const struct shared *shared;
    void **tasks;                       /* each task's own worker */
    int task;                           /* of the batch at work */
};

static void *worker_new(void *shared, int number)
{
    const struct shared *s = shared;
    struct worker *w = xcalloc(1, sizeof *w);
    w->shared = s;
    w->tasks = xcalloc((size_t)s->count, sizeof *w->tasks);
    for (int i = 0; i < s->count; i++)
        w->tasks[i] = s->tasks[i].worker_new(s->tasks[i].shared, number);
    return w;
}

static void worker_free(void *worker)
{
    struct worker *w = worker;
    for (int i = 0; i < w->shared->count; i++)
        w->shared->tasks[i].worker_free(w->tasks[i]);
    free(w->tasks);
    free(w);
}

static int begin(void *worker, const struct batch *b, const struct moment *when, struct error *err)
{
    struct worker *w = worker;
    w->task = b->task;
    const struct objective *o = &w->shared->tasks[w->task];
    return o->begin ? o->begin(w->tasks[w->task], b, when, err) : 0;
}

static void preview(void *worker, int first, int rows, int V, const int32_t *target, const float *logits)
{
    struct worker *w = worker;
    const struct objective *o = &w->shared->tasks[w->task];
    if (o->preview)
        o->preview(w->tasks[w->task], first, rows, V, target, logits);
}

static void chunk(void *worker, int first, int rows, int V, const int32_t *target,
                  const float *weight, float scale, float *logits, struct loss_sums *sums)
{
    struct worker *w = worker;
    w->shared->tasks[w->task].chunk(w->tasks[w->task], first, rows, V, target, weight, scale, logits, sums);
}

static json_t *save(void *worker)
{
    struct worker *w = worker;
    json_t *all = json_array();
    for (int i = 0; i < w->shared->count; i++) {
        const struct objective *o = &w->shared->tasks[i];
        json_array_append_new(all, o->save ? o->save(w->tasks[i]) : json_null());
    }
    return all;
}

static int restore(void *worker, const json_t *state, struct error *err)
{
    struct worker *w = worker;
    if (json_array_size(state) != (size_t)w->shared->count)
        return error_set(err, "cannot resume: the checkpoint has the objectives of %zu tasks, not of %d",
                         json_array_size(state), w->shared->count);
    for (int i = 0; i < w->shared->count; i++) {
        const struct objective *o = &w->shared->tasks[i];
        if (o->restore && o->restore(w->tasks[i], json_array_get(state, (size_t)i), err) < 0)
            return -1;
    }
    return 0;
}

static void shared_free(void *shared)
{
    struct shared *s = shared;
    for (int i = 0; i < s->count; i++)
        if (s->tasks[i].free)
            s->tasks[i].free(s->tasks[i].shared);
    free(s->tasks);
    free(s);
}

static int make_task(struct objective *out, const struct model *student, const struct task *task,
                     const struct task_teacher *teacher, const struct task_objective_config *config,
                     struct error *err)
{
    const struct objective_needs needs = {
        .student = student, .teachers = teacher->models, .teacher_count = teacher->count, .soft = teacher->soft, .task = task->name,
    };
    if (task->kind == TASK_REGRESS)
        return kd_same_pieces(&needs, err) < 0 ? -1 : number_objective(out, task, teacher, &config->alpha, err);
    if (teacher->count || teacher->soft)
        return objective_make(out, config->taught, &needs, config->taught_options, err);
    return objective_make(out, config->plain, &needs, config->plain_options, err);
}

int task_objective(struct objective *out, const struct model *student, const struct task_teacher *teachers,
                   const struct task_objective_config *config, struct error *err)
{
    struct shared *s = xcalloc(1, sizeof *s);
    bool previews = false, saves = false;
    s->tasks = xcalloc((size_t)student->task_count, sizeof *s->tasks);
    for (int i = 0; i < student->task_count; i++) {
        if (make_task(&s->tasks[i], student, &student->tasks[i], &teachers[i], config, err) < 0) {
            error_prefix(err, "task '%s'", student->tasks[i].name);
            shared_free(s);
            return -1;
        }
        s->count++;
        previews |= s->tasks[i].preview != NULL;
        saves |= s->tasks[i].save != NULL;
    }
    *out = (struct objective){
        .name = "tasks", .shared = s, .worker_new = worker_new, .worker_free = worker_free, .begin = begin,
        .preview = previews ? preview : NULL, .chunk = chunk, .save = saves ? save : NULL,
        .restore = saves ? restore : NULL, .free = shared_free,
    };
    return 0;
}
