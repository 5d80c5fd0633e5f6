/* The LSTM encoder-decoder of Kim & Rush 2016: stacked layers, Luong's global attention with
 * input feeding.  Declaration of its weights and the teacher-forced pass.
 *
 * A bidirectional encoder has two directions of half the width in every layer, side by side.
 * A decoder layer starts from the last state of the encoder layer beside it, counted from the
 * top.  Dropout: on embeddings, between layers and on the attentional vector (Zaremba et al.
 * 2014: never on what recurs within a layer). */
#include "seq2seq/lstm.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "seq2seq/architecture.h"
#include "tensor/ops.h"

/* ---- weights ---- */

static void declare_cell(struct param_set *set, struct cell_refs *cell, int H, int input,
                         int recurrent, const char *name)
{
    cell->input = -1;
    if (input)
        param_add(set, &cell->input, INIT_XAVIER, 4 * H, input, "%s.input.weight", name);
    param_add(set, &cell->recurrent, INIT_XAVIER, 4 * H, recurrent, "%s.recurrent.weight", name);
    param_add(set, &cell->bias, INIT_LSTM_BIAS, 1, 4 * H, "%s.bias", name);
}

static void declare_encoder(struct param_set *set, struct encoder_refs *l,
                            const struct model_config *c, int i)
{
    bool both = c->encoder_direction == ENCODER_BIDIRECTIONAL;
    int H = both ? c->dim / 2 : c->dim;
    char name[64];
    snprintf(name, sizeof name, "encoder.%d.forward", i);
    declare_cell(set, &l->forward, H, c->dim, H, name);
    snprintf(name, sizeof name, "encoder.%d.backward", i);
    if (both)
        declare_cell(set, &l->back, H, c->dim, H, name);
}

/* With input feeding the layers above the first read both inputs in one product. */
static void declare_decoder(struct param_set *set, struct cell_refs *cell,
                            const struct model_config *c, int i)
{
    int H = c->dim;
    char name[64];
    snprintf(name, sizeof name, "decoder.%d", i);
    declare_cell(set, cell, H, c->input_feeding && i ? 0 : H, c->input_feeding ? 2 * H : H, name);
}

static void declare_tables(struct param_set *set, struct lstm_refs *r, const struct model_config *c)
{
    int H = c->dim;
    param_add(set, &r->source_embed, INIT_EMBED, c->source_vocab, H,
              c->tied == TIE_ALL ? "embed" : "source.embed");
    r->target_embed = r->output = r->source_embed;
    r->output_bias = -1;
    if (!c->decoder_layers)
        return;
    if (c->tied != TIE_ALL)
        param_add(set, &r->target_embed, INIT_EMBED, c->target_vocab, H, "target.embed");
    r->output = r->target_embed;
    if (c->tied == TIE_NONE)
        param_add(set, &r->output, INIT_XAVIER, c->target_vocab, H, "output.weight");
    param_add(set, &r->output_bias, INIT_ZERO, 1, c->target_vocab, "output.bias");
}

static void lstm_declare(struct param_set *set, void *refs, const struct model_config *c)
{
    struct lstm_refs *r = refs;
    int H = c->dim;
    r->encoder = xcalloc((size_t)c->encoder_layers, sizeof *r->encoder);
    r->decoder = xcalloc((size_t)c->decoder_layers + 1, sizeof *r->decoder);
    declare_tables(set, r, c);
    for (int i = 0; i < c->encoder_layers; i++)
        declare_encoder(set, &r->encoder[i], c, i);
    for (int i = 0; i < c->decoder_layers; i++)
        declare_decoder(set, &r->decoder[i], c, i);
    if (!c->decoder_layers)
        return;
    param_add(set, &r->keys_values, INIT_XAVIER, 2 * H, H, "attention.memory.weight");
    param_add(set, &r->attend, INIT_XAVIER, H, H, "attention.state.weight");
    param_add(set, &r->attend_bias, INIT_ZERO, 1, H, "attention.bias");
}

static void lstm_release(void *refs)
{
    struct lstm_refs *r = refs;
    free(r->encoder);
    free(r->decoder);
}

