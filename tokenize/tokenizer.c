#include "tokenize/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "tokenize/model.h"
#include "tokenize/seal.h"
#include "tokenize/prepare.h"
#include "tokenize/segment.h"
#include "tokenize/sentencepiece.h"

struct tokenizer {
    char *bytes;
    size_t length;
    struct model model;
    struct spm *library;        /* decodes, and vouches for the model */
    int32_t bos, eos, pad;
    uint64_t fingerprint;
};

void ids_release(struct ids *ids)
{
    free(ids->items);
    *ids = (struct ids){ 0 };
}

static void ids_add(struct ids *ids, int32_t id)
{
    if (ids->count == ids->room)
        ARRAY_GROW(ids->items, ids->room, ids->count + 1);
    ids->items[ids->count++] = id;
}

/* ---- loading ---- */

static uint64_t fingerprint(const struct model *m)
{
    uint64_t hash = m->count;
    for (size_t i = 0; i < m->count; i++) {
        unsigned char kind = (unsigned char)m->pieces[i].kind;
        hash = hash_bytes(m->pieces[i].text, m->pieces[i].length + 1, hash);
        hash = hash_bytes(&kind, 1, hash);
    }
    return hash;
}

static struct tokenizer *tokenizer_own(char *bytes, size_t length, const char *path,
                                       struct error *err)
{
    struct tokenizer *t = xcalloc(1, sizeof *t);
    t->bytes = bytes;
    t->length = length;
    if (seal_check(bytes, length, path, err) < 0 || model_parse(&t->model, bytes, length, path, err) < 0)
        goto failed;
    t->library = spm_load(bytes, length, path, err);
    if (!t->library)
        goto failed;
    t->bos = spm_bos(t->library);
    t->eos = spm_eos(t->library);
    t->pad = spm_pad(t->library);
    t->fingerprint = fingerprint(&t->model);
    return t;
failed:
    tokenizer_free(t);
    return NULL;
}

struct tokenizer *tokenizer_from_bytes(const void *bytes, size_t length, const char *path,
                                       struct error *err)
{
    char *copy = xmalloc(length + 1);
    memcpy(copy, bytes, length);
    return tokenizer_own(copy, length, path, err);
}

struct tokenizer *tokenizer_load(const char *path, struct error *err)
{
    char *bytes;
    size_t length;
    if (file_read(&bytes, &length, path, err) < 0)
        return NULL;
    return tokenizer_own(bytes, length, path, err);
}

void tokenizer_free(struct tokenizer *t)
{
    if (!t)
        return;
    if (t->library)
        spm_free(t->library);
    model_release(&t->model);
    free(t->bytes);
    free(t);
}

/* ---- encoding ---- */

static const struct segmenter *segmenter_of(const struct tokenizer *t)
{
    return &segmenters[t->model.type];
}

/* A line as its model prepares and cuts it. */
struct cut {
    struct strbuf text;
    struct segments segments;
};

static void cut_best(struct cut *cut, const struct tokenizer *t, const char *line, size_t length)
{
    prepare_text(&cut->text, &t->model, line, length);
    if (cut->text.length)
        segmenter_of(t)->best(&cut->segments, &t->model, cut->text.text, cut->text.length);
}

static void cut_sample(struct cut *cut, const struct tokenizer *t, const char *line, size_t length,
                       int nbest, float alpha, struct rng *rng)
{
    const struct segmenter *s = segmenter_of(t);
    if (!s->sample) {
        cut_best(cut, t, line, length);
        return;
    }
    prepare_text(&cut->text, &t->model, line, length);
    if (cut->text.length)
        s->sample(&cut->segments, &t->model, cut->text.text, cut->text.length, nbest, alpha, rng);
}

static void cut_release(struct cut *cut)
{
    segmentation_release(&cut->segments);
    strbuf_release(&cut->text);
}

static bool is_unknown(const struct tokenizer *t, int32_t id)
{
    return id == t->model.unk;
}

static void add_byte_ids(const struct tokenizer *t, struct ids *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ids_add(out, t->model.bytes[(unsigned char)text[i]]);
}

/* What is unknown is spelt in bytes where the model has them; else its neighbours join it. */
static void add_ids(const struct tokenizer *t, struct ids *out, const struct cut *cut)
{
    const char *text = cut->text.text;
    bool after_unknown = false;
    for (size_t i = 0; i < cut->segments.count; i++) {
        const struct segment *s = &cut->segments.items[i];
        bool unknown = is_unknown(t, s->id);
        if (unknown && t->model.byte_fallback)
            add_byte_ids(t, out, text, s->length);
        else if (!unknown || !after_unknown)
            ids_add(out, s->id);
        after_unknown = unknown;
        text += s->length;
    }
}

