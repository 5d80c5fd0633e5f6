/* The transformer one step at a time.
 *
 * A row of the stepper owns a slot: its keys and values (or its SSRU states) of every decoder
 * layer so far.  Rows of one sentence share the sentence's memory, the cross-attention's keys and
 * values, projected once.  Reordering moves slot pointers; only a second child of one parent
 * copies.  All rows of a step go through each linear layer together. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "seq2seq/best_output.h"
#include "seq2seq/cache.h"
#include "seq2seq/step_output.h"
#include "seq2seq/transformer.h"
#include "seq2seq/watch.h"
#include "tensor/ops.h"

#define FIRST_STEPS 32          /* room of a new slot; doubled when full */
#define SPARE_SOURCE 64         /* a memory for more source tokens is not kept for later */

struct memory {
    int rows;                   /* rows that use it */
    int S;                      /* source tokens */
    struct cache kv;
};

struct slot {
    int length;                 /* steps made */
    struct cache kv;
    float *ssru;                /* (layers,D) states, instead */
};

struct row {
    struct slot *slot;
    struct memory *memory;
};

struct state {
    struct pass pass;
    struct tape tape;
    int rows, room;
    struct row *row, *before;   /* the rows, and the old ones while reordering */
    int *users;                 /* children of each old row */
    struct slot **spare;        /* slots to be used again … */
    struct memory **spare_memory;               /* … and memories */
    int spares, spare_room, spare_memories, spare_memory_room;
    float *scores;
    int scores_room;
    struct step_output output;
    struct best_output best;
    struct watch watch;
};

static int width(const struct state *s)
{
    return s->pass.m->config.dim;
}

static int layers(const struct state *s)
{
    return s->pass.m->config.decoder_layers;
}

static bool is_ssru(const struct state *s)
{
    return s->pass.m->config.decoder_layer == DECODER_SSRU;
}

/* ---- slots and memories ---- */

static struct slot *slot_take(struct state *s)
{
    if (s->spares) {
        struct slot *slot = s->spare[--s->spares];
        slot->length = 0;
        return slot;
    }
    struct slot *slot = xcalloc(1, sizeof *slot);
    if (is_ssru(s))
        slot->ssru = xaligned((size_t)layers(s) * (size_t)width(s) * sizeof(float));
    return slot;
}

static void slot_free(struct slot *slot)
{
    cache_release(&slot->kv);
    free(slot->ssru);
    free(slot);
}

/* A slot that grew gives its memory back, or one long sentence after another would make all long. */
static void slot_give(struct state *s, struct slot *slot)
{
    if (slot->kv.room > FIRST_STEPS)
        cache_release(&slot->kv);
    if (s->spares == s->spare_room) {
        s->spare_room = s->spare_room ? 2 * s->spare_room : 64;
        s->spare = xrealloc(s->spare, (size_t)s->spare_room * sizeof *s->spare);
    }
    s->spare[s->spares++] = slot;
}

static void slot_copy(const struct state *s, struct slot *to, const struct slot *from)
{
    to->length = from->length;
    if (is_ssru(s))
        memcpy(to->ssru, from->ssru, (size_t)layers(s) * (size_t)width(s) * sizeof(float));
    else
        cache_copy(&to->kv, &from->kv, from->length, width(s), layers(s));
}

static struct memory *memory_take(struct state *s, int S)
{
    struct memory *m = s->spare_memories ? s->spare_memory[--s->spare_memories] : xcalloc(1, sizeof *m);
    m->rows = 1;
    m->S = S;
    cache_reserve(&m->kv, S, width(s), layers(s));
    return m;
}

static void memory_free(struct memory *m)
{
    cache_release(&m->kv);
    free(m);
}

static void memory_drop(struct state *s, struct memory *m)
{
    if (--m->rows)
        return;
    if (m->kv.room > SPARE_SOURCE)
        cache_release(&m->kv);
    if (s->spare_memories == s->spare_memory_room) {
        s->spare_memory_room = s->spare_memory_room ? 2 * s->spare_memory_room : 64;
        s->spare_memory = xrealloc(s->spare_memory, (size_t)s->spare_memory_room * sizeof *s->spare_memory);
    }
    s->spare_memory[s->spare_memories++] = m;
}

/* ---- admit ---- */

static void rows_reserve(struct state *s, int rows)
{
    if (rows <= s->room)
        return;
    s->room = rows > 2 * s->room ? rows : 2 * s->room;
    s->row = xrealloc(s->row, (size_t)s->room * sizeof *s->row);
    s->before = xrealloc(s->before, (size_t)s->room * sizeof *s->before);
    s->users = xrealloc(s->users, (size_t)s->room * sizeof *s->users);
}