static void lstm_output(const void *refs, int *weight, int *bias)
{
    const struct lstm_refs *r = refs;
    *weight = r->output;
    *bias = r->output_bias;
}

static int lstm_check(const struct model_config *c, struct error *err)
{
    if (c->encoder_layers < 1)
        return error_set(err, "an LSTM needs a layer in its encoder");
    if (c->encoder_direction == ENCODER_BIDIRECTIONAL && c->dim % 2)
        return error_set(err, "dim %d is odd; a bidirectional encoder needs an even one", c->dim);
    return 0;
}

/* ---- the encoder ---- */

static struct tensor *param(struct tape *tape, int ref)
{
    return tape_param(tape, ref);
}

static struct tensor *gather(struct tape *tape, struct tensor *x, const int32_t *row, int N)
{
    return op_embed(tape, x, row, N, 1, NULL, NULL, 0);
}

struct tensor *lstm_embed(const struct model *m, struct tape *tape, int table, const int32_t *id,
                          int N)
{
    return op_embed(tape, param(tape, table), id, N, sqrtf((float)m->config.dim), NULL, NULL,
                    m->config.dropout);
}

/* The tokens in the timeline's order, embedded. */
static struct tensor *embed_line(const struct model *m, struct tape *tape, int table,
                                 const int32_t *id, const struct timeline *line)
{
    int32_t *ordered = arena_take(&tape->arena, ((size_t)line->N + 1) * sizeof *ordered);
    for (int n = 0; n < line->N; n++)
        ordered[n] = id[line->row[n]];
    return lstm_embed(m, tape, table, ordered, line->N);
}

/* One layer's outputs, and its states when it has walked every sentence. */
struct layer_out {
    struct tensor *y, *h, *c;
};

static struct layer_out run_direction(struct tape *tape, struct tensor *x, const struct cell_refs *cell,
                                      const struct timeline *line, bool reverse)
{
    struct lstm l = op_lstm(tape, x, param(tape, cell->input), param(tape, cell->recurrent),
                            param(tape, cell->bias), NULL, NULL, line, reverse);
    const int32_t *end = reverse ? line->first : line->last;
    return (struct layer_out){ l.y, gather(tape, l.y, end, line->B), gather(tape, l.c, end, line->B) };
}

static struct layer_out encoder_layer(const struct model *m, struct tape *tape, struct tensor *x,
                                      const struct encoder_refs *l, const struct timeline *line)
{
    struct layer_out forward = run_direction(tape, x, &l->forward, line, false);
    if (m->config.encoder_direction == ENCODER_FORWARD)
        return forward;
    struct layer_out back = run_direction(tape, x, &l->back, line, true);
    return (struct layer_out){ op_concat(tape, forward.y, back.y), op_concat(tape, forward.h, back.h),
                               op_concat(tape, forward.c, back.c) };
}

/* The top layer's outputs in the timeline's order; with e its final states for the decoder too. */
static struct tensor *encoder_stack(const struct model *m, struct tape *tape, const int32_t *source,
                                    const struct timeline *line, struct lstm_encoded *e)
{
    const struct model_config *c = &m->config;
    const struct lstm_refs *r = m->refs;
    struct tensor *x = embed_line(m, tape, r->source_embed, source, line);
    for (int i = 0; i < c->encoder_layers; i++) {
        struct layer_out y = encoder_layer(m, tape, i ? op_dropout(tape, x, c->dropout) : x,
                                           &r->encoder[i], line);
        x = y.y;
        for (int l = 0; e && l < c->decoder_layers; l++) {
            int beside = c->encoder_layers - c->decoder_layers + l;
            if (i == (beside > 0 ? beside : 0)) {
                e->h[l] = y.h;
                e->c[l] = y.c;
            }
        }
    }
    return x;
}

static struct tensor *lstm_memory(const struct model *m, struct tape *tape, const int32_t *source,
                                  const int32_t *start, int B)
{
    const struct timeline *line = timeline_new(&tape->arena, start, B);
    struct tensor *x = encoder_stack(m, tape, source, line, NULL);
    return gather(tape, x, line->place, line->N);
}

