/* The transformer (Vaswani et al. 2017): declaration of its weights and the teacher-forced pass. */
#include "seq2seq/transformer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "seq2seq/architecture.h"
#include "tensor/ops.h"

/* ---- positions ---- */

/* [sin(place / 10000^(2i/D)) …, cos(…) …], the two halves side by side. */
static void fill_sinusoids(float *table, int rows, int D)
{
    int half = D / 2;
    for (int i = 0; i < half; i++) {
        double rate = exp(-log(10000.0) * i / (half > 1 ? half - 1 : 1));
        for (int n = 0; n < rows; n++) {
            table[(size_t)n * D + i] = (float)sin(n * rate);
            table[(size_t)n * D + half + i] = (float)cos(n * rate);
        }
    }
}

/* ---- weights ---- */

static void declare_linear(struct param_set *set, struct pair_ref *ref, int out, int in,
                           const char *where, int layer, const char *name)
{
    param_add(set, &ref->weight, INIT_XAVIER, out, in, "%s.%d.%s.weight", where, layer, name);
    param_add(set, &ref->bias, INIT_ZERO, 1, out, "%s.%d.%s.bias", where, layer, name);
}

static void declare_norm(struct param_set *set, struct pair_ref *ref, int D, const char *where,
                         int layer, const char *name)
{
    param_add(set, &ref->weight, INIT_ONE, 1, D, "%s.%d.%s.gain", where, layer, name);
    param_add(set, &ref->bias, INIT_ZERO, 1, D, "%s.%d.%s.bias", where, layer, name);
}

static void declare_layer(struct param_set *set, struct layer_refs *l, const struct model_config *c,
                          const char *where, int i, bool decoder)
{
    int D = c->dim, F = c->ffn;
    declare_norm(set, &l->norm_self, D, where, i, "self.norm");
    if (decoder && c->decoder_layer == DECODER_SSRU) {
        declare_linear(set, &l->recurrence, 2 * D, D, where, i, "ssru");
    } else {
        declare_linear(set, &l->qkv, 3 * D, D, where, i, "self.qkv");
        declare_linear(set, &l->self_out, D, D, where, i, "self.out");
    }
    if (decoder) {
        declare_norm(set, &l->norm_cross, D, where, i, "cross.norm");
        declare_linear(set, &l->cross_q, D, D, where, i, "cross.q");
        declare_linear(set, &l->cross_kv, 2 * D, D, where, i, "cross.kv");
        declare_linear(set, &l->cross_out, D, D, where, i, "cross.out");
    }
    declare_norm(set, &l->norm_ffn, D, where, i, "ffn.norm");
    declare_linear(set, &l->ffn_in, c->activation == ACTIVATION_SWIGLU ? 2 * F : F, D, where, i, "ffn.in");
    declare_linear(set, &l->ffn_out, D, F, where, i, "ffn.out");
}

static void declare_tables(struct param_set *set, struct transformer_refs *r,
                           const struct model_config *c)
{
    int D = c->dim;
    r->source_positions = r->target_positions = -1;
    param_add(set, &r->source_embed, INIT_EMBED, c->source_vocab, D,
              c->tied == TIE_ALL ? "embed" : "source.embed");
    r->target_embed = r->source_embed;
    if (c->decoder_layers && c->tied != TIE_ALL)
        param_add(set, &r->target_embed, INIT_EMBED, c->target_vocab, D, "target.embed");
    r->output.weight = r->target_embed;
    r->output.bias = -1;
    if (c->decoder_layers && c->tied == TIE_NONE)
        param_add(set, &r->output.weight, INIT_XAVIER, c->target_vocab, D, "output.weight");
    if (c->decoder_layers)
        param_add(set, &r->output.bias, INIT_ZERO, 1, c->target_vocab, "output.bias");
    if (c->positions == POSITIONS_LEARNED) {
        param_add(set, &r->source_positions, INIT_EMBED, c->max_positions, D, "source.positions");
        if (c->decoder_layers)
            param_add(set, &r->target_positions, INIT_EMBED, c->max_positions, D, "target.positions");
    } else {
        r->sinusoids = xmalloc((size_t)c->max_positions * D * sizeof(float));
        fill_sinusoids(r->sinusoids, c->max_positions, D);
    }
}

static void transformer_declare(struct param_set *set, void *refs, const struct model_config *c)
{
    struct transformer_refs *r = refs;
    r->encoder = xcalloc((size_t)c->encoder_layers + 1, sizeof *r->encoder);
    r->decoder = xcalloc((size_t)c->decoder_layers + 1, sizeof *r->decoder);
    declare_tables(set, r, c);
    for (int i = 0; i < c->encoder_layers; i++)
        declare_layer(set, &r->encoder[i], c, "encoder", i, false);
    for (int i = 0; i < c->decoder_layers; i++)
        declare_layer(set, &r->decoder[i], c, "decoder", i, true);
    if (c->norm_first) {
        param_add(set, &r->encoder_norm.weight, INIT_ONE, 1, c->dim, "encoder.norm.gain");
        param_add(set, &r->encoder_norm.bias, INIT_ZERO, 1, c->dim, "encoder.norm.bias");
    }
    if (c->norm_first && c->decoder_layers) {
        param_add(set, &r->decoder_norm.weight, INIT_ONE, 1, c->dim, "decoder.norm.gain");
        param_add(set, &r->decoder_norm.bias, INIT_ZERO, 1, c->dim, "decoder.norm.bias");
    }
}

