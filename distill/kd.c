/* The objectives that learn from a teacher's distribution: one engine for all methods of kd.h. */
#include "distill/kd.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "corpora/batch.h"
#include "corpora/soft_targets.h"
#include "distill/hardest.h"
#include "distill/objectives.h"
#include "distill/past_self.h"
#include "distill/similarity.h"
#include "seq2seq/model.h"
#include "seq2seq/output.h"
#include "seq2seq/teacher.h"
#include "tokenize/tokenizer.h"

struct shared {
    const struct kd_method *method;
    struct kd_config config;
    float teacher_temperature;          /* of the teacher's distributions: the config's, and its own */
    struct teacher *teacher;            /* online, or … */
    const struct soft_targets *soft;    /* … from disk, or … */
    struct similarity *similarity;      /* … of its embeddings alone */
    struct past_self *self;             /* air: the online teacher's model */
    int V;
    int32_t *order, *place;
};

struct worker {
    const struct shared *shared;
    struct teacher_worker *teacher;
    struct soft_rows soft;
    float *q;                           /* a chunk of the teacher's distributions; of a stored one, a row */
    float *room, *p;                    /* a row each */
    int32_t *id;
    struct mixture mix, alone;          /* of the batch at work; where the teacher says nothing */
    uint64_t seed;
    bool teaches;                       /* the teacher has a share in this batch */
    /* selective: */
    float share, threshold;
    struct hardest hardest;             /* the queue, or what the preview saw */
};

/* ---- workers ---- */

static void *worker_new(void *shared, int number)
{
    const struct shared *s = shared;
    struct worker *w = xcalloc(1, sizeof *w);
    size_t V = (size_t)s->V;
    (void)number;
    w->shared = s;
    w->room = xaligned(V * sizeof(float));
    if (!s->teacher && !s->soft && !s->similarity)
        return w;
    w->q = xaligned((s->soft ? 1 : OUTPUT_ROWS) * V * sizeof(float));
    w->p = xaligned(V * sizeof(float));
    w->id = xcalloc(V, sizeof *w->id);
    if (s->teacher)
        w->teacher = teacher_worker_new(s->teacher);
    if (s->method->selective && s->config.pool == POOL_QUEUE)
        hardest_init(&w->hardest, s->config.queue);
    return w;
}

static void worker_free(void *worker)
{
    struct worker *w = worker;
    teacher_worker_free(w->teacher);
    soft_rows_release(&w->soft);
    hardest_release(&w->hardest);
    free(w->q);
    free(w->room);
    free(w->p);
    free(w->id);
    free(w);
}

/* ---- a batch ---- */

/* The two skewed ends of JSD have no JSD: there it is the KL one way or the other. */
static void set_divergence(struct mixture *mix, const struct kd_method *method, float skew)
{
    mix->divergence = method->divergence;
    mix->skew = skew;
    if (method->divergence == DIVERGENCE_JSD && (skew <= 0 || skew >= 1))
        mix->divergence = skew <= 0 ? DIVERGENCE_KL : DIVERGENCE_REVERSE_KL;
}

static struct mixture gold_mixture(const struct shared *s, bool sampled, const struct moment *when)
{
    float smoothing = course_at(&s->config.label_smoothing, when);
    return (struct mixture){ .gold = sampled ? 0 : 1 - smoothing, .floor = sampled ? 0 : smoothing, .temperature = 1 };
}

static struct mixture batch_mixture(const struct shared *s, bool sampled, const struct moment *when)
{
    const struct kd_config *c = &s->config;
    float smoothing = course_at(&c->label_smoothing, when);
    float alpha = sampled ? 1 : s->method->gold_only ? 0 : course_at(&c->alpha, when);
    struct mixture mix = {
        .gold = (1 - alpha) * (1 - smoothing),
        .floor = (1 - alpha) * smoothing,
        .teacher_mass = alpha * (c->t_squared ? c->temperature * c->temperature : 1),
        .temperature = c->temperature,
    };
    set_divergence(&mix, s->method, course_at(&c->skew, when));
    return mix;
}

static void preview_reserve(struct worker *w, int tokens)
{
    if (w->hardest.room < tokens) {
        hardest_release(&w->hardest);
        hardest_init(&w->hardest, tokens);
    }
    hardest_clear(&w->hardest);
}

static void begin_selection(struct worker *w, const struct batch *b, const struct moment *when)
{
    const struct kd_config *c = &w->shared->config;
    w->share = course_at(&c->share, when);
    if (c->pool == POOL_BATCH)
        preview_reserve(w, b->target_tokens);
    else
        w->threshold = hardest_threshold(&w->hardest, w->share);
}