struct lstm_encoded lstm_encode(const struct model *m, struct tape *tape, const int32_t *source,
                                const int32_t *start, int B)
{
    const struct model_config *c = &m->config;
    const struct lstm_refs *r = m->refs;
    struct lstm_encoded e = { .line = timeline_new(&tape->arena, start, B) };
    e.h = arena_take(&tape->arena, (size_t)c->decoder_layers * sizeof(struct tensor *));
    e.c = arena_take(&tape->arena, (size_t)c->decoder_layers * sizeof(struct tensor *));
    struct tensor *x = encoder_stack(m, tape, source, e.line, &e);
    e.kv = op_linear(tape, x, param(tape, r->keys_values), NULL, LINEAR_NONE, 0);
    return e;
}

/* ---- the decoder ---- */

static struct tensor *decode_fed(const struct model *m, struct tape *tape, struct tensor *x,
                                 const struct lstm_encoded *e, const struct timeline *line)
{
    const struct lstm_refs *r = m->refs;
    int layers = m->config.decoder_layers;
    struct decoder_cell *cells = arena_take(&tape->arena, (size_t)layers * sizeof *cells);
    for (int l = 0; l < layers; l++)
        cells[l] = (struct decoder_cell){ param(tape, r->decoder[l].recurrent),
                                          param(tape, r->decoder[l].bias), e->h[l], e->c[l] };
    return op_attentive_decoder(tape, &(struct attentive_decoder){
        .x = x, .wx = param(tape, r->decoder[0].input), .cells = cells, .layers = layers,
        .kv = e->kv, .out = param(tape, r->attend), .out_bias = param(tape, r->attend_bias),
        .target = line, .source = e->line, .drop = m->config.dropout });
}

/* Without input feeding every layer runs over all steps at once, and so does attention. */
static struct tensor *decode_unfed(const struct model *m, struct tape *tape, struct tensor *x,
                                   const struct lstm_encoded *e, const struct timeline *line)
{
    const struct lstm_refs *r = m->refs;
    int H = m->config.dim;
    for (int l = 0; l < m->config.decoder_layers; l++)
        x = op_lstm(tape, l ? op_dropout(tape, x, m->config.dropout) : x,
                    param(tape, r->decoder[l].input), param(tape, r->decoder[l].recurrent),
                    param(tape, r->decoder[l].bias), e->h[l], e->c[l], line, false).y;
    /* op_attention scales scores by 1/√H; Luong's are not scaled. */
    struct tensor *h = gather(tape, x, line->place, line->N);
    struct tensor *q = op_embed(tape, x, line->place, line->N, sqrtf((float)H), NULL, NULL, 0);
    struct tensor *kv = gather(tape, e->kv, e->line->place, e->line->N);
    struct tensor *context = op_attention(tape, (struct view){ q, 0 }, (struct view){ kv, 0 },
                                          (struct view){ kv, H }, H, 1, line->B, line->starts,
                                          e->line->starts, false, 0);
    struct tensor *a = op_linear(tape, h, param(tape, r->attend), param(tape, r->attend_bias),
                                 LINEAR_NONE, 0);
    return op_tanh(tape, op_residual(tape, a, context, 0), m->config.dropout);
}

static struct tensor *lstm_hidden(const struct model *m, struct tape *tape, const struct batch *b)
{
    const struct lstm_refs *r = m->refs;
    struct lstm_encoded e = lstm_encode(m, tape, b->source, b->source_start, b->B);
    const struct timeline *line = timeline_new(&tape->arena, b->target_start, b->B);
    struct tensor *x = embed_line(m, tape, r->target_embed, b->input, line);
    return m->config.input_feeding ? decode_fed(m, tape, x, &e, line)
                                   : decode_unfed(m, tape, x, &e, line);
}

const struct architecture lstm_architecture = {
    .name = "lstm",
    .refs_size = sizeof(struct lstm_refs),
    .micro_tokens = 2048,
    .check = lstm_check,
    .declare = lstm_declare,
    .release = lstm_release,
    .hidden = lstm_hidden,
    .memory = lstm_memory,
    .output = lstm_output,
    .stepper = lstm_stepper,
};
