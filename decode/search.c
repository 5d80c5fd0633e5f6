/* The continuous batch.
 *
 * Slots 0 … active-1 hold the sentences in the order of their rows in the stepper: slot i's rows
 * follow those of slot i-1.  One step of the engine feeds every row its last token, lets each
 * slot choose, hands out the finished sentences, closes the gaps that they leave, and tells the
 * stepper which old row each new row continues.  New sentences come in when a quarter of the
 * batch is free, so that their encoder has several to work on at once. */
#include "decode/search.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "decode/slot.h"

#define FIELD(member) offsetof(struct search_config, member)
static const char *const penalties[] = { "none", "length", "gnmt", NULL };
static const char *const long_choices[] = { "truncate", "refuse", NULL };
const struct option search_options[] = {
    { "beam", OPTION_INT, FIELD(beam), "5", 1, 1000,
      "hypotheses kept per sentence; 1 is greedy search" },
    { "n-best", OPTION_INT, FIELD(n_best), "1", 1, 1000,
      "hypotheses given per sentence, at most the beam; or samples drawn" },
    { "sampling", OPTION_FLAG, FIELD(sampled), "false", 0, 0,
      "draw n-best translations at random by the model's probabilities instead of searching" },
    { "sampling-temperature", OPTION_FLOAT, FIELD(sampling.temperature), "1", 0, 100,
      "divides the scores: less than 1 is surer, more is wilder, 0 is greedy" },
    { "sampling-top-k", OPTION_INT, FIELD(sampling.top_k), "0", 0, 1000,
      "draw from the so many likeliest tokens; 0: all" },
    { "sampling-top-p", OPTION_FLOAT, FIELD(sampling.top_p), "1", 0, 1,
      "draw from the fewest tokens that hold this much probability; 1: all" },
    { "sampling-seed", OPTION_LONG, FIELD(seed), "1", 0, 9e15,
      "what the draws begin from: line i draws the same whatever stands around it" },
    { "length-penalty", OPTION_CHOICE, FIELD(length_penalty), "length", 0, 0,
      "rank by log-probability / penalty: none, length^alpha, gnmt ((5+length)/6)^alpha",
      .choices = penalties },
    { "length-alpha", OPTION_FLOAT, FIELD(alpha), "1", 0, 5,
      "exponent of the length penalty; larger prefers longer output" },
    { "max-length-factor", OPTION_FLOAT, FIELD(max_length_factor), "3", 0, 1000,
      "at most this many output tokens a source token …" },
    { "max-length-offset", OPTION_INT, FIELD(max_length_offset), "10", 0, 1000000,
      "… plus this many" },
    { "max-length", OPTION_INT, FIELD(max_length), "0", 0, 1000000,
      "output tokens at most, however long the source; 0: any" },
    { "min-length", OPTION_INT, FIELD(min_length), "0", 0, 1000000,
      "output tokens before the sentence may end" },
    { "allow-unk", OPTION_FLAG, FIELD(allow_unk), "false", 0, 0,
      "let the output hold the unknown piece, which is written as ⁇" },
    { "batch-sentences", OPTION_INT, FIELD(batch_sentences), "0", 0, 100000,
      "sentences searched at once by each thread; 0: 256 divided by the beam, at least 16" },
    { "batch-tokens", OPTION_INT, FIELD(batch_tokens), "8192", 1, 100000000,
      "source tokens times beam, or samples, worked on at once by each thread" },
    { "max-source", OPTION_INT, FIELD(max_source), "1000", 1, 1000000,
      "tokens of a line; longer ones are truncated or refused" },
    { "long-lines", OPTION_CHOICE, FIELD(long_lines), "truncate", 0, 0,
      "truncate lines above max-source, telling which, or refuse them", .choices = long_choices },
    { "window", OPTION_INT, FIELD(window), "4096", 1, 1000000,
      "lines read and sorted by length together; output comes a window at a time" },
    { 0 }
};

struct search {
    const struct stepper *model;
    struct search_config config;
    struct advance advance;
    void (*method)(struct slot *, struct advance *, float *logit, const float *lse);

    struct slot *slots;                         /* config.batch_sentences */
    int active, rows;
    int64_t cost;                               /* of config.batch_tokens */
    struct sentence pending;                    /* the feed's next one, not yet admitted */
    bool has_pending, drained;                  /* drained: the feed has no more */

    int32_t *token;                             /* a row each */
    int *parent;
    float *logit, *lse;                         /* (rows,V), (rows) */
    int logit_rows;

    int32_t *source, *source_start;             /* of the sentences being admitted */
    size_t source_room;

    struct hypothesis *best;                    /* n_best, with ids and token_logp behind them */
    int32_t *ids;
    float *token_logp;
    size_t ids_room, token_logp_room;
    struct search_stats stats;
};