static void look_up(struct worker *w, const struct batch *b)
{
    soft_rows_reset(&w->soft);
    for (int i = 0; i < b->B; i++)
        soft_rows_add(&w->soft, w->shared->soft, b->index[i], b->target_start[i + 1] - b->target_start[i]);
}

static int begin(void *worker, const struct batch *b, const struct moment *when, struct error *err)
{
    struct worker *w = worker;
    const struct shared *s = w->shared;
    if (b->sampled && (!s->teacher || s->method->gold_only))
        return error_set(err, "the student's own outputs can be learnt from only from a teacher's "
                         "distributions, from a model that runs along");
    w->mix = batch_mixture(s, b->sampled, when);
    w->alone = gold_mixture(s, b->sampled, when);
    if (s->self && !past_self_known(s->self))
        w->mix = w->alone;
    w->seed = when->seed;
    w->teaches = w->q && (!s->self || past_self_known(s->self)) && (w->mix.teacher_mass > 0 || s->method->gold_only);
    if (w->teaches && w->teacher)
        teacher_begin(w->teacher, b);
    if (w->teaches && s->soft)
        look_up(w, b);
    if (s->method->selective)
        begin_selection(w, b, when);
    return 0;
}

/* ---- selection ---- */

static float nll_of(struct worker *w, const float *logits, int32_t gold, int V)
{
    return kernel->softmax(w->room, logits, 1, V) - logits[gold];
}

static void preview(void *worker, int first, int rows, int V, const int32_t *target, const float *logits)
{
    struct worker *w = worker;
    (void)first;
    if (!w->teaches)
        return;
    for (int r = 0; r < rows; r++)
        hardest_add(&w->hardest, nll_of(w, logits + (size_t)r * (size_t)V, target[r], V));
}

/* Whether the teacher speaks on this token. */
static bool selected(struct worker *w, int row, const float *logits, int32_t gold, int V)
{
    if (w->shared->config.pool == POOL_QUEUE) {
        float nll = nll_of(w, logits, gold, V);
        hardest_add(&w->hardest, nll);
        return nll >= w->threshold;
    }
    return w->hardest.nll[row] >= w->threshold;
}

/* ---- rows ---- */

/* A stored teacher's entries at its temperature T, given that the store's was another: q^(T0/T), the
 * tail as if it were even.  Returns the tail. */
static float retempered(const struct shared *s, float *p, int count, float tail)
{
    double power = (double)(soft_targets_info(s->soft)->temperature / s->teacher_temperature), sum = 0, rest = 0;
    int others = s->V - count;
    if (power == 1)
        return tail;
    for (int i = 0; i < count; i++)
        sum += (double)(p[i] = (float)pow((double)p[i], power));
    if (others > 0 && tail > 0 && s->config.tail != TAIL_RENORMALISE)
        rest = others * pow((double)tail / others, power);
    for (int i = 0; i < count; i++)
        p[i] = (float)((double)p[i] / (sum + rest));
    return (float)(rest / (sum + rest));
}

/* The stored row `row` of the batch; false where the store says nothing of it. */
static bool stored(struct worker *w, int row, struct kd_row *out)
{
    const struct shared *s = w->shared;
    int from = w->soft.start[row], count = w->soft.start[row + 1] - from;
    const int32_t *id = w->soft.id + from;
    enum tail policy = (enum tail)s->config.tail;
    float *p = w->soft.p + from, tail;
    if (!count)
        return false;
    tail = retempered(s, p, count, w->soft.tail[row]);
    if (s->method->entries) {
        kd_entries(out->mix, policy, id, p, count, tail, s->V);
        return true;
    }
    kd_dense(w->q, policy, id, p, count, tail, s->V);
    out->q = w->q;
    out->mix->teacher = w->q;
    return true;
}

/* What the teacher says of row `row` of the batch, which is row r of the chunk, into the mixture.
 * Where it says nothing, gold alone is left. */
static void teach(struct worker *w, struct mixture *mix, int row, int r, int32_t gold, float *weight)
{
    const struct shared *s = w->shared;
    struct kd_row it = { &s->config, mix, NULL, gold, s->V, weight, w->id, w->p, s->order, s->place,
                         w->seed + (uint64_t)row };
    if (s->soft) {
        if (!stored(w, row, &it)) {
            *mix = w->alone;
            return;
        }
    } else {
        mix->teacher = it.q = w->q + (size_t)r * (size_t)s->V;
    }
    if (s->method->row)
        s->method->row(&it);
}

