#ifndef DECODE_DECODER_H
#define DECODE_DECODER_H

#include <stdatomic.h>

#include "base/strbuf.h"
#include "base/thread.h"
#include "corpora/batch.h"
#include "decode/translate.h"
#include "decode/window.h"
#include "tokenize/tokenizer.h"

/* The inside of a decoder, shared by decoder.c (ids to hypotheses), translate.c (text) and
 * score.c (ids with their translations). */
struct job {
    struct translation *out;
    const struct ids *sources;
    const struct ids *targets;          /* with </s>: they are to be scored; without: the outputs
                                           begin so; NULL: searched for */
    size_t n;
    bool text;                          /* hypotheses are wanted as text too */
    struct place {
        size_t index;
        int tokens;                     /* of the source */
    } *order;                           /* what the model gets, longest first */
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
    struct mbr *mbr;                    /* NULL: nobody chooses by risk */
    struct scorer *scorer;              /* of score.c, made when first needed … */
    struct batch batch;
    float *logp;
    size_t logp_room;
};

struct decoder {
    struct translator translator;
    struct search_config config;
    struct shortlist *shortlist;        /* NULL: the whole vocabulary */
    int threads, max_source;
    struct pool *pool;
    struct worker *workers;
    struct job job;
    const char *name;                   /* of the input, for messages; NULL: none */
    int64_t first;
    int warned;
    struct encoded {                    /* text as ids, memory kept from call to call */
        struct ids *items;
        size_t room;
    } source, target;
    struct decode_stats stats;
};

/* The ids of n lines, in e->items; encoded_trim gives back what unusually long ones took. */
void decoder_encode(struct decoder *d, struct encoded *e, const struct tokenizer *t,
                    const struct span *spans, size_t n);
void encoded_trim(struct encoded *e, size_t n);
void encoded_release(struct encoded *e);

/* A run: sets up the job, with `out` emptied; then has all workers fill it.  What fails leaves
 * `out` empty. */
void decoder_begin(struct decoder *d, struct translation *out, const struct ids *sources,
                   const struct ids *targets, size_t n, bool text);
int decoder_run(struct decoder *d, void (*work)(void *decoder, int worker), struct error *err);
void decoder_search(void *decoder, int worker);         /* work: the engine of search.h */
bool decoder_take(struct worker *w, const struct place **place);       /* false: no more for now */
void decoder_give(struct worker *w, size_t index, const struct hypothesis *best, int count);
void decoder_give_empty(struct worker *w, size_t index);        /* of a source without tokens */

/* Tells of a sentence of too many tokens: a warning, or an error where such are refused. */
int decoder_too_long(struct decoder *d, size_t index, size_t tokens, struct error *err);

/* Hands a window of a stream to its writer, and empties it. */
int decoder_write(struct translation *out, size_t n, int64_t *number,
                  int (*write)(void *arg, const struct translation *t, int64_t number,
                               struct error *err),
                  void *arg, struct error *err);

int64_t decoder_count_words(const struct span *s);

#endif
