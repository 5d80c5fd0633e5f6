/* Word-level distillation: the teacher runs on each batch beside the student. */
#include "distill/word_kd.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "corpora/batch.h"
#include "seq2seq/mixture.h"
#include "seq2seq/model.h"
#include "seq2seq/output.h"
#include "tensor/tape.h"
#include "tokenize/tokenizer.h"

#define FIELD(member) offsetof(struct word_kd_config, member)
const struct option word_kd_options[] = {
    { "alpha", OPTION_FLOAT, FIELD(alpha), "0.5", 0, 1, "the teacher's share of the loss" },
    { "temperature", OPTION_FLOAT, FIELD(temperature), "1", 0.01, 100,
      "divides both models' logits in the teacher's share" },
    { "t-squared", OPTION_FLAG, FIELD(t_squared), "true", 0, 0,
      "multiply the teacher's share by the temperature squared" },
    { "label-smoothing", OPTION_FLOAT, FIELD(label_smoothing), "0", 0, 0.9,
      "mass of the gold share that is spread over all pieces" },
    { 0 }
};

struct shared {
    const struct model *teacher;
    struct word_kd_config config;
};

struct worker {
    const struct shared *shared;
    struct tape tape;
    const struct tensor *hidden;        /* the teacher's, of the current batch */
    float *teacher, *room;              /* a chunk of its logits; one row of scratch */
};

static void *worker_new(void *shared, int number)
{
    const struct shared *s = shared;
    size_t V = (size_t)s->teacher->config.target_vocab;
    struct worker *w = xcalloc(1, sizeof *w);
    (void)number;
    w->shared = s;
    w->tape.params = &s->teacher->params;
    w->teacher = xaligned(OUTPUT_ROWS * V * sizeof(float));
    w->room = xaligned(V * sizeof(float));
    return w;
}

static void worker_free(void *worker)
{
    struct worker *w = worker;
    tape_release(&w->tape);
    free(w->teacher);
    free(w->room);
    free(w);
}

/* The teacher's hidden states; without dropout, since its tape does not train. */
static int begin(void *worker, const struct batch *b, const struct moment *when, struct error *err)
{
    struct worker *w = worker;
    (void)when;
    (void)err;
    tape_reset(&w->tape);
    if (w->shared->config.alpha > 0)
        w->hidden = model_hidden(w->shared->teacher, &w->tape, b);
    return 0;
}

static void teacher_probabilities(struct worker *w, int first, int rows, int V)
{
    float sharpness = 1 / w->shared->config.temperature;
    model_logits(w->shared->teacher, w->teacher, w->hidden->data + (size_t)first * (size_t)w->hidden->cols, rows);
    for (int r = 0; r < rows; r++)
        kernel->softmax(w->teacher + (size_t)r * V, w->teacher + (size_t)r * V, sharpness, V);
}

static void chunk(void *worker, int first, int rows, int V, const int32_t *target,
                  const float *weight, float scale, float *logits, struct loss_sums *sums)
{
    struct worker *w = worker;
    const struct word_kd_config *c = &w->shared->config;
    struct mixture mix = {
        .gold = (1 - c->alpha) * (1 - c->label_smoothing),
        .floor = (1 - c->alpha) * c->label_smoothing,
        .teacher_mass = c->alpha * (c->t_squared ? c->temperature * c->temperature : 1),
        .temperature = c->temperature,
    };
    if (c->alpha > 0)
        teacher_probabilities(w, first, rows, V);
    mixture_chunk(mix, c->alpha > 0 ? w->teacher : NULL, rows, V, target, weight, scale, logits, sums, w->room);
}

/* Word-level targets are numbered by the pieces, so both models must number them alike. */
static int same_pieces(const struct tokenizer *student, const struct tokenizer *teacher, const char *side,
                       struct error *err)
{
    if (tokenizer_fingerprint(student) == tokenizer_fingerprint(teacher))
        return 0;
    return error_set(err, "the student's %s vocabulary (%d pieces) is not the teacher's (%d pieces), so word-level "
                     "distillation cannot match their tokens; give the student the teacher's SentencePiece model, "
                     "or use sequence-level distillation (seq-kd), which passes through text", side,
                     tokenizer_vocab(student), tokenizer_vocab(teacher));
}

int objective_word_kd(struct objective *out, const struct model *student,
                      const struct model *teacher, const struct word_kd_config *config,
                      struct error *err)
{
    if (same_pieces(student->target_tokenizer, teacher->target_tokenizer, "target", err) < 0 ||
        same_pieces(student->source_tokenizer, teacher->source_tokenizer, "source", err) < 0)
        return -1;
    struct shared *s = xcalloc(1, sizeof *s);
    s->teacher = teacher;
    s->config = *config;
    *out = (struct objective){
        .name = "word-kd", .shared = s, .worker_new = worker_new, .worker_free = worker_free,
        .begin = begin, .chunk = chunk, .free = free,
    };
    return 0;
}
