/* Pseudo-labels of a teacher that learns from what they do to the student.
 *
 * The update of the teacher that belongs to a batch is due when the student has learnt it: with the
 * next batch, or with a checkpoint.  So a position has nothing that is due, and the blocks that
 * checkpoints keep are the teacher's weights and moments. */
#include "distill/meta_labels.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/thread.h"
#include "decode/translate.h"
#include "seq2seq/architecture.h"
#include "seq2seq/nll.h"
#include "seq2seq/train.h"
#include "seq2seq/workers.h"
#include "tensor/adam.h"
#include "tensor/product.h"
#include "tokenize/tokenizer.h"

static const char *const signs[] = { "theory", "published", NULL };

#define FIELD(member) offsetof(struct meta_config, member)
const struct option meta_options[] = {
    { "meta-weight", OPTION_COURSE, FIELD(weight), "1", 0, 1e6,
      "of what the labels did to the student, in the teacher's loss" },
    { "meta-sign", OPTION_CHOICE, FIELD(sign), "theory", 0, 0,
      "labels that helped become likelier, or, as in the code that was published, less likely", signs },
    { "meta-baseline", OPTION_FLOAT, FIELD(decay), "0.99", 0, 0.99999,
      "decay of the moving average that the student's gain is compared with" },
    { "meta-learning-rate", OPTION_COURSE, FIELD(rate), "0.0005", 0, 1, "the teacher's" },
    { "meta-label-smoothing", OPTION_FLOAT, FIELD(label_smoothing), "0.1", 0, 0.99,
      "of the teacher's cross-entropy on labelled text" },
    { "meta-gold", OPTION_FLAG, FIELD(gold), "true", 0, 0, "the teacher learns from labelled text, too" },
    { "meta-temperature", OPTION_FLOAT, FIELD(sampling.temperature), "1", 0, 100,
      "divides the teacher's logits when it samples labels" },
    { "meta-top-k", OPTION_INT, FIELD(sampling.top_k), "0", 0, 1e9, "it samples among so many likeliest pieces; 0: all" },
    { "meta-top-p", OPTION_FLOAT, FIELD(sampling.top_p), "1", 0.001, 1,
      "it samples among the fewest pieces that hold this mass" },
    { 0 }
};

struct meta {
    struct batch_source unlabelled, labelled;
    struct meta_needs needs;
    struct meta_config config;
    struct model *view;         /* of the teacher, to decode with */
    struct search_config search;
    uint64_t seed;
    struct moment when;
    int64_t batches;            /* given so far */
    /* the batch that the student is learning: the teacher's update is due */
    bool due;
    struct moment given;        /* when it was given */
    struct batch sources, labels, gold;
    double before;
    double baseline;
    struct error failure;       /* of an update of the teacher, told at the next batch */
    bool failed;
    /* training the teacher, and measuring the student */
    struct pool *pool;
    struct objective objective;
    struct workers *workers;
    struct adam adam;
    struct adam_config adam_config;
    struct nll_lanes *student;  /* its NLL */
    struct kept_block kept[3];
};

/* ---- the student on labelled text ---- */

/* A token's, without dropout. */
static double student_nll(struct meta *m)
{
    return nll_lanes_sum(m->student, &m->gold) / m->gold.target_tokens;
}

/* ---- the teacher's update ---- */

/* What the student gained, less what is usual. */
static double advantage(struct meta *m)
{
    double gain = m->before - student_nll(m);
    if (m->config.sign == META_PUBLISHED)
        gain = -gain;
    double h = gain - m->baseline;
    m->baseline = (double)m->config.decay * m->baseline + (1 - (double)m->config.decay) * gain;
    return h;
}

/* The mean over the labels' tokens times h, beside the mean over gold's: the sums are divided by the
 * number of gold's tokens. */
static void weigh(struct meta *m, double h)
{
    double factor = (double)course_at(&m->config.weight, &m->given) * h * m->gold.target_tokens / m->labels.target_tokens;
    for (int s = 0; s < m->labels.B; s++)
        m->labels.weight[s] = (float)factor;
}