static void transformer_release(void *refs)
{
    struct transformer_refs *r = refs;
    free(r->encoder);
    free(r->decoder);
    free(r->sinusoids);
}

static void transformer_output(const void *refs, int *weight, int *bias)
{
    const struct transformer_refs *r = refs;
    *weight = r->output.weight;
    *bias = r->output.bias;
}

static int transformer_check(const struct model_config *c, struct error *err)
{
    if (c->dim % c->heads)
        return error_set(err, "dim %d is not a multiple of heads %d", c->dim, c->heads);
    if (c->dim % 2)
        return error_set(err, "dim %d is odd; sinusoidal positions need an even one", c->dim);
    return 0;
}

/* ---- sublayers ---- */

struct tensor *pass_linear(struct pass *p, struct tensor *x, struct pair_ref ref)
{
    return op_linear(p->tape, x, tape_param(p->tape, ref.weight), tape_param(p->tape, ref.bias),
                     LINEAR_NONE, 0);
}

static struct tensor *norm(struct pass *p, struct tensor *x, struct pair_ref ref)
{
    return op_layernorm(p->tape, x, tape_param(p->tape, ref.weight), tape_param(p->tape, ref.bias));
}

struct tensor *sublayer_input(struct pass *p, struct tensor *x, struct pair_ref ref)
{
    return p->m->config.norm_first ? norm(p, x, ref) : x;
}

struct tensor *sublayer_output(struct pass *p, struct tensor *x, struct tensor *f,
                               struct pair_ref ref)
{
    struct tensor *y = op_residual(p->tape, x, f, p->m->config.dropout);
    tensor_done(p->tape, f);            /* no sublayer ends with what its gradient reads */
    return p->m->config.norm_first ? y : norm(p, y, ref);
}

struct tensor *final_norm(struct pass *p, struct tensor *x, struct pair_ref ref)
{
    return p->m->config.norm_first ? norm(p, x, ref) : x;
}

static struct tensor *feed_forward_rows(struct pass *p, struct tensor *x, const struct layer_refs *l)
{
    const struct model_config *c = &p->m->config;
    struct tensor *in = sublayer_input(p, x, l->norm_ffn), *h;
    if (c->activation == ACTIVATION_RELU)
        h = op_linear(p->tape, in, tape_param(p->tape, l->ffn_in.weight),
                      tape_param(p->tape, l->ffn_in.bias), LINEAR_RELU, c->dropout_ffn);
    else if (c->activation == ACTIVATION_GELU)
        h = op_gelu(p->tape, pass_linear(p, in, l->ffn_in), c->dropout_ffn);
    else
        h = op_swiglu(p->tape, pass_linear(p, in, l->ffn_in), c->dropout_ffn);
    return sublayer_output(p, x, pass_linear(p, h, l->ffn_out), l->norm_ffn);
}

/* The wide layer between the two of so many rows stays in the caches. */
enum { FEED_ROWS = 72 };

struct tensor *feed_forward(struct pass *p, struct tensor *x, const struct layer_refs *l)
{
    if (!param_packed(&p->m->params, l->ffn_in.weight) || x->rows <= FEED_ROWS)
        return feed_forward_rows(p, x, l);
    struct tensor *y = tensor_new(p->tape, x->rows, x->cols);
    for (int first = 0; first < x->rows; first += FEED_ROWS) {
        int rows = x->rows - first < FEED_ROWS ? x->rows - first : FEED_ROWS;
        size_t at = (size_t)first * (size_t)x->cols;
        struct tape_mark mark = tape_mark(p->tape);
        struct tensor *part = feed_forward_rows(p, tape_constant(p->tape, x->data + at, rows, x->cols), l);
        memcpy(y->data + at, part->data, (size_t)rows * (size_t)x->cols * sizeof(float));
        tape_return(p->tape, mark);
    }
    return y;
}

/* ---- embeddings ---- */

/* The table made at the start, or a longer one for a sentence beyond it. */
static struct tensor *sinusoids(struct pass *p, int rows)
{
    int D = p->m->config.dim;
    if (rows <= p->m->config.max_positions)
        return tape_constant(p->tape, p->r->sinusoids, p->m->config.max_positions, D);
    float *table = arena_take(&p->tape->arena, (size_t)rows * D * sizeof(float));
    fill_sinusoids(table, rows, D);
    return tape_constant(p->tape, table, rows, D);
}

