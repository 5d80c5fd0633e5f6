#ifndef DECODE_DECODER_H
#define DECODE_DECODER_H

#include <stdatomic.h>

#include "base/strbuf.h"
#include "base/thread.h"
#include "decode/translate.h"
#include "tokenize/tokenizer.h"

/* The inside of a decoder, shared by decoder.c (ids to hypotheses) and translate.c (text). */
struct span {
    const char *text;
    size_t length;
};

struct job {
    struct translation *out;
    const struct ids *sources;
    size_t n;
    bool text;                          /* hypotheses are wanted as text too */
    struct place {
        size_t index;
        int tokens;
    } *order;                           /* what is searched, longest first */
    size_t order_count, order_room;
    atomic_size_t *next;                /* of each worker's share, how many were taken */
};

struct worker {
    struct decoder *decoder;
    int number;
    struct stepper stepper;
    struct search *search;
    size_t under_way;
    int32_t *source;                    /* with </s> */
    size_t source_room;
    struct strbuf text;
};

struct decoder {
    struct translator translator;
    struct search_config config;
    int threads, max_source;
    struct pool *pool;
    struct worker *workers;
    struct job job;
    const char *name;                   /* of the input, for messages; NULL: none */
    int64_t first;
    int warned;
    struct ids *encoded;                /* text as ids, kept from call to call */
    size_t encoded_room;
    const struct span *spans;           /* the text being encoded */
    size_t spans_count;
    struct decode_stats stats;
};

int decoder_run(struct decoder *d, struct translation *out, const struct ids *sources, size_t n,
                bool text, struct error *err);
int decoder_spans(struct decoder *d, struct translation *out, const struct span *spans, size_t n,
                  struct error *err);

#endif