static int teach_teacher(struct meta *m, struct error *err)
{
    struct loss_sums sums = { 0 };
    float factor = 1 / (float)m->gold.target_tokens;
    weigh(m, advantage(m));
    if (workers_run(m->workers, &m->labels, &m->given, 0, &sums, err) < 0
        || (m->config.gold && workers_run(m->workers, &m->gold, &m->given, 1, &sums, err) < 0))
        return -1;
    adam_step(&m->adam, &m->needs.teacher->params, workers_grads(m->workers), pool_threads(m->pool), factor,
              course_at(&m->config.rate, &m->given), &m->adam_config, m->pool);
    return 0;
}

static void settle(struct meta *m)
{
    if (!m->due)
        return;
    m->due = false;
    m->failed = teach_teacher(m, &m->failure) < 0;
}

/* ---- labels ---- */

static void take_labels(struct meta *m, struct batch *b, const struct translation *out)
{
    const struct batch *from = &m->sources;
    const struct model *s = m->needs.student;
    batch_reset(b);
    batch_reset(&m->labels);
    b->task = m->labels.task = from->task;
    m->labels.sampled = true;           /* -h · log p(ŷ), unsmoothed */
    for (int i = 0; i < from->B; i++) {
        const int32_t *source = from->source + from->source_start[i];
        int count = from->source_start[i + 1] - from->source_start[i] - 1;
        const struct hypothesis *h = &out[i].best[0];
        batch_add(b, source, count, h->ids, h->count, model_bos(s), model_eos(s), from->index[i], from->weight[i]);
        batch_add(&m->labels, source, count, h->ids, h->count, model_bos(s), model_eos(s), from->index[i], 1);
    }
}

static int sample(struct meta *m, struct batch *b, struct error *err)
{
    const struct batch *from = &m->sources;
    struct translation *out = xcalloc((size_t)from->B, sizeof *out);
    struct ids *sources = xcalloc((size_t)from->B, sizeof *sources);
    struct search_config search = m->search;
    struct rng rng;
    rng_seed(&rng, m->seed, (uint64_t)m->batches++);
    search.seed = (int64_t)(rng_next(&rng) >> 1);
    for (int i = 0; i < from->B; i++)
        sources[i] = (struct ids){ from->source + from->source_start[i],
                                   (size_t)(from->source_start[i + 1] - from->source_start[i] - 1) };
    model_view_update(m->view, m->needs.teacher);
    int ret = translate_ids(out, m->view, sources, (size_t)from->B, &search, m->needs.threads, NULL, err);
    if (ret == 0) {
        take_labels(m, b, out);
        translations_release(out, (size_t)from->B);
    }
    free(sources);
    free(out);
    return ret;
}

/* The next labelled batch; where their epoch ends, the first of the next one. */
static int next_gold(struct meta *m, struct error *err)
{
    struct batch_source *s = &m->labelled;
    int more = s->next(s->state, &m->gold, err);
    if (more == 0)
        more = s->next(s->state, &m->gold, err);
    return more == 0 ? error_set(err, "the labelled corpus gives no batches") : more;
}

static int next(void *state, struct batch *b, struct error *err)
{
    struct meta *m = state;
    settle(m);
    if (m->failed)
        return *err = m->failure, -1;
    int more = m->unlabelled.next(m->unlabelled.state, &m->sources, err);
    if (more <= 0) {
        batch_reset(b);
        return more;
    }
    if (next_gold(m, err) < 0 || sample(m, b, err) < 0)
        return -1;
    m->before = student_nll(m);
    m->given = m->when;
    m->due = true;
    return 1;
}

static void at(void *state, const struct moment *when)
{
    struct meta *m = state;
    if (when->update > m->given.update)
        settle(m);
    m->when = *when;
    if (m->unlabelled.at)
        m->unlabelled.at(m->unlabelled.state, when);
    if (m->labelled.at)
        m->labelled.at(m->labelled.state, when);
}

/* ---- the position ---- */

static json_t *save(void *state)
{
    struct meta *m = state;
    settle(m);
    return json_pack("{s:o, s:o, s:I, s:I, s:f}", "unlabelled", m->unlabelled.save(m->unlabelled.state), "labelled",
                     m->labelled.save(m->labelled.state), "batches", (json_int_t)m->batches, "teacher_updates",
                     (json_int_t)m->adam.step, "baseline", m->baseline);
}

