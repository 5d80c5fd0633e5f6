#include "tokenize/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "tokenize/model.h"
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
    if (model_parse(&t->model, bytes, length, path, err) < 0)
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

static void segment_best(struct strbuf *text, struct segments *cut, const struct tokenizer *t,
                         const char *line, size_t length)
{
    prepare_text(text, &t->model, line, length);
    if (text->length)
        segmenter_of(t)->best(cut, &t->model, text->text, text->length);
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
static void add_ids(const struct tokenizer *t, struct ids *out, const char *text,
                    const struct segments *cut)
{
    bool after_unknown = false;
    for (size_t i = 0; i < cut->count; text += cut->items[i++].length) {
        bool unknown = is_unknown(t, cut->items[i].id);
        if (unknown && t->model.byte_fallback)
            add_byte_ids(t, out, text, cut->items[i].length);
        else if (!unknown || !after_unknown)
            ids_add(out, cut->items[i].id);
        after_unknown = unknown;
    }
}

static void add_byte_pieces(struct strbuf *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        strbuf_printf(out, "%s<0x%02X>", i ? " " : "", (unsigned char)text[i]);
}

static void add_pieces(const struct tokenizer *t, struct strbuf *out, const char *text,
                       const struct segments *cut)
{
    bool after_unknown = false;
    for (size_t i = 0; i < cut->count; text += cut->items[i++].length) {
        bool unknown = is_unknown(t, cut->items[i].id);
        bool bytes = unknown && t->model.byte_fallback;
        if (i && (bytes || !unknown || !after_unknown))
            strbuf_putc(out, ' ');
        if (bytes)
            add_byte_pieces(out, text, cut->items[i].length);
        else
            strbuf_add(out, text, cut->items[i].length);
        after_unknown = unknown;
    }
}

void tokenizer_encode(const struct tokenizer *t, struct ids *out, const char *text, size_t length)
{
    struct strbuf prepared = { 0 };
    struct segments cut = { 0 };
    segment_best(&prepared, &cut, t, text, length);
    add_ids(t, out, prepared.text, &cut);
    segments_release(&cut);
    strbuf_release(&prepared);
}

void tokenizer_encode_pieces(const struct tokenizer *t, struct strbuf *out,
                             const char *text, size_t length)
{
    struct strbuf prepared = { 0 };
    struct segments cut = { 0 };
    segment_best(&prepared, &cut, t, text, length);
    add_pieces(t, out, prepared.text, &cut);
    segments_release(&cut);
    strbuf_release(&prepared);
}

void tokenizer_sample(const struct tokenizer *t, struct ids *out, const char *text, size_t length,
                      int nbest, float alpha, struct rng *rng)
{
    struct strbuf prepared = { 0 };
    struct segments cut = { 0 };
    const struct segmenter *s = segmenter_of(t);
    prepare_text(&prepared, &t->model, text, length);
    if (prepared.length && s->sample)
        s->sample(&cut, &t->model, prepared.text, prepared.length, nbest, alpha, rng);
    else if (prepared.length)
        s->best(&cut, &t->model, prepared.text, prepared.length);
    add_ids(t, out, prepared.text, &cut);
    segments_release(&cut);
    strbuf_release(&prepared);
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