static int check_sampling(const struct search_config *c, struct error *err)
{
    const struct sampling *s = &c->sampling;
    if (!c->sampled && (s->temperature != 1 || s->top_k || s->top_p != 1))
        return error_set(err, "--sampling-temperature, --sampling-top-k and --sampling-top-p say how "
                         "to draw: give --sampling with them");
    return 0;
}

int search_check(const struct search_config *config, struct error *err)
{
    if (check_sampling(config, err) < 0)
        return -1;
    if (config->sampled)
        return 0;
    if (config->n_best > config->beam)
        return error_set(err, "--n-best %d asks for more than --beam %d keeps: raise the beam to %d",
                         config->n_best, config->beam, config->n_best);
    return 0;
}

int search_rows(const struct search_config *config)
{
    return config->sampled ? config->n_best : config->beam;
}

double search_score(const struct search_config *config, double logp, int length)
{
    if (logp == -INFINITY || config->alpha == 0)
        return logp;
    switch ((enum length_penalty)config->length_penalty) {
    case PENALTY_LENGTH:
        return logp / (config->alpha == 1 ? length : pow(length, config->alpha));
    case PENALTY_GNMT:
        return logp / pow((5.0 + length) / 6.0, config->alpha);
    case PENALTY_NONE:
        break;
    }
    return logp;
}

int search_limit(const struct search_config *config, int source_tokens)
{
    double limit = (double)config->max_length_factor * source_tokens + config->max_length_offset;
    double most = config->max_length ? config->max_length : INT_MAX / 4;
    return limit < 1 ? 1 : limit > most ? (int)most : (int)limit;
}

/* Where the matrix products of small models stop gaining and the caches start losing. */
static int good_batch(int rows)
{
    int sentences = 256 / rows;
    return sentences < 16 ? 16 : sentences;
}

struct search *search_new(const struct stepper *model, const struct search_config *config)
{
    struct search *s = xcalloc(1, sizeof *s);
    s->model = model;
    s->config = *config;
    s->config.unscored = config->unscored && config->beam == 1 && !config->sampled;
    if (s->config.batch_sentences == 0)
        s->config.batch_sentences = good_batch(search_rows(config));
    size_t k = (size_t)search_rows(config), sentences = (size_t)s->config.batch_sentences;
    s->method = config->sampled ? advance_sampled : k == 1 ? advance_greedy : advance_beam;
    s->slots = xcalloc(sentences, sizeof *s->slots);
    s->token = xcalloc(sentences * k, sizeof *s->token);
    s->parent = xcalloc(sentences * k, sizeof *s->parent);
    s->lse = xcalloc(sentences * k, sizeof *s->lse);
    s->source_start = xcalloc(sentences + 1, sizeof *s->source_start);
    s->best = xcalloc((size_t)config->n_best, sizeof *s->best);
    s->advance = (struct advance){
        .config = &s->config, .V = model->vocab, .eos = model->eos,
        .candidates = xcalloc(2 * k, sizeof(struct candidate)),
        .sum = xcalloc(k, sizeof(double)),
    };
    return s;
}

void search_free(struct search *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->config.batch_sentences; i++)
        slot_release(&s->slots[i]);
    free(s->slots);
    free(s->token);
    free(s->parent);
    free(s->logit);
    free(s->lse);
    free(s->source);
    free(s->source_start);
    free(s->best);
    free(s->ids);
    free(s->token_logp);
    free(s->advance.candidates);
    free(s->advance.sum);
    sampler_release(&s->advance.sampler);
    free(s);
}

const struct search_stats *search_stats(const struct search *s)
{
    return &s->stats;
}

/* --- joining the batch --- */

static bool peek(struct search *s, const struct search_feed *feed)
{
    if (!s->has_pending && !s->drained) {
        s->has_pending = feed->next(feed->arg, &s->pending);
        s->drained = !s->has_pending;
    }
    return s->has_pending;
}

static bool fits(const struct search *s)
{
    int64_t cost = slot_cost(&s->pending, &s->config);
    return s->active == 0
        || (s->active < s->config.batch_sentences && s->cost + cost <= s->config.batch_tokens);
}

/* Small gaps are left open: an encoder that runs over one sentence wastes its matrix products. */
static bool worth_admitting(const struct search *s)
{
    return s->active <= s->config.batch_sentences * 3LL / 4
        && s->cost <= s->config.batch_tokens * 3LL / 4;
}

/* One call of the encoder: enough tokens to fill its matrix products, not so many that their
 * activations leave the caches or fill the memory. */
enum { ENCODE_TOKENS = 1024 };

static void pack(struct search *s, int B)
{
    int start = s->source_start[B];
    const struct sentence *p = &s->pending;
    ARRAY_GROW(s->source, s->source_room, (size_t)start + (size_t)p->source_count);
    memcpy(s->source + start, p->source, (size_t)p->source_count * sizeof *s->source);
    s->source_start[B + 1] = start + p->source_count;
    s->has_pending = false;
}

