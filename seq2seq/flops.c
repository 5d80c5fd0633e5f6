#include "seq2seq/flops.h"

#include <string.h>

#include "seq2seq/architecture.h"

static bool starts_with(const char *name, const char *start)
{
    return !strncmp(name, start, strlen(start));
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), e = strlen(end);
    return n >= e && !strcmp(name + n - e, end);
}

/* What is multiplied with every source token rather than every target token. */
static bool is_on_source(const char *name)
{
    return starts_with(name, "encoder.") || ends_with(name, "cross.kv.weight") ||
           ends_with(name, "attention.memory.weight");
}

static bool is_looked_up(const char *name)
{
    return strstr(name, "embed") || strstr(name, "positions") || starts_with(name, "output");
}

double model_pair_flops(const struct model *m, double S, double T)
{
    const struct model_config *c = &m->config;
    double D = c->dim, forward = 2 * (double)c->target_vocab * D * T;
    for (size_t i = 0; i < m->params.count; i++) {
        const struct param *p = &m->params.items[i];
        if (p->rows > 1 && !is_looked_up(p->name))
            forward += 2.0 * p->rows * p->cols * (is_on_source(p->name) ? S : T);
    }
    if (m->arch == &transformer_architecture) {
        double looking_back = c->decoder_layer == DECODER_ATTENTION ? T * (T + 1) / 2 : 0;
        forward += 4 * D * (c->encoder_layers * S * S + c->decoder_layers * (T * S + looking_back));
    } else {
        forward += 4 * D * S * T;
    }
    return 3 * forward;
}