static void admit(void *state, const int32_t *source, const int32_t *start, int B, int max_steps)
{
    struct state *s = state;
    int first = s->rows, D = width(s);
    (void)max_steps;            /* slots grow as they are needed */
    rows_reserve(s, s->rows + B);
    for (int b = 0; b < B; b++)
        s->row[s->rows++] = (struct row){ slot_take(s), memory_take(s, start[b + 1] - start[b]) };

    struct tensor *encoded = encode(&s->pass, source, start, B);
    for (int l = 0; l < layers(s); l++) {
        struct tensor *kv = pass_linear(&s->pass, encoded, s->pass.r->decoder[l].cross_kv);
        for (int b = 0; b < B; b++)
            cache_write(&s->row[first + b].memory->kv, l, 0, kv->data + (size_t)start[b] * 2 * D, 2 * (size_t)D,
                        start[b + 1] - start[b], D, layers(s));
    }
    tape_reset(&s->tape);
}

/* ---- step ---- */

static float *scores_of(struct state *s, int T)
{
    if (T > s->scores_room) {
        s->scores_room = 2 * T;
        s->scores = xrealloc(s->scores, (size_t)s->scores_room * sizeof(float));
    }
    return s->scores;
}

/* All heads of one row over T keys and values; watched_row -1: none. */
static void attend(struct state *s, float *out, const float *q, const struct cache *kv, int layer, int T,
                   int watched_row)
{
    int D = width(s), heads = s->pass.m->config.heads, whole = (T + CACHE_TILE - 1) / CACHE_TILE * CACHE_TILE;
    float *scores = scores_of(s, heads * whole);
    kernel->attend(out, q, cache_layer(kv, D, layer), cache_stride(D, layers(s)), T, D, heads,
                   1 / sqrtf((float)(D / heads)), scores);
    for (int h = 0; h < heads && watched_row >= 0; h++)
        watch_add(&s->watch, watched_row, scores + (size_t)h * (size_t)whole, T, 1 / (float)heads);
}

static struct tensor *step_self(struct state *s, struct tensor *x, int layer)
{
    const struct layer_refs *l = &s->pass.r->decoder[layer];
    int D = width(s);
    struct tensor *qkv = pass_linear(&s->pass, sublayer_input(&s->pass, x, l->norm_self), l->qkv);
    struct tensor *y = tensor_new(&s->tape, s->rows, D);
    for (int r = 0; r < s->rows; r++) {
        struct slot *slot = s->row[r].slot;
        const float *qkv_r = qkv->data + (size_t)r * 3 * D;
        cache_write(&slot->kv, layer, slot->length, qkv_r + D, 0, 1, D, layers(s));
        attend(s, y->data + (size_t)r * D, qkv_r, &slot->kv, layer, slot->length + 1, -1);
    }
    return sublayer_output(&s->pass, x, pass_linear(&s->pass, y, l->self_out), l->norm_self);
}

static struct tensor *step_ssru(struct state *s, struct tensor *x, int layer)
{
    const struct layer_refs *l = &s->pass.r->decoder[layer];
    int D = width(s);
    struct tensor *fx = pass_linear(&s->pass, sublayer_input(&s->pass, x, l->norm_self), l->recurrence);
    struct tensor *y = tensor_new(&s->tape, s->rows, D);
    float *c = arena_take(&s->tape.arena, (size_t)D * sizeof(float));
    for (int r = 0; r < s->rows; r++) {
        struct slot *slot = s->row[r].slot;
        float *before = slot->ssru + (size_t)layer * (size_t)D;
        if (!slot->length)
            memset(before, 0, (size_t)D * sizeof(float));
        kernel->ssru_forward(y->data + (size_t)r * D, c, fx->data + (size_t)r * 2 * D, before, 1, D);
        memcpy(before, c, (size_t)D * sizeof(float));
    }
    return sublayer_output(&s->pass, x, y, l->norm_self);
}

static int longest_memory(const struct state *s)
{
    int S = 0;
    for (int r = 0; r < s->rows; r++)
        S = s->row[r].memory->S > S ? s->row[r].memory->S : S;
    return S;
}

/* The last layer but one aligns best (Garg 2019). */
static bool is_watched(const struct state *s, int layer)
{
    return s->watch.on && layer == (layers(s) > 1 ? layers(s) - 2 : 0);
}

static struct tensor *step_cross(struct state *s, struct tensor *x, int layer)
{
    const struct layer_refs *l = &s->pass.r->decoder[layer];
    int D = width(s);
    struct tensor *q = pass_linear(&s->pass, sublayer_input(&s->pass, x, l->norm_cross), l->cross_q);
    struct tensor *y = tensor_new(&s->tape, s->rows, D);
    bool watched = is_watched(s, layer);
    if (watched)
        watch_begin(&s->watch, s->rows, longest_memory(s));
    for (int r = 0; r < s->rows; r++) {
        const struct memory *m = s->row[r].memory;
        attend(s, y->data + (size_t)r * D, q->data + (size_t)r * D, &m->kv, layer, m->S, watched ? r : -1);
    }
    return sublayer_output(&s->pass, x, pass_linear(&s->pass, y, l->cross_out), l->norm_cross);
}