/* Gives the next few sentences of the feed their slots, and encodes them; false: none came. */
static bool admit_some(struct search *s, const struct search_feed *feed)
{
    int B = 0, max_steps = 0;
    while (s->source_start[B] < ENCODE_TOKENS && peek(s, feed) && fits(s)) {
        struct slot *slot = &s->slots[s->active++];
        slot_begin(slot, &s->pending, &s->config);
        pack(s, B++);
        s->cost += slot->cost;
        s->rows++;
        if (max_steps < slot->limit + 1)
            max_steps = slot->limit + 1;
    }
    if (B)
        s->model->admit(s->model->state, s->source, s->source_start, B, max_steps);
    return B > 0;
}

static void admit(struct search *s, const struct search_feed *feed)
{
    while (admit_some(s, feed))
        ;
}

/* --- one step of all --- */

static void make_room(struct search *s)
{
    if (s->rows <= s->logit_rows)
        return;
    free(s->logit);
    s->logit = xaligned((size_t)s->rows * (size_t)s->advance.V * sizeof *s->logit);
    s->logit_rows = s->rows;
}

static void run_model(struct search *s)
{
    int row = 0;
    for (int i = 0; i < s->active; i++)
        for (int r = 0; r < s->slots[i].live_count; r++)
            s->token[row++] = s->slots[i].step ? slot_token(&s->slots[i], r) : s->model->bos;
    make_room(s);
    s->model->step(s->model->state, s->token, s->rows, s->logit, s->config.unscored ? NULL : s->lse);
    s->stats.steps++;
    s->stats.rows += s->rows;
}

static void forbid_special(const struct search *s, const struct slot *slot, float *logit)
{
    for (int r = 0; r < slot->live_count; r++)
        for (int i = 0; i < s->model->special_count; i++)
            logit[(size_t)r * (size_t)s->advance.V + (size_t)s->model->special[i]] = -INFINITY;
}

static void advance(struct search *s, struct slot *slot, float *logit, const float *lse)
{
    if (slot->step < slot->prefix_count) {
        advance_forced(slot, &s->advance, logit, lse);
        return;
    }
    if (!s->config.allow_unk)
        forbid_special(s, slot, logit);
    s->method(slot, &s->advance, logit, lse);
}

static void hand_out(struct search *s, const struct slot *slot, const struct search_feed *feed)
{
    int n = slot->finished_count < s->config.n_best ? slot->finished_count : s->config.n_best;
    size_t each = (size_t)slot->step + 1;
    ARRAY_GROW(s->ids, s->ids_room, each * (size_t)n);
    ARRAY_GROW(s->token_logp, s->token_logp_room, each * (size_t)n);
    for (int i = 0; i < n; i++) {
        const struct finished *f = &slot->finished[i];
        int32_t *ids = s->ids + each * (size_t)i;
        float *token_logp = s->token_logp + each * (size_t)i;
        int count = slot_trace(slot, f, ids, token_logp);
        s->best[i] = (struct hypothesis){ ids, count, token_logp, f->logp, f->score, f->cut };
    }
    s->stats.sentences++;
    s->stats.tokens += s->best[0].count + 1;
    feed->done(feed->arg, slot->index, s->best, n);
}

/* Hands out what is done and moves the other slots together, in order. */
static void retire(struct search *s, const struct search_feed *feed)
{
    int kept = 0;
    for (int i = 0; i < s->active; i++) {
        if (s->slots[i].live_count == 0) {
            hand_out(s, &s->slots[i], feed);
            s->cost -= s->slots[i].cost;
            continue;
        }
        if (kept != i) {
            struct slot moved = s->slots[kept];
            s->slots[kept] = s->slots[i];
            s->slots[i] = moved;
        }
        kept++;
    }
    s->active = kept;
}

/* Advances every slot and fills `parent`, counting the rows that there will be. */
static int choose(struct search *s)
{
    int V = s->advance.V, first = 0, rows = 0;
    for (int i = 0; i < s->active; i++) {
        struct slot *slot = &s->slots[i];
        int before = slot->live_count;
        advance(s, slot, s->logit + (size_t)first * (size_t)V, s->lse + first);
        for (int r = 0; r < slot->live_count; r++)
            s->parent[rows++] = first + slot->live[r].row;
        first += before;
    }
    return rows;
}

static void reorder(struct search *s, int rows)
{
    bool same = rows == s->rows;
    for (int r = 0; r < rows && same; r++)
        same = s->parent[r] == r;
    s->rows = rows;
    if (rows == 0)
        s->model->clear(s->model->state);
    else if (!same)
        s->model->reorder(s->model->state, s->parent, rows);
}

void search_run(struct search *s, const struct search_feed *feed)
{
    s->drained = false;
    for (;;) {
        if (worth_admitting(s))
            admit(s, feed);
        if (s->active == 0)
            break;
        run_model(s);
        int rows = choose(s);
        retire(s, feed);
        reorder(s, rows);
    }
}
