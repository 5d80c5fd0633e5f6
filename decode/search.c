/* The continuous batch.
 *
 * Slots 0 … active-1 hold the sentences in the order of their rows in the stepper: slot i's rows
 * follow those of slot i-1.  One step of the engine feeds every row its last token, lets each
 * slot choose, hands out the finished sentences, closes the gaps that they leave, and tells the
 * stepper which old row each new row continues.  New sentences come in when a quarter of the
 * batch is free, so that their encoder has several to work on at once. */
#include "decode/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "decode/slot.h"

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
    size_t logit_room;                          /* floats */
    struct vocabulary vocabulary;               /* under a shortlist */

    int32_t *source, *source_start;             /* of the sentences being admitted */
    size_t source_room;

    struct hypothesis *best;                    /* n_best, with ids and the others behind them */
    int32_t *ids;
    float *token_logp, *attention;
    size_t ids_room, token_logp_room, attention_room;
    struct search_stats stats;

    bool may_ask_best, asked_best;              /* see asks_best; of this step */
    int32_t *choice;                            /* then: the best token of each row */
    bool *no_eos;
};

/* Where the matrix products of small models stop gaining and the caches start losing. */
static int good_batch(const struct stepper *model, int rows)
{
    int all = model->rows ? model->rows : 256, least = model->rows ? 4 : 16, sentences = (all + rows - 1) / rows;
    return sentences < least ? least : sentences;
}

/* Whether the model may be asked for the best token alone: nothing needs more, nothing changes scores. */
static bool asks_best(const struct search *s)
{
    const struct search_config *c = &s->config;
    return c->unscored && s->model->best && !c->tokens && !c->no_repeat && !c->watched && c->coverage == 0;
}

struct search *search_new(const struct stepper *model, const struct search_config *config)
{
    struct search *s = xcalloc(1, sizeof *s);
    s->model = model;
    s->config = *config;
    s->config.unscored = config->unscored && config->beam == 1 && !config->sampled
                      && config->repetition == 1;
    if (s->config.batch_sentences == 0)
        s->config.batch_sentences = good_batch(model, search_rows(config));
    size_t k = (size_t)search_rows(config), sentences = (size_t)s->config.batch_sentences;
    s->method = config->sampled ? advance_sampled : k == 1 ? advance_greedy : advance_beam;
    s->slots = xcalloc(sentences, sizeof *s->slots);
    s->token = xcalloc(sentences * k, sizeof *s->token);
    s->parent = xcalloc(sentences * k, sizeof *s->parent);
    s->lse = xcalloc(sentences * k, sizeof *s->lse);
    s->source_start = xcalloc(sentences + 1, sizeof *s->source_start);
    s->choice = xcalloc(sentences * k, sizeof *s->choice);
    s->no_eos = xcalloc(sentences * k, sizeof *s->no_eos);
    s->may_ask_best = asks_best(s);
    s->best = xcalloc((size_t)config->n_best, sizeof *s->best);
    s->advance = (struct advance){
        .config = &s->config, .model = model, .watched = config->watched || config->coverage > 0,
        .V = model->vocab, .stride = model->vocab, .eos = model->eos,
        .candidates = xcalloc(2 * k, sizeof(struct candidate)),
        .sum = xcalloc(k, sizeof(double)),
    };
    if (s->advance.watched)
        model->watch(model->state, true);
    if (config->tokens)
        vocabulary_init(&s->vocabulary, config->tokens, &config->shortlist_limits, model,
                        s->config.batch_sentences * (int)k);
    return s;
}

