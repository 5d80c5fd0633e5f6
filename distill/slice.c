/* Slim networks: leading channels, cut out of every weight. */
#include "distill/slice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "seq2seq/architecture.h"

/* Weights that hold several blocks of channels one after another: each gives its leading ones. */
static const struct {
    const char *name;
    int outputs, inputs;
} blocks[] = {
    { ".self.qkv.", 3, 1 },
    { ".cross.kv.", 2, 1 },
    { ".ssru.", 2, 1 },
    { "attention.memory.", 2, 1 },
    { ".recurrent.weight", 4, 1 },      /* with input feeding two blocks of inputs: see below */
    { ".input.weight", 4, 1 },
    { ".forward.bias", 4, 1 },
};

static bool is_lstm(const struct model_config *c)
{
    return architectures[c->arch] == &lstm_architecture;
}

static void blocks_of(int *outputs, int *inputs, const struct model_config *c, const struct param *p)
{
    *outputs = *inputs = 1;
    for (size_t i = 0; i < ARRAY_COUNT(blocks); i++)
        if (strstr(p->name, blocks[i].name)) {
            *outputs = blocks[i].outputs;
            *inputs = blocks[i].inputs;
        }
    if (strstr(p->name, ".ffn.in.") && c->activation == ACTIVATION_SWIGLU)
        *outputs = 2;
    if (is_lstm(c) && !strncmp(p->name, "decoder.", 8)) {
        if (strstr(p->name, ".bias"))
            *outputs = 4;
        if (strstr(p->name, ".recurrent.") && p->cols == 2 * c->dim)
            *inputs = 2;
    }
}

int slice_config(struct model_config *out, const struct model_config *whole, float share, struct error *err)
{
    struct model_config c = *whole;
    if (is_lstm(whole)) {
        if (whole->encoder_direction == ENCODER_BIDIRECTIONAL)
            return error_set(err, "a bidirectional encoder has no slim network of leading channels; give it "
                             "encoder-direction: forward, or reset weights by wels");
        c.dim = (int)lroundf((float)whole->dim * share);
    } else {
        if (whole->positions == POSITIONS_SINUSOIDAL)
            return error_set(err, "a slim network has other sinusoids than the leading channels of the whole; "
                             "take positions: learned, or reset weights by wels");
        c.heads = (int)lroundf((float)whole->heads * share);
        c.dim = c.heads * (whole->dim / whole->heads);
    }
    c.ffn = (int)lroundf((float)whole->ffn * share);
    if (c.dim < 1 || c.ffn < 1)
        return error_set(err, "a share of %g leaves nothing of dim %d, heads %d, ffn %d", (double)share, whole->dim,
                         whole->heads, whole->ffn);
    *out = c;
    return 0;
}

static int *places(int whole, int slim, int count)
{
    int *place = xcalloc((size_t)slim + 1, sizeof *place);
    if (whole == slim)
        count = 1;
    for (int i = 0; i < slim; i++)
        place[i] = i / (slim / count) * (whole / count) + i % (slim / count);
    return place;
}

/* A bias is one row whose columns are the outputs. */
void slice_places(int **row, int **col, const struct model *whole, const struct param *p, const struct param *slim)
{
    int outputs, inputs;
    blocks_of(&outputs, &inputs, &whole->config, p);
    if (p->rows == 1) {
        inputs = outputs;
        outputs = 1;
    }
    *row = places(p->rows, slim->rows, outputs);
    *col = places(p->cols, slim->cols, inputs);
}

int slice_fits(const struct param_set *slim, const struct param_set *whole, struct error *err)
{
    if (slim->count != whole->count)
        return error_set(err, "the model to start from has %zu weights, this one %zu; a slice needs the same layers",
                         whole->count, slim->count);
    for (size_t i = 0; i < slim->count; i++) {
        const struct param *p = &slim->items[i];
        int found = param_find(whole, p->name);
        if (found < 0)
            return error_set(err, "the model to start from has no weight '%s'; give both the same architecture",
                             p->name);
        const struct param *q = &whole->items[found];
        if (q->rows < p->rows || q->cols < p->cols)
            return error_set(err, "weight '%s' is %d × %d, but only %d × %d in the model to take a slice of", p->name,
                             p->rows, p->cols, q->rows, q->cols);
    }
    return 0;
}

/* Embeddings are multiplied by the root of the width.  A tied table cannot make up for that, so
 * the slim network's states are all smaller, by `less`, as long as no norm has passed over them:
 * what is added to them is made smaller as well, and what reads them first is made larger. */
static bool is_in(const char *name, const char *part)
{
    return strstr(name, part) != NULL;
}

static bool is_first_layer(const char *name)
{
    return !strncmp(name, "encoder.0.", 10) || !strncmp(name, "decoder.0.", 10);
}

/* `output` is which of its outputs a weight belongs to. */
static float transformer_factor(const struct model *slim, const struct param *p, int output, float less)
{
    bool first = is_first_layer(p->name), pre = slim->config.norm_first;
    bool adds = is_in(p->name, ".self.out.") || (pre && (is_in(p->name, ".cross.out.") || is_in(p->name, ".ffn.out.")));
    float factor = 1;
    if (is_in(p->name, "positions"))
        return less;
    if (adds && (pre || first))
        return less;
    if (!pre && first && (is_in(p->name, ".self.qkv.weight") || is_in(p->name, ".ssru.weight")))
        factor = 1 / less;
    if (is_in(p->name, ".ssru.") && output >= slim->config.dim && (pre || first))
        factor *= less;                 /* the half that becomes the state */
    return factor;
}

static float lstm_factor(const struct param *p, float less)
{
    return is_first_layer(p->name) && is_in(p->name, ".input.weight") ? 1 / less : 1;
}

static float factor_of(const struct model *slim, const struct model *whole, const struct param *p, int output)
{
    float less = sqrtf((float)slim->config.dim / (float)whole->config.dim);
    return is_lstm(&slim->config) ? lstm_factor(p, less) : transformer_factor(slim, p, output, less);
}

int slice_copy(struct model *slim, const struct model *whole, struct error *err)
{
    if (slice_fits(&slim->params, &whole->params, err) < 0)
        return -1;
    for (size_t i = 0; i < slim->params.count; i++) {
        const struct param *p = &slim->params.items[i];
        int found = param_find(&whole->params, p->name), *row, *col;
        const struct param *q = &whole->params.items[found];
        const float *from = param_data(&whole->params, found);
        float *to = param_data(&slim->params, (int)i);
        slice_places(&row, &col, whole, q, p);
        for (int r = 0; r < p->rows; r++) {
            float factor = factor_of(slim, whole, p, r);
            for (int c = 0; c < p->cols; c++) {
                if (p->rows == 1)
                    factor = factor_of(slim, whole, p, c);
                to[(size_t)r * p->cols + c] = factor * from[(size_t)row[r] * q->cols + col[c]];
            }
        }
        free(row);
        free(col);
    }
    return 0;
}