static struct tensor *step_embed(struct state *s, const int32_t *token)
{
    int32_t *place = arena_take(&s->tape.arena, ((size_t)s->rows + 1) * sizeof *place);
    for (int r = 0; r < s->rows; r++)
        place[r] = s->row[r].slot->length;
    return embed_tokens(&s->pass, s->pass.r->target_embed, s->pass.r->target_positions, token, place, s->rows);
}

/* The rows' hidden states before the output layer. */
static struct tensor *step_hidden(struct state *s, const int32_t *token, int rows)
{
    assert(rows == s->rows);
    struct tensor *x = step_embed(s, token);
    for (int r = 0; r < rows && !is_ssru(s); r++) {
        struct slot *slot = s->row[r].slot;
        cache_reserve(&slot->kv, slot->length < FIRST_STEPS ? FIRST_STEPS : slot->length + 1, width(s), layers(s));
    }
    for (int l = 0; l < layers(s); l++) {
        x = is_ssru(s) ? step_ssru(s, x, l) : step_self(s, x, l);
        x = step_cross(s, x, l);
        x = feed_forward(&s->pass, x, &s->pass.r->decoder[l]);
    }
    for (int r = 0; r < rows; r++)
        s->row[r].slot->length++;
    return final_norm(&s->pass, x, s->pass.r->decoder_norm);
}

static void step(void *state, const int32_t *token, int rows, float *logit, float *lse)
{
    struct state *s = state;
    step_output(&s->output, logit, lse, step_hidden(s, token, rows)->data, rows);
    tape_reset(&s->tape);
}

static void best(void *state, const int32_t *token, int rows, const struct barred *barred, int32_t *out)
{
    struct state *s = state;
    best_output(&s->best, out, step_hidden(s, token, rows)->data, rows, barred);
    tape_reset(&s->tape);
}

/* ---- reorder ---- */

static void reorder(void *state, const int *parent, int rows)
{
    struct state *s = state;
    int old = s->rows;
    if (!old)
        return;
    rows_reserve(s, rows > old ? rows : old);
    memcpy(s->before, s->row, (size_t)old * sizeof *s->row);
    memset(s->users, 0, (size_t)old * sizeof *s->users);
    for (int r = 0; r < rows; r++) {
        int p = parent[r];
        s->row[r] = s->before[p];
        if (s->users[p]++) {
            s->row[r].slot = slot_take(s);
            slot_copy(s, s->row[r].slot, s->before[p].slot);
            s->row[r].memory->rows++;
        }
    }
    for (int p = 0; p < old; p++)
        if (!s->users[p]) {
            slot_give(s, s->before[p].slot);
            memory_drop(s, s->before[p].memory);
        }
    s->rows = rows;
}

static void clear(void *state)
{
    reorder(state, NULL, 0);
}

static void limit(void *state, const struct candidates *c)
{
    struct state *s = state;
    step_output_limit(&s->output, c);
}

static void watch(void *state, bool on)
{
    struct state *s = state;
    s->watch.on = on;
}

static const float *attention(void *state, int row, int count)
{
    const struct state *s = state;
    (void)count;
    assert(count <= s->watch.width);
    return watch_row(&s->watch, row);
}

static void state_free(void *state)
{
    struct state *s = state;
    clear(s);
    step_output_release(&s->output);
    best_output_release(&s->best);
    free(s->watch.weight);
    while (s->spares)
        slot_free(s->spare[--s->spares]);
    while (s->spare_memories)
        memory_free(s->spare_memory[--s->spare_memories]);
    free(s->spare_memory);
    free(s->spare);
    free(s->row);
    free(s->before);
    free(s->users);
    free(s->scores);
    tape_release(&s->tape);
    free(s);
}

/* Caches double when they are full, and stand beside the old ones for a moment; a step keeps some dozen
 * rows of D, the encoder some dozen a token. */
static int64_t bytes(void *state, int source, int rows, int steps)
{
    const struct state *s = state;
    const struct model_config *c = &s->pass.m->config;
    int64_t D = width(s), place = 2 * D * layers(s), own = is_ssru(s) ? place : place * (2 * (int64_t)steps + FIRST_STEPS);
    int64_t floats = place * (source + CACHE_TILE) + rows * (own + c->target_vocab + 24 * D + 2 * c->ffn)
                     + (24 * D + 2 * c->ffn) * (int64_t)source;
    return floats * (int64_t)sizeof(float);
}

int transformer_stepper(struct stepper *out, const struct model *m)
{
    struct state *s = xcalloc(1, sizeof *s);
    s->tape.params = &m->params;
    s->pass = (struct pass){ m, m->refs, &s->tape };
    s->output.m = s->best.m = m;
    *out = (struct stepper){
        .special = m->special, .special_count = m->special_count,
        .vocab = m->config.target_vocab, .state = s, .admit = admit, .step = step,
        .reorder = reorder, .clear = clear, .free = state_free,
        .limit = limit, .watch = watch, .attention = attention,
        .best = m->screen ? best : NULL, .rows = model_rows(m), .bytes = bytes, .shared_bytes = model_bytes(m),
        .bos = model_bos(m), .eos = model_eos(m),
    };
    return 0;
}