void search_free(struct search *s)
{
    if (!s)
        return;
    vocabulary_release(&s->vocabulary);
    for (int i = 0; i < s->config.batch_sentences; i++)
        slot_release(&s->slots[i]);
    free(s->slots);
    free(s->token);
    free(s->parent);
    free(s->logit);
    free(s->lse);
    free(s->source);
    free(s->source_start);
    free(s->choice);
    free(s->no_eos);
    free(s->best);
    free(s->ids);
    free(s->token_logp);
    free(s->attention);
    advance_release(&s->advance);
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

static int64_t most_cost(const struct search *s)
{
    return s->config.batch_bytes ? s->config.batch_bytes : s->config.batch_tokens;
}

static int64_t cost_of(const struct search *s, const struct sentence *sentence)
{
    const struct search_config *c = &s->config;
    if (!c->batch_bytes)
        return slot_cost(sentence, c);
    return s->model->bytes(s->model->state, sentence->source_count, search_rows(c),
                           search_limit(c, sentence->source_count - 1) + 1);
}

static bool fits(const struct search *s)
{
    return s->active == 0
        || (s->active < s->config.batch_sentences && s->cost + cost_of(s, &s->pending) <= most_cost(s));
}

/* Small gaps are left open: an encoder that runs over one sentence wastes its matrix products. */
static bool worth_admitting(const struct search *s)
{
    return s->active <= s->config.batch_sentences * 3LL / 4 && s->cost <= most_cost(s) / 4 * 3;
}

/* One call of the encoder: enough tokens to fill its matrix products, not so many that their
 * activations leave the caches or fill the memory. */
enum { ENCODE_TOKENS = 512 };

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
        slot->cost = cost_of(s, &s->pending);
        if (s->config.tokens)
            vocabulary_begin(&s->vocabulary, &slot->own, s->pending.source, s->pending.source_count,
                             slot->prefix, slot->prefix_count);
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

static struct own_tokens *own_of(void *arg, int i)
{
    struct search *s = arg;
    return &s->slots[i].own;
}

static void admit(struct search *s, const struct search_feed *feed)
{
    int before = s->active;
    while (admit_some(s, feed))
        ;
    if (s->config.tokens && s->active > before)
        vocabulary_unite(&s->vocabulary, own_of, s, s->active);
}

/* --- one step of all --- */

static void make_room(struct search *s)
{
    size_t need = (size_t)s->rows * (size_t)s->advance.stride;
    if (need <= s->logit_room)
        return;
    free(s->logit);
    need = need < 2 * s->logit_room ? 2 * s->logit_room : need;
    s->logit = xaligned(need * sizeof *s->logit);
    s->logit_room = need;
}

/* Tells the model which tokens each row may choose from.  When half of the sentences have gone,
 * theirs are taken out. */
static void limit_rows(struct search *s)
{
    struct vocabulary *v = &s->vocabulary;
    int row = 0;
    if (s->active <= v->united / 2)
        vocabulary_unite(v, own_of, s, s->active);
    s->advance.stride = v->all.count;
    for (int i = 0; i < s->active; i++)
        for (int r = 0; r < s->slots[i].live_count; r++) {
            v->own[row] = s->slots[i].own.place;
            v->own_count[row++] = s->slots[i].own.count;
        }
}

static bool none_forced(const struct search *s)
{
    for (int i = 0; i < s->active; i++)
        if (s->slots[i].step < s->slots[i].prefix_count)
            return false;
    return true;
}

static void ask_best(struct search *s)
{
    struct barred barred = { s->model->special, s->config.allow_unk ? 0 : s->model->special_count, s->no_eos };
    for (int i = 0; i < s->active; i++)         /* one row a sentence */
        s->no_eos[i] = s->slots[i].step < s->slots[i].least && s->slots[i].step < s->slots[i].limit;
    s->model->best(s->model->state, s->token, s->rows, &barred, s->choice);
}

static void run_model(struct search *s)
{
    int row = 0;
    for (int i = 0; i < s->active; i++)
        for (int r = 0; r < s->slots[i].live_count; r++)
            s->token[row++] = s->slots[i].step ? slot_token(&s->slots[i], r) : s->model->bos;
    s->asked_best = s->may_ask_best && none_forced(s);
    if (s->asked_best) {
        ask_best(s);
    } else {
        if (s->config.tokens)
            limit_rows(s);
        make_room(s);
        s->model->step(s->model->state, s->token, s->rows, s->logit, s->config.unscored ? NULL : s->lse);
    }
    s->stats.steps++;
    s->stats.rows += s->rows;
}

static void advance(struct search *s, struct slot *slot, int first)
{
    struct advance *a = &s->advance;
    a->first = first;
    if (s->asked_best) {
        advance_best(slot, a, s->choice[first]);
        return;
    }
    if (s->config.tokens) {
        a->ids = slot->own.ids;
        a->V = slot->own.count;
        a->eos = advance_place(a, s->model->eos);
    }
    (slot->step < slot->prefix_count ? advance_forced : s->method)(
        slot, a, s->logit + (size_t)first * (size_t)a->stride, s->lse + first);
}

static void hand_out(struct search *s, const struct slot *slot, const struct search_feed *feed)
{
    int n = slot->finished_count < s->config.n_best ? slot->finished_count : s->config.n_best;
    size_t each = (size_t)slot->step + 1, S = (size_t)slot->source_count;
    ARRAY_GROW(s->ids, s->ids_room, each * (size_t)n);
    ARRAY_GROW(s->token_logp, s->token_logp_room, each * (size_t)n);
    if (s->config.watched)
        ARRAY_GROW(s->attention, s->attention_room, each * S * (size_t)n);
    for (int i = 0; i < n; i++) {
        const struct finished *f = &slot->finished[i];
        int32_t *ids = s->ids + each * (size_t)i;
        float *token_logp = s->token_logp + each * (size_t)i;
        float *attention = s->config.watched ? s->attention + each * S * (size_t)i : NULL;
        int count = slot_trace(slot, f, ids, token_logp);
        if (attention)
            slot_trace_attention(slot, f, count, attention);
        s->best[i] = (struct hypothesis){ ids, count, token_logp, f->logp, f->score, attention,
                                          slot->source_count, f->cut };
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
    int first = 0, rows = 0;
    for (int i = 0; i < s->active; i++) {
        struct slot *slot = &s->slots[i];
        int before = slot->live_count;
        advance(s, slot, first);
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