static void add_byte_pieces(struct strbuf *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        strbuf_printf(out, "%s<0x%02X>", i ? " " : "", (unsigned char)text[i]);
}

static void add_pieces(const struct tokenizer *t, struct strbuf *out, const struct cut *cut)
{
    const char *text = cut->text.text;
    bool after_unknown = false;
    for (size_t i = 0; i < cut->segments.count; i++) {
        const struct segment *s = &cut->segments.items[i];
        bool unknown = is_unknown(t, s->id);
        bool bytes = unknown && t->model.byte_fallback;
        if (i && (bytes || !unknown || !after_unknown))
            strbuf_putc(out, ' ');
        if (bytes)
            add_byte_pieces(out, text, s->length);
        else
            strbuf_add(out, text, s->length);
        after_unknown = unknown;
        text += s->length;
    }
}

void tokenizer_encode(const struct tokenizer *t, struct ids *out, const char *text, size_t length)
{
    struct cut cut = { 0 };
    cut_best(&cut, t, text, length);
    add_ids(t, out, &cut);
    cut_release(&cut);
}

void tokenizer_encode_pieces(const struct tokenizer *t, struct strbuf *out,
                             const char *text, size_t length)
{
    struct cut cut = { 0 };
    cut_best(&cut, t, text, length);
    add_pieces(t, out, &cut);
    cut_release(&cut);
}

void tokenizer_sample(const struct tokenizer *t, struct ids *out, const char *text, size_t length,
                      int nbest, float alpha, struct rng *rng)
{
    struct cut cut = { 0 };
    cut_sample(&cut, t, text, length, nbest, alpha, rng);
    add_ids(t, out, &cut);
    cut_release(&cut);
}

void tokenizer_sample_pieces(const struct tokenizer *t, struct strbuf *out,
                             const char *text, size_t length,
                             int nbest, float alpha, struct rng *rng)
{
    struct cut cut = { 0 };
    cut_sample(&cut, t, text, length, nbest, alpha, rng);
    add_pieces(t, out, &cut);
    cut_release(&cut);
}

/* ---- decoding ---- */

void tokenizer_decode(const struct tokenizer *t, struct strbuf *out,
                      const int32_t *ids, size_t count)
{
    spm_decode(t->library, out, ids, count);
}

void tokenizer_decode_pieces(const struct tokenizer *t, struct strbuf *out,
                             const char *pieces, size_t length)
{
    spm_decode_pieces(t->library, out, pieces, length);
}

/* ---- the vocabulary ---- */

int tokenizer_vocab(const struct tokenizer *t)
{
    return (int)t->model.count;
}

static bool in_vocab(const struct tokenizer *t, int32_t id)
{
    return id >= 0 && (size_t)id < t->model.count;
}

const char *tokenizer_piece(const struct tokenizer *t, int32_t id)
{
    return in_vocab(t, id) ? t->model.pieces[id].text : "";
}

int32_t tokenizer_id(const struct tokenizer *t, const char *piece)
{
    return model_find(&t->model, piece, strlen(piece));
}

int32_t tokenizer_unk(const struct tokenizer *t)
{
    return t->model.unk;
}

int32_t tokenizer_bos(const struct tokenizer *t)
{
    return t->bos;
}

int32_t tokenizer_eos(const struct tokenizer *t)
{
    return t->eos;
}

int32_t tokenizer_pad(const struct tokenizer *t)
{
    return t->pad;
}

enum piece_kind tokenizer_kind(const struct tokenizer *t, int32_t id)
{
    return in_vocab(t, id) ? t->model.pieces[id].kind : PIECE_UNKNOWN;
}

bool tokenizer_is_control(const struct tokenizer *t, int32_t id)
{
    return tokenizer_kind(t, id) == PIECE_CONTROL;
}

float tokenizer_score(const struct tokenizer *t, int32_t id)
{
    return in_vocab(t, id) ? t->model.pieces[id].score : 0;
}

const char *tokenizer_type(const struct tokenizer *t)
{
    return segmenter_of(t)->name;
}

uint64_t tokenizer_fingerprint(const struct tokenizer *t)
{
    return t->fingerprint;
}

const void *tokenizer_bytes(const struct tokenizer *t, size_t *length)
{
    *length = t->length;
    return t->bytes;
}