static void chunk(void *worker, int first, int rows, int V, const int32_t *target,
                  const float *weight, float scale, float *logits, struct loss_sums *sums)
{
    struct worker *w = worker;
    const struct shared *s = w->shared;
    if (w->teaches && w->teacher)
        teacher_rows(w->teacher, w->q, first, rows);
    if (w->teaches && s->similarity)
        similarity_rows(s->similarity, w->q, target, rows, s->config.similarity);
    if (w->teaches && s->method->selective && s->config.pool == POOL_BATCH && first == 0)
        w->threshold = hardest_threshold(&w->hardest, w->share);
    for (int r = 0; r < rows; r++) {
        float *x = logits + (size_t)r * (size_t)V, gold_logp, factor = weight[r];
        struct mixture mix = w->mix;
        if (w->teaches && s->method->selective && !selected(w, first + r, x, target[r], V))
            mix = w->alone;
        else if (w->teaches)
            teach(w, &mix, first + r, r, target[r], &factor);
        sums->loss += (double)kernel->mixture_loss(x, &gold_logp, target[r], &mix, scale * factor, V, w->room);
        sums->gold -= (double)gold_logp;
        sums->gold_tokens++;
        sums->tokens += (double)factor;
    }
}

/* ---- what workers carry from batch to batch ---- */

static json_t *save(void *worker)
{
    struct worker *w = worker;
    return hardest_save(&w->hardest);
}

static int restore(void *worker, const json_t *state, struct error *err)
{
    struct worker *w = worker;
    return hardest_restore(&w->hardest, state, err);
}

/* ---- making one ---- */

static int same_pieces(const struct tokenizer *student, const struct tokenizer *teacher, const char *side,
                       const char *folder, struct error *err)
{
    if (tokenizer_fingerprint(student) == tokenizer_fingerprint(teacher))
        return 0;
    return error_set(err, "the student's %s vocabulary (%d pieces) is not the teacher's (%d pieces%s%s%s), so word-level "
                     "distillation cannot match their tokens; give the student the teacher's SentencePiece model, "
                     "or use sequence-level distillation (seq-kd), which passes through text", side,
                     tokenizer_vocab(student), tokenizer_vocab(teacher), folder ? ", in '" : "", folder ? folder : "",
                     folder ? "'" : "");
}

int kd_same_pieces(const struct objective_needs *needs, struct error *err)
{
    const struct model *student = needs->student;
    for (int i = 0; i < needs->teacher_count; i++) {
        const struct model *t = needs->teachers[i];
        if (same_pieces(student->target_tokenizer, t->target_tokenizer, "target", t->folder, err) < 0
            || same_pieces(student->source_tokenizer, t->source_tokenizer, "source", t->folder, err) < 0)
            return -1;
    }
    return 0;
}

int kd_check(const struct kd_method *method, const struct kd_config *config, int teachers, bool soft, struct error *err)
{
    if (method->similarity && soft)
        return error_set(err, "%s needs the teacher itself: stored soft targets have no embeddings", method->name);
    if (method->similarity && teachers > 1)
        return error_set(err, "%s takes one teacher: embeddings of several cannot be averaged", method->name);
    if (soft && config->tail == TAIL_BUCKET && !method->entries)
        return error_set(err, "%s knows no tail in a bucket; take tail: spread or renormalise", method->name);
    return 0;
}

int kd_self_check(const struct kd_method *method, const struct kd_config *config, int64_t max_updates, struct error *err)
{
    if (!method->self || !max_updates || config->every < max_updates)
        return 0;
    return error_set(err, "copy-every %d: the training is over with update %lld, before there is a model of before to learn "
                     "from; take less", config->every, (long long)max_updates);
}

void kd_self_warn(const struct kd_method *method, const struct kd_config *config, int64_t updates, int epochs)
{
    if (method->self && (config->every ? updates <= config->every : epochs == 0))
        log_warning("%s: gold alone has taught, since the training was over before the model was copied; train longer, "
                    "or set copy-every to fewer updates", method->name);
}

int kd_check_drawn(const struct kd_method *method, float temperature, const struct kd_drawn *d, struct error *err)
{
    if (!d->pieces)
        return 0;
    if (!method->entries)
        return error_set(err, "%s needs probabilities, and soft targets '%s' hold %d drawn pieces a token; take "
                         "word-kd or selective-kd, or label with soft-samples 0", method->name, d->where, d->pieces);
    if (d->temperature != temperature)
        return error_set(err, "soft targets '%s' were drawn at temperature %g and serve at no other (asked for: %g); "
                         "label with that soft-temperature, or with soft-samples 0", d->where, (double)d->temperature,
                         (double)temperature);
    return 0;
}

