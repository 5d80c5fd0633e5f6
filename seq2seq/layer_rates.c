#include "seq2seq/layer_rates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "seq2seq/model.h"

/* The layer's number in "encoder.3.self.qkv.weight", or -1 where it names none. */
static int layer_in(const char *name, const char *stack)
{
    size_t length = strlen(stack);
    char *end;
    if (strncmp(name, stack, length) || name[length] != '.')
        return -1;
    long layer = strtol(name + length + 1, &end, 10);
    return end > name + length + 1 && *end == '.' ? (int)layer : -1;
}

static int depth_of(const char *name, const struct model_config *c)
{
    int encoder = layer_in(name, "encoder"), decoder = layer_in(name, "decoder");
    bool below = strstr(name, "embed") || strstr(name, "positions");
    if (encoder >= 0)
        return c->encoder_layers - encoder;
    if (decoder >= 0)
        return c->decoder_layers - decoder;
    if (!below)
        return 0;
    return 1 + (strncmp(name, "target", 6) ? c->encoder_layers : c->decoder_layers);
}

float *layer_rates(const struct model *m, float decay)
{
    if (decay >= 1)
        return NULL;
    float *factor = xcalloc(m->params.count, sizeof *factor);
    for (size_t i = 0; i < m->params.count; i++)
        factor[i] = powf(decay, (float)depth_of(m->params.items[i].name, &m->config));
    return factor;
}
