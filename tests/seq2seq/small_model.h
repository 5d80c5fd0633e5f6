#ifndef TESTS_SEQ2SEQ_SMALL_MODEL_H
#define TESTS_SEQ2SEQ_SMALL_MODEL_H

/* Untrained models of one layer and two heads, with a vocabulary of tests/tokenize/golden on both sides. */
#include "base/error.h"
#include "seq2seq/model.h"
#include "tests/test.h"
#include "tokenize/tokenizer.h"

/* What a caller may change before the model is made. */
static inline struct model_config small_config(const char *arch, int dim)
{
    struct error err = { 0 };
    struct model_config c = { 0 };
    const struct option_group groups[] = { { NULL, model_options, &c }, { 0 } };
    options_default(groups);
    assert_int_equal(options_set(groups, "arch", arch, &err), 0);
    c.dim = dim;
    c.ffn = 2 * dim;
    c.heads = 2;
    c.encoder_layers = c.decoder_layers = 1;
    return c;
}

static inline struct model *small_model(const struct model_config *config, const char *vocabulary, int64_t seed)
{
    struct error err = { 0 };
    char path[4096];
    snprintf(path, sizeof path, TEST_DATA "/../tokenize/golden/%s.model", vocabulary);
    struct tokenizer *t = tokenizer_load(path, &err);
    assert_non_null(t);
    struct model *m = model_new(config, t, t, seed, &err);
    assert_non_null(m);
    return m;
}

#endif