/* The teacher's k likeliest pieces must be there. */
static int check_kept(const struct shared *s, struct error *err)
{
    const struct soft_info *info = s->soft ? soft_targets_info(s->soft) : NULL;
    if (!info || s->config.k <= info->k || info->k >= info->vocab)
        return 0;
    return error_set(err, "%s: k is %d, and soft targets '%s' keep %d pieces a token; lower k, or label with --soft-k %d",
                     s->method->name, s->config.k, soft_targets_path(s->soft), info->k, s->config.k);
}

static int check_drawn(const struct shared *s, struct error *err)
{
    if (!s->soft)
        return 0;
    const struct soft_info *info = soft_targets_info(s->soft);
    const struct kd_drawn drawn = { soft_targets_path(s->soft), info->samples, info->temperature };
    return kd_check_drawn(s->method, s->teacher_temperature, &drawn, err);
}

float kd_temperature(const struct kd_config *config, float teacher_temperature)
{
    float both = config->temperature > 0 ? config->temperature : 1;     /* the method has no such option */
    return both * (teacher_temperature > 0 ? teacher_temperature : 1);
}

static int open_models(struct shared *s, const struct objective_needs *needs, struct error *err)
{
    const struct teacher_config config = { needs->average, s->teacher_temperature, needs->weights, needs->task };
    if (kd_same_pieces(needs, err) < 0)
        return -1;
    if (s->method->similarity) {
        s->similarity = similarity_new(needs->teachers[0]);
        return 0;
    }
    s->teacher = teacher_new(needs->teachers, needs->teacher_count, &config, err);
    return s->teacher ? 0 : -1;
}

/* The permutation is the same in every run, so that runs of other seeds may be compared. */
static void make_order(struct shared *s)
{
    struct rng rng;
    s->order = xcalloc((size_t)s->V, sizeof *s->order);
    s->place = xcalloc((size_t)s->V, sizeof *s->place);
    for (int i = 0; i < s->V; i++)
        s->order[i] = i;
    rng_seed(&rng, 0x64, 0);
    rng_shuffle(&rng, s->order, (size_t)s->V, sizeof *s->order);
    for (int i = 0; i < s->V; i++)
        s->place[s->order[i]] = i;
}

static int open_self(struct shared *s, const struct objective_needs *needs, struct error *err)
{
    const struct teacher_config config = { .temperature = s->config.sharpen, .task = needs->task };
    s->self = past_self_new(needs->student, s->config.every);
    const struct model *model = past_self_model(s->self);
    s->teacher = teacher_new(&model, 1, &config, err);
    return s->teacher ? 0 : -1;
}

static void turn(void *shared, const struct moment *when)
{
    struct shared *s = shared;
    past_self_turn(s->self, when);
}

static const struct kept_block *kept(void *shared, int *count)
{
    struct shared *s = shared;
    *count = 1;
    return past_self_kept(s->self);
}

static void shared_free(void *shared)
{
    struct shared *s = shared;
    teacher_free(s->teacher);
    similarity_free(s->similarity);
    past_self_free(s->self);
    free(s->order);
    free(s->place);
    free(s);
}

int objective_kd(struct objective *out, const struct kd_method *method, const struct objective_needs *needs,
                 const struct kd_config *config, struct error *err)
{
    if (kd_check(method, config, needs->teacher_count, needs->soft != NULL, err) < 0)
        return -1;
    struct shared *s = xcalloc(1, sizeof *s);
    s->method = method;
    s->config = *config;
    s->soft = method->self ? NULL : needs->soft;
    s->V = needs->task ? model_output(needs->student, model_find_task(needs->student, needs->task)).outputs
                       : needs->student->config.target_vocab;
    if (s->config.temperature <= 0)     /* the method has no such option */
        s->config.temperature = 1;
    s->teacher_temperature = kd_temperature(config, needs->teacher_temperature);
    if (check_drawn(s, err) < 0 || check_kept(s, err) < 0 || (method->self && open_self(s, needs, err) < 0)
        || (!method->self && !needs->soft && needs->teacher_count && open_models(s, needs, err) < 0)) {
        shared_free(s);
        return -1;
    }
    make_order(s);
    *out = (struct objective){
        .name = method->name, .shared = s, .worker_new = worker_new, .worker_free = worker_free,
        .begin = begin, .chunk = chunk, .free = shared_free,
    };
    if (method->self) {
        out->turn = turn;
        out->kept = kept;
    }
    if (method->selective && config->pool == POOL_BATCH)
        out->preview = preview;
    if (method->selective && config->pool == POOL_QUEUE) {
        out->save = save;
        out->restore = restore;
    }
    return 0;
}
