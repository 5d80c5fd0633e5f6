#ifndef TESTS_DECODE_TOY_TOKENIZER_H
#define TESTS_DECODE_TOY_TOKENIZER_H

/* A small vocabulary with a piece for every byte, trained on the spot. */
#include "base/error.h"
#include "base/strbuf.h"
#include "tests/test.h"
#include "tokenize/tokenizer.h"
#include "tokenize/train.h"

static inline struct tokenizer *toy_tokenizer(void)
{
    struct error err;
    struct vocab_config config = { 0 };
    const struct option_group groups[] = { { NULL, vocab_options, &config }, { 0 } };
    struct strbuf text = { 0 };
    char *model = strdup(scratch_path("toy.spm")), *corpus = strdup(scratch_path("toy.txt"));
    struct tokenizer *t = NULL;
    for (int i = 0; i < 400; i++)
        strbuf_printf(&text, "the %d quick brown foxes jump over %d lazy dogs\n", i, i * 7);
    write_text(corpus, text.text);
    options_default(groups);
    config.size = 320;
    config.type = 1;                            /* bpe */
    config.byte_fallback = true;
    config.threads = 1;
    if (vocab_train(model, (const char *const *)&corpus, 1, &config, &err) == 0)
        t = tokenizer_load(model, &err);
    if (!t)
        print_error("%s\n", err.text);
    options_release(groups);
    strbuf_release(&text);
    free(model);
    free(corpus);
    return t;
}

/* The one of a whole test program, with its setup and teardown. */
static struct tokenizer *tokenizer;

static inline int train_tokenizer(void **state)
{
    tokenizer = toy_tokenizer();
    return tokenizer ? 0 : -1;
}

static inline int drop_tokenizer(void **state)
{
    tokenizer_free(tokenizer);
    return 0;
}

#endif
