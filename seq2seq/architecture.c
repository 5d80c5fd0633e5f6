/* The table of architectures; see architecture.h for how to add one. */
#include "seq2seq/architecture.h"

#include <stdlib.h>

#include "base/memory.h"

const struct architecture *const architectures[] = {
    &transformer_architecture,
    &lstm_architecture,
    NULL
};

void architecture_declare(struct param_set *set, const struct model_config *c)
{
    const struct architecture *arch = architectures[c->arch];
    void *refs = xcalloc(1, arch->refs_size);
    arch->declare(set, refs, c);
    if (arch->release)
        arch->release(refs);
    free(refs);
}
