/* Reads sentencepiece_model.proto's wire format: a message is a list of (field number, wire type,
 * value); a nested message or a string is a value of a given length.  Everything is checked
 * against the end of the bytes, so that a damaged file is an error and never a crash. */
#include "tokenize/model.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

struct span {
    const unsigned char *at, *end;
};

struct field {
    uint64_t tag;               /* FIELD(number, wire type) */
    uint64_t value;             /* of numbers */
    struct span body;           /* of strings and messages */
};

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BODY = 2, WIRE_32 = 5 };
#define FIELD(number, type) ((uint64_t)(number) << 3 | WIRE_##type)

static bool read_varint(struct span *in, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && in->at < in->end; shift += 7) {
        unsigned char byte = *in->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool read_fixed(struct span *in, uint64_t *value, int size)
{
    *value = 0;
    if (in->end - in->at < size)
        return false;
    for (int i = 0; i < size; i++)
        *value |= (uint64_t)*in->at++ << (8 * i);
    return true;
}

static bool read_body(struct span *in, struct span *body)
{
    uint64_t length;
    if (!read_varint(in, &length) || length > (uint64_t)(in->end - in->at))
        return false;
    *body = (struct span){ in->at, in->at + length };
    in->at += length;
    return true;
}

/* 1 a field, 0 the end of the message, -1 damaged. */
static int read_field(struct span *in, struct field *f)
{
    bool ok = false;
    *f = (struct field){ 0 };
    if (in->at == in->end)
        return 0;
    if (!read_varint(in, &f->tag))
        return -1;
    switch (f->tag & 7) {
    case WIRE_VARINT: ok = read_varint(in, &f->value); break;
    case WIRE_64:     ok = read_fixed(in, &f->value, 8); break;
    case WIRE_32:     ok = read_fixed(in, &f->value, 4); break;
    case WIRE_BODY:   ok = read_body(in, &f->body); break;
    }
    return ok ? 1 : -1;
}

struct parser {
    struct model *model;
    size_t room;
    size_t text_bytes;
    bool has_trainer, has_normalizer;
};

static float float_of(uint64_t value)
{
    uint32_t bits = (uint32_t)value;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int parse_piece(struct parser *p, struct span in)
{
    struct model *m = p->model;
    struct piece piece = { .text = "", .kind = PIECE_NORMAL };
    struct field f;
    int more;
    while ((more = read_field(&in, &f)) > 0)
        switch (f.tag) {
        case FIELD(1, BODY):
            piece.text = (const char *)f.body.at;
            piece.length = (uint32_t)(f.body.end - f.body.at);
            break;
        case FIELD(2, 32): piece.score = float_of(f.value); break;
        case FIELD(3, VARINT):
            if (f.value >= PIECE_NORMAL && f.value <= PIECE_BYTE)
                piece.kind = (enum piece_kind)f.value;
            break;
        }
    ARRAY_GROW(m->pieces, p->room, m->count + 1);
    m->pieces[m->count++] = piece;
    p->text_bytes += piece.length + 1;
    return more;
}

static int parse_trainer(struct model *m, struct span in)
{
    struct field f;
    int more;
    while ((more = read_field(&in, &f)) > 0)
        switch (f.tag) {
        case FIELD(3, VARINT):
            if (f.value >= MODEL_UNIGRAM && f.value <= MODEL_CHAR)
                m->type = (enum model_type)f.value;
            break;
        case FIELD(24, VARINT): m->space_as_suffix = f.value; break;
        case FIELD(35, VARINT): m->byte_fallback = f.value; break;
        }
    return more;
}

static uint32_t unit_at(const unsigned char *units, size_t i)
{
    const unsigned char *u = units + 4 * i;
    return u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

/* No walk over the double array may leave it, and no value the replacements: all 256 children of
 * a unit lie in one block of 256, and where a rule ends (bit 8) the first child is its value. */
static bool unit_is_sound(const struct charsmap *c, size_t i)
{
    uint32_t unit = unit_at(c->units, i);
    size_t child = i ^ ((unit >> 10) << ((unit & (1u << 9)) >> 6));
    if (unit >> 31)             /* a value itself */
        return true;
    if ((child | 0xff) >= c->unit_count)
        return false;
    return !(unit >> 8 & 1) || (unit_at(c->units, child) & 0x7fffffff) < c->replacements_length;
}

static bool charsmap_is_sound(const struct charsmap *c)
{
    size_t i = 0;
    while (i < c->unit_count && unit_is_sound(c, i))
        i++;
    return i == c->unit_count && i >= 256;
}

/* <bytes of the double array: 4 bytes><double array><replacements, each ending in a zero byte> */
static bool parse_charsmap(struct charsmap *c, struct span in)
{
    uint64_t trie_bytes;
    if (in.at == in.end)
        return true;
    if (!read_fixed(&in, &trie_bytes, 4) || trie_bytes >= (uint64_t)(in.end - in.at) ||
        in.end[-1] != 0)
        return false;
    c->units = in.at;
    c->unit_count = trie_bytes / 4;
    c->replacements = (const char *)in.at + trie_bytes;
    c->replacements_length = (size_t)((const char *)in.end - c->replacements);
    return charsmap_is_sound(c);
}

static int parse_normalizer(struct model *m, struct span in, bool denormalizer)
{
    struct charsmap map = { 0 };
    struct field f;
    int more;
    while ((more = read_field(&in, &f)) > 0) {
        if (f.tag == FIELD(2, BODY) && !parse_charsmap(&map, f.body))
            return -1;
        if (denormalizer)
            continue;
        switch (f.tag) {
        case FIELD(3, VARINT): m->add_dummy_prefix = f.value; break;
        case FIELD(4, VARINT): m->remove_extra_whitespaces = f.value; break;
        case FIELD(5, VARINT): m->escape_whitespaces = f.value; break;
        }
    }
    if (!denormalizer)
        m->charsmap = map;
    return more;
}

static int parse_part(struct parser *p, const struct field *f)
{
    switch (f->tag) {
    case FIELD(1, BODY): return parse_piece(p, f->body);
    case FIELD(2, BODY): p->has_trainer = true; return parse_trainer(p->model, f->body);
    case FIELD(3, BODY): p->has_normalizer = true; return parse_normalizer(p->model, f->body, false);
    case FIELD(5, BODY): return parse_normalizer(p->model, f->body, true);
    }
    return 0;
}

static void own_texts(struct model *m, size_t bytes)
{
    char *at = m->texts = xmalloc(bytes + 1);
    for (size_t i = 0; i < m->count; i++) {
        struct piece *p = &m->pieces[i];
        memcpy(at, p->text, p->length);
        at[p->length] = 0;
        p->text = at;
        at += p->length + 1;
    }
}

static bool is_reserved(enum piece_kind kind)
{
    return kind == PIECE_UNKNOWN || kind == PIECE_CONTROL || kind == PIECE_BYTE;
}

static bool is_normal(enum piece_kind kind)
{
    return !is_reserved(kind);
}

static bool is_user_defined(enum piece_kind kind)
{
    return kind == PIECE_USER_DEFINED;
}

static void index_pieces(const struct model *m, struct trie *t, bool (*wanted)(enum piece_kind))
{
    struct trie_key *keys = xmalloc((m->count + 1) * sizeof *keys);
    size_t count = 0;
    for (size_t i = 0; i < m->count; i++)
        if (wanted(m->pieces[i].kind))
            keys[count++] = (struct trie_key){ m->pieces[i].text, m->pieces[i].length, (int32_t)i };
    trie_build(t, keys, count);
    free(keys);
}

static void score_range(struct model *m)
{
    m->min_score = FLT_MAX;
    m->max_score = FLT_MIN;     /* sic: SentencePiece's start, the least positive number */
    for (size_t i = 0; i < m->count; i++) {
        float score = m->pieces[i].score;
        if (m->pieces[i].kind != PIECE_NORMAL)
            continue;
        if (score < m->min_score)
            m->min_score = score;
        if (score > m->max_score)
            m->max_score = score;
    }
}

static void find_bytes(struct model *m)
{
    for (int i = 0; i < 256; i++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", i);
        m->bytes[i] = model_find(m, name, 6);
    }
}

/* -1 when there is not exactly one piece for what is unknown. */
static int32_t find_unk(const struct model *m)
{
    int32_t unk = -1;
    for (size_t i = 0; i < m->count; i++)
        if (m->pieces[i].kind == PIECE_UNKNOWN) {
            if (unk >= 0)
                return -1;
            unk = (int32_t)i;
        }
    return unk;
}

static int parse(struct parser *p, struct span in, const char *path, struct error *err)
{
    struct field f;
    int more;
    while ((more = read_field(&in, &f)) > 0)
        if (parse_part(p, &f) < 0)
            break;
    if (more || !p->model->count)
        return error_set(err, "'%s' is not a SentencePiece model, or it is damaged; "
                         "make one with `coho vocab`", path);
    if (!p->has_trainer || !p->has_normalizer)
        return error_set(err, "SentencePiece model '%s' is cut short: its end is missing; "
                         "copy or train it again", path);
    return 0;
}

int model_parse(struct model *out, const void *bytes, size_t length, const char *path,
                struct error *err)
{
    struct model m = { .type = MODEL_UNIGRAM, .add_dummy_prefix = true,
                       .remove_extra_whitespaces = true, .escape_whitespaces = true };
    struct parser p = { .model = &m };
    struct span in = { bytes, (const unsigned char *)bytes + length };
    if (parse(&p, in, path, err) < 0)
        goto failed;
    own_texts(&m, p.text_bytes);
    m.unk = find_unk(&m);
    if (m.unk < 0) {
        error_set(err, "SentencePiece model '%s' is damaged: it needs exactly one piece for what is "
                  "unknown; copy or train it again", path);
        goto failed;
    }
    score_range(&m);
    index_pieces(&m, &m.normal, is_normal);
    index_pieces(&m, &m.reserved, is_reserved);
    index_pieces(&m, &m.user_defined, is_user_defined);
    find_bytes(&m);
    *out = m;
    return 0;
failed:
    model_release(&m);
    return -1;
}

void model_release(struct model *m)
{
    trie_release(&m->normal);
    trie_release(&m->reserved);
    trie_release(&m->user_defined);
    free(m->pieces);
    free(m->texts);
    *m = (struct model){ 0 };
}

int32_t model_find(const struct model *m, const char *text, size_t length)
{
    int32_t id = trie_find(&m->reserved, text, length);
    if (id < 0)
        id = trie_find(&m->normal, text, length);
    return id < 0 ? m->unk : id;
}