static int restore(void *state, const json_t *position, struct error *err)
{
    struct meta *m = state;
    json_int_t batches, updates;
    double baseline;
    json_t *unlabelled, *labelled;
    if (json_unpack((json_t *)(uintptr_t)position, "{s:o, s:o, s:I, s:I, s:F}", "unlabelled", &unlabelled, "labelled",
                    &labelled, "batches", &batches, "teacher_updates", &updates, "baseline", &baseline) < 0)
        return error_set(err, "cannot resume: the checkpoint is of a training without a teacher that learns");
    m->batches = batches;
    m->adam.step = updates;
    m->baseline = baseline;
    m->due = false;
    if (m->unlabelled.restore(m->unlabelled.state, unlabelled, err) < 0)
        return -1;
    return m->labelled.restore(m->labelled.state, labelled, err);
}

static const struct kept_block *kept(void *state, int *count)
{
    struct meta *m = state;
    *count = (int)ARRAY_COUNT(m->kept);
    return m->kept;
}

/* ---- the rest ---- */

static int64_t sentences(void *state)
{
    struct meta *m = state;
    return m->unlabelled.sentences(m->unlabelled.state);
}

static int64_t tokens(void *state)
{
    struct meta *m = state;
    return m->unlabelled.tokens(m->unlabelled.state);
}

static uint64_t fingerprint(void *state)
{
    struct meta *m = state;
    return rng_mix(m->unlabelled.fingerprint(m->unlabelled.state)
                   ^ rng_mix(m->labelled.fingerprint(m->labelled.state) ^ m->seed));
}

static void meta_free(void *state)
{
    struct meta *m = state;
    workers_free(m->workers);
    m->objective.free(m->objective.shared);
    adam_release(&m->adam);
    nll_lanes_free(m->student);
    model_view_free(m->view);
    pool_free(m->pool);
    batch_release(&m->sources);
    batch_release(&m->labels);
    batch_release(&m->gold);
    if (m->unlabelled.free)
        m->unlabelled.free(m->unlabelled.state);
    if (m->labelled.free)
        m->labelled.free(m->labelled.state);
    free(m);
}

static void open_training(struct meta *m)
{
    struct model *teacher = m->needs.teacher;
    struct param_set *set = &teacher->params;
    m->pool = pool_new(m->needs.threads > 0 ? m->needs.threads : cpu_count());
    m->objective = objective_cross_entropy(m->config.label_smoothing);
    m->workers = workers_new(teacher, &m->objective, m->pool, (int64_t)(m->seed >> 1), teacher->arch->micro_tokens,
                             PRECISION_FP32);
    m->adam_config = (struct adam_config){ .beta1 = 0.9f, .beta2 = 0.98f, .epsilon = 1e-9f,
                                           .clip_norm = m->needs.clip_norm };
    adam_init(&m->adam, set, &m->adam_config);
    m->kept[0] = (struct kept_block){ "teacher", set->block, set->total };
    m->kept[1] = (struct kept_block){ "teacher.m", m->adam.m, set->total };
    m->kept[2] = (struct kept_block){ "teacher.v", m->adam.v, set->total };
    m->student = nll_lanes_new(m->needs.student, m->pool);
}

static void set_search(struct meta *m)
{
    const struct option_group groups[] = { { NULL, search_options, &m->search }, { NULL } };
    options_default(groups);
    m->search.beam = m->search.n_best = 1;
    m->search.whole = true;
    m->search.sampled = true;
    m->search.sampling = m->config.sampling;
    m->search.max_length = m->needs.max_length;
    m->search.max_source = m->needs.max_length;
}

int meta_labels_open(struct batch_source *out, struct batch_source *unlabelled, struct batch_source *labelled,
                     const struct meta_needs *needs, const struct meta_config *config, struct error *err)
{
    struct meta *m = xcalloc(1, sizeof *m);
    m->needs = *needs;
    m->config = *config;
    m->seed = rng_stream((uint64_t)needs->seed, "meta-labels");
    set_search(m);
    if (search_check(&m->search, err) < 0) {
        free(m);
        return -1;
    }
    m->view = model_view_new();
    open_training(m);
    m->unlabelled = *unlabelled;
    m->labelled = *labelled;
    *unlabelled = *labelled = (struct batch_source){ 0 };
    *out = (struct batch_source){
        .state = m, .at = at, .next = next, .save = save, .restore = restore, .kept = kept, .sentences = sentences,
        .tokens = tokens, .fingerprint = fingerprint, .free = meta_free,
    };
    return 0;
}
