/* Cosines of output embeddings. */
#include "distill/similarity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "seq2seq/architecture.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

struct similarity {
    float *unit;                /* (V,D), rows of length 1 */
    int V, D;
};

struct similarity *similarity_new(const struct model *m)
{
    struct similarity *s = xcalloc(1, sizeof *s);
    int weight, bias;
    m->arch->output(m->refs, &weight, &bias);
    s->V = m->params.items[weight].rows;
    s->D = m->params.items[weight].cols;
    size_t size = (size_t)s->V * (size_t)s->D;
    s->unit = xaligned(size * sizeof *s->unit);
    memcpy(s->unit, param_data(&m->params, weight), size * sizeof *s->unit);
    for (int v = 0; v < s->V; v++) {
        float *row = s->unit + (size_t)v * (size_t)s->D;
        double length = sqrt(kernel->sum_squares(row, (size_t)s->D));
        kernel->scale(row, length > 0 ? (float)(1 / length) : 0, (size_t)s->D);
    }
    return s;
}

void similarity_free(struct similarity *s)
{
    if (!s)
        return;
    free(s->unit);
    free(s);
}

static int find(const int32_t *list, int count, int32_t id)
{
    int i = 0;
    while (i < count && list[i] != id)
        i++;
    return i;
}

/* A piece that stands several times is computed once; then the rows spread to their places from
 * the last one on, so that none is overwritten before it is read. */
void similarity_rows(const struct similarity *s, float *q, const int32_t *gold, int rows, float temperature)
{
    size_t V = (size_t)s->V, D = (size_t)s->D;
    int32_t *pieces = xcalloc((size_t)rows, sizeof *pieces);
    float *units = xaligned((size_t)rows * D * sizeof *units);
    int count = 0;
    for (int r = 0; r < rows; r++)
        if (find(pieces, count, gold[r]) == count) {
            memcpy(units + (size_t)count * D, s->unit + (size_t)gold[r] * D, D * sizeof *units);
            pieces[count++] = gold[r];
        }
    gemm_nt(q, units, s->unit, count, s->V, s->D, 0);
    for (int i = 0; i < count; i++)
        kernel->softmax(q + (size_t)i * V, q + (size_t)i * V, 1 / temperature, s->V);
    for (int r = rows - 1; r >= 0; r--) {
        int from = find(pieces, count, gold[r]);
        if (from != r)
            memcpy(q + (size_t)r * V, q + (size_t)from * V, V * sizeof *q);
    }
    free(pieces);
    free(units);
}