static int largest(const int32_t *x, int N)
{
    int32_t max = 0;
    for (int n = 0; n < N; n++)
        max = x[n] > max ? x[n] : max;
    return max;
}

struct tensor *embed_tokens(struct pass *p, int table, int positions, const int32_t *id,
                            const int32_t *place, int N)
{
    int D = p->m->config.dim;
    assert(positions < 0 || largest(place, N) < p->m->config.max_positions);
    struct tensor *position = positions >= 0 ? tape_param(p->tape, positions)
                                             : sinusoids(p, largest(place, N) + 1);
    return op_embed(p->tape, tape_param(p->tape, table), id, N, sqrtf((float)D), position, place,
                    p->m->config.dropout);
}

static int32_t *places(struct tape *tape, const int32_t *start, int B)
{
    int32_t *place = arena_take(&tape->arena, ((size_t)start[B] + 1) * sizeof *place);
    for (int b = 0; b < B; b++)
        for (int32_t n = start[b]; n < start[b + 1]; n++)
            place[n] = n - start[b];
    return place;
}

/* ---- the teacher-forced pass ---- */

static struct tensor *self_attention(struct pass *p, struct tensor *x, const struct layer_refs *l,
                                     const int32_t *start, int B, bool causal)
{
    const struct model_config *c = &p->m->config;
    int D = c->dim;
    struct tensor *qkv = pass_linear(p, sublayer_input(p, x, l->norm_self), l->qkv);
    struct tensor *y = op_attention(p->tape, (struct view){ qkv, 0 }, (struct view){ qkv, D },
                                    (struct view){ qkv, 2 * D }, D, c->heads, B, start, start, causal,
                                    c->dropout_attention);
    return sublayer_output(p, x, pass_linear(p, y, l->self_out), l->norm_self);
}

static struct tensor *recurrence(struct pass *p, struct tensor *x, const struct layer_refs *l,
                                 const int32_t *start, int B)
{
    struct tensor *fx = pass_linear(p, sublayer_input(p, x, l->norm_self), l->recurrence);
    return sublayer_output(p, x, op_ssru(p->tape, fx, B, start), l->norm_self);
}

static struct tensor *cross_attention(struct pass *p, struct tensor *x, struct tensor *memory,
                                      const struct layer_refs *l, const struct batch *b)
{
    const struct model_config *c = &p->m->config;
    int D = c->dim;
    struct tensor *q = pass_linear(p, sublayer_input(p, x, l->norm_cross), l->cross_q);
    struct tensor *kv = pass_linear(p, memory, l->cross_kv);
    struct tensor *y = op_attention(p->tape, (struct view){ q, 0 }, (struct view){ kv, 0 },
                                    (struct view){ kv, D }, D, c->heads, b->B, b->target_start,
                                    b->source_start, false, c->dropout_attention);
    return sublayer_output(p, x, pass_linear(p, y, l->cross_out), l->norm_cross);
}

struct tensor *encode(struct pass *p, const int32_t *source, const int32_t *start, int B)
{
    const struct model_config *c = &p->m->config;
    struct tensor *x = embed_tokens(p, p->r->source_embed, p->r->source_positions, source,
                                    places(p->tape, start, B), start[B]);
    for (int i = 0; i < c->encoder_layers; i++) {
        x = self_attention(p, x, &p->r->encoder[i], start, B, false);
        x = feed_forward(p, x, &p->r->encoder[i]);
    }
    return final_norm(p, x, p->r->encoder_norm);
}

static struct tensor *transformer_hidden(const struct model *m, struct tape *tape,
                                         const struct batch *b)
{
    struct pass pass = { m, m->refs, tape }, *p = &pass;
    const struct model_config *c = &m->config;
    struct tensor *memory = encode(p, b->source, b->source_start, b->B);
    struct tensor *x = embed_tokens(p, p->r->target_embed, p->r->target_positions, b->input,
                                    places(tape, b->target_start, b->B), b->target_tokens);
    for (int i = 0; i < c->decoder_layers; i++) {
        const struct layer_refs *l = &p->r->decoder[i];
        if (c->decoder_layer == DECODER_SSRU)
            x = recurrence(p, x, l, b->target_start, b->B);
        else
            x = self_attention(p, x, l, b->target_start, b->B, true);
        x = cross_attention(p, x, memory, l, b);
        x = feed_forward(p, x, l);
    }
    return final_norm(p, x, p->r->decoder_norm);
}

static struct tensor *transformer_memory(const struct model *m, struct tape *tape, const int32_t *source,
                                         const int32_t *start, int B)
{
    return encode(&(struct pass){ m, m->refs, tape }, source, start, B);
}

const struct architecture transformer_architecture = {
    .name = "transformer",
    .refs_size = sizeof(struct transformer_refs),
    .micro_tokens = 512,
    .check = transformer_check,
    .declare = transformer_declare,
    .release = transformer_release,
    .hidden = transformer_hidden,
    .memory = transformer_memory,
    .output = transformer_output,
    .stepper = transformer_stepper,
};
