/* Starting a model from another one's weights. */
#include "distill/initial.h"

#include <string.h>

#include "base/error.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

static int same_vocabularies(const struct model *m, const struct model *from, struct error *err)
{
    if (tokenizer_fingerprint(m->source_tokenizer) == tokenizer_fingerprint(from->source_tokenizer)
        && tokenizer_fingerprint(m->target_tokenizer) == tokenizer_fingerprint(from->target_tokenizer))
        return 0;
    return error_set(err, "the model to start from has another vocabulary");
}

static int same_shape(const struct param *p, const struct model *from, struct error *err)
{
    int found = param_find(&from->params, p->name);
    if (found < 0)
        return error_set(err, "the model to start from has no weight '%s'; give both the same "
                         "architecture", p->name);
    const struct param *q = &from->params.items[found];
    if (q->rows == p->rows && q->cols == p->cols)
        return 0;
    return error_set(err, "weight '%s' is %d × %d, but %d × %d in the model to start from; give "
                     "both the same sizes", p->name, p->rows, p->cols, q->rows, q->cols);
}

int initial_copy(struct model *m, const struct model *from, struct error *err)
{
    if (same_vocabularies(m, from, err) < 0)
        return -1;
    for (size_t i = 0; i < m->params.count; i++)
        if (same_shape(&m->params.items[i], from, err) < 0)
            return -1;
    if (m->params.count != from->params.count)
        return error_set(err, "the model to start from has %zu weights, this one %zu; give both the "
                         "same layers", from->params.count, m->params.count);
    for (size_t i = 0; i < m->params.count; i++) {
        const struct param *p = &m->params.items[i];
        int found = param_find(&from->params, p->name);
        memcpy(param_data(&m->params, (int)i), param_data(&from->params, found),
               (size_t)p->rows * (size_t)p->cols * sizeof(float));
    }
    return 0;
}

int initial_shared(struct model *m, const struct model *from, struct error *err)
{
    size_t copied = 0;
    if (same_vocabularies(m, from, err) < 0)
        return -1;
    for (size_t i = 0; i < m->params.count; i++) {
        const struct param *p = &m->params.items[i];
        int found = param_find(&from->params, p->name);
        const struct param *q = found < 0 ? NULL : &from->params.items[found];
        if (!q || q->rows != p->rows || q->cols != p->cols)
            continue;
        memcpy(param_data(&m->params, (int)i), param_data(&from->params, found),
               (size_t)p->rows * (size_t)p->cols * sizeof(float));
        copied++;
    }
    return copied ? 0 : error_set(err, "the model to start from has no weight of a name and shape that this one "
                                  "has; give both the same architecture and width");
}
