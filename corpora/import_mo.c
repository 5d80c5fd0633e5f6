/* The format "mo": compiled catalogues of gettext, as programs install them.
 *
 *     | magic 0x950412de | revision | N | originals | translations | … |      uint32 each
 *     originals, translations: offsets of N × { length, offset } of texts, in the writer's byte order
 *
 * A text may be "context\4message", and "singular\0plural" with the plural forms of the translation
 * divided likewise; the plural goes with the last form. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"
#include "corpora/catalogue.h"
#include "corpora/import_formats.h"

#define MAGIC UINT32_C(0x950412DE)
#define MOST ((size_t)1 << 30)          /* bytes: real ones have some millions */

struct mo {
    struct catalogue catalogue;
    const char *path;
    struct strbuf bytes;
    bool swapped;
    uint32_t count, originals, translations, next;
};

static void close_mo(void *state)
{
    struct mo *m = state;
    catalogue_release(&m->catalogue);
    strbuf_release(&m->bytes);
    free(m);
}

static int read_all(struct strbuf *out, const char *path, struct error *err)
{
    struct bytes in;
    char block[1 << 16];
    ssize_t got;
    if (bytes_open(&in, path, err) < 0)
        return -1;
    while ((got = bytes_read(&in, block, sizeof block, err)) > 0 && out->length < MOST)
        strbuf_add(out, block, (size_t)got);
    bytes_close(&in);
    if (out->length >= MOST)
        return error_set(err, "%s is too large for an MO file", path);
    return got < 0 ? -1 : 0;
}

/* The caller knows that the number lies within the file. */
static uint32_t number_at(const struct mo *m, size_t at)
{
    uint32_t number;
    memcpy(&number, m->bytes.text + at, sizeof number);
    return m->swapped ? __builtin_bswap32(number) : number;
}

static int damaged(const struct mo *m, const char *why, struct error *err)
{
    return error_set(err, "%s is a damaged MO file: %s; make it again with msgfmt",
                     path_shown(m->path), why);
}

static bool table_fits(const struct mo *m, uint32_t at)
{
    return at <= m->bytes.length && (m->bytes.length - at) / 8 >= m->count;
}

static int check(struct mo *m, struct error *err)
{
    if (m->bytes.length < 4 || (number_at(m, 0) != MAGIC &&
                                number_at(m, 0) != __builtin_bswap32(MAGIC)))
        return error_set(err, "%s is no MO file: it does not begin like one", path_shown(m->path));
    m->swapped = number_at(m, 0) != MAGIC;
    if (m->bytes.length < 20)
        return damaged(m, "it ends within its header", err);
    m->count = number_at(m, 8);
    m->originals = number_at(m, 12);
    m->translations = number_at(m, 16);
    if (!table_fits(m, m->originals) || !table_fits(m, m->translations))
        return damaged(m, "its tables lie outside of it", err);
    return 0;
}

static int text_at(const struct mo *m, struct text *out, uint32_t table, uint32_t i, struct error *err)
{
    uint32_t length = number_at(m, table + (size_t)8 * i), at = number_at(m, table + (size_t)8 * i + 4);
    char why[64];
    snprintf(why, sizeof why, "message %lu lies outside of it", (unsigned long)i + 1);
    if (at > m->bytes.length || length > m->bytes.length - at)
        return damaged(m, why, err);
    *out = (struct text){ m->bytes.text + at, length };
    return 0;
}

static void *open_mo(const struct import_config *config, const char *source, const char *target,
                     struct error *err)
{
    struct mo *m = xcalloc(1, sizeof *m);
    (void)target;
    m->path = source;
    m->catalogue.utf8 = (enum utf8_policy)config->bad_utf8;
    if (read_all(&m->bytes, source, err) < 0 || check(m, err) < 0) {
        close_mo(m);
        return NULL;
    }
    return m;
}

/* The text up to the first zero byte, and the one behind the last. */
static struct text first_form(struct text t)
{
    const char *zero = t.length ? memchr(t.bytes, 0, t.length) : NULL;
    return zero ? (struct text){ t.bytes, (size_t)(zero - t.bytes) } : t;
}

static struct text last_form(struct text t)
{
    const char *zero = t.length ? memrchr(t.bytes, 0, t.length) : NULL;
    size_t skip = zero ? (size_t)(zero - t.bytes) + 1 : 0;
    return (struct text){ t.bytes + skip, t.length - skip };
}

static int take_message(struct mo *m, uint32_t i, struct error *err)
{
    struct text source, target;
    if (text_at(m, &source, m->originals, i, err) < 0 ||
        text_at(m, &target, m->translations, i, err) < 0)
        return -1;
    if (!source.length)
        return catalogue_header(&m->catalogue, target, err);
    const char *context = memchr(source.bytes, 4, source.length);
    size_t skip = context ? (size_t)(context - source.bytes) + 1 : 0;
    source = (struct text){ source.bytes + skip, source.length - skip };
    char *where = xasprintf("%s: message %lu", path_shown(m->path), (unsigned long)i + 1);
    int ret = catalogue_add(&m->catalogue, first_form(source), first_form(target), where, err);
    if (ret == 0 && first_form(source).length < source.length)
        ret = catalogue_add(&m->catalogue, last_form(source), last_form(target), where, err);
    free(where);
    return ret;
}

static int next_pair(void *state, struct text_pair *out, struct error *err)
{
    struct mo *m = state;
    while (!pair_queue_next(&m->catalogue.queue, out)) {
        if (m->next == m->count)
            return 0;
        if (take_message(m, m->next++, err) < 0)
            return -1;
    }
    return 1;
}

static int64_t repaired_lines(void *state)
{
    return ((struct mo *)state)->catalogue.repaired;
}

const struct corpus_format import_mo = {
    .name = "mo", .summary = "a compiled catalogue of gettext",
    .inputs = INPUTS_ONE, .suffixes = (const char *const[]){ "mo", "gmo", NULL },
    .open = open_mo, .next = next_pair, .repaired = repaired_lines, .close = close_mo,
};
