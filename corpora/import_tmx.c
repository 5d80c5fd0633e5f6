/* The format "tmx": translation memories, as OPUS, CAT tools and agencies hand them out.
 *
 * A <tu> has a <tuv> for each language, with the text in its <seg>.  What stands in <bpt>, <ept>,
 * <it>, <ph> and <ut> is markup of the document that was translated and is left out; that in
 * <hi> is text. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "corpora/import_formats.h"
#include "corpora/language_tag.h"
#include "corpora/xml_units.h"

#define LANGUAGES_SHOWN 8

struct tmx {
    struct xml_units x;                 /* the first member: handlers get its address */
    const char *wanted[2];
    bool needed[2];                     /* false: the side is not asked for */
    int side;                           /* of the <tuv>; -1: another language */
    int64_t units, pairs;
    struct strings seen;                /* languages, for the message when none fits */
};

static bool is_markup(const char *name)
{
    static const char *const names[] = { "bpt", "ept", "it", "ph", "ut" };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static void see_language(struct tmx *t, const char *language)
{
    for (size_t i = 0; i < t->seen.count; i++)
        if (!strcmp(t->seen.items[i], language))
            return;
    if (t->seen.count < LANGUAGES_SHOWN)
        strings_add(&t->seen, language);
}

/* Of several variants of a language the first is taken. */
static int side_of(struct tmx *t, const char *language)
{
    for (int i = 0; i < 2; i++)
        if (t->needed[i] && !t->x.present[i] && language_matches(language, t->wanted[i]))
            return i;
    return -1;
}

static void on_start(struct xml_units *x, const char *name, const char **attributes)
{
    struct tmx *t = (struct tmx *)x;
    if (!strcmp(name, "tu")) {
        xml_units_clear(x);
        t->units++;
    } else if (!strcmp(name, "tuv")) {
        const char *language = xml_attribute(attributes, "lang");
        t->side = language ? side_of(t, language) : -1;
        if (language && !t->pairs)
            see_language(t, language);
    } else if (!strcmp(name, "seg")) {
        x->into = t->side;
    } else if (is_markup(name)) {
        x->skip++;
    }
}

static void on_end(struct xml_units *x, const char *name)
{
    struct tmx *t = (struct tmx *)x;
    if (is_markup(name)) {
        x->skip--;
    } else if (!strcmp(name, "seg")) {
        if (x->into >= 0)
            x->present[x->into] = true;
        x->into = -1;
    } else if (!strcmp(name, "tuv")) {
        t->side = -1;
    } else if (!strcmp(name, "tu")) {
        if ((x->present[0] || !t->needed[0]) && (x->present[1] || !t->needed[1])) {
            t->pairs++;
            xml_units_emit(x);
        }
    }
}

static void close_tmx(void *state)
{
    struct tmx *t = state;
    xml_units_close(&t->x);
    strings_release(&t->seen);
    free(t);
}

static void *open_tmx(const struct import_config *config, const char *source, const char *target,
                      struct error *err)
{
    (void)target;
    bool needed[2] = { import_needs(config, 0), import_needs(config, 1) };
    if ((needed[0] && !language_told(config->source_lang)) ||
        (needed[1] && !language_told(config->target_lang))) {
        error_set(err, "which languages shall be taken from '%s'? Name them with --source-lang and "
                       "--target-lang", source);
        return NULL;
    }
    struct tmx *t = xcalloc(1, sizeof *t);
    *t = (struct tmx){ .x = { .start = on_start, .end = on_end }, .side = -1,
                       .wanted = { config->source_lang, config->target_lang },
                       .needed = { needed[0], needed[1] } };
    if (xml_units_open(&t->x, source, err) < 0) {
        free(t);
        return NULL;
    }
    return t;
}

static int no_pair(const struct tmx *t, struct error *err)
{
    bool both = t->needed[0] && t->needed[1];
    char languages[256] = "";
    for (size_t i = 0, at = 0; i < t->seen.count && at < sizeof languages; i++)
        at += (size_t)snprintf(languages + at, sizeof languages - at, "%s%s", i ? ", " : "",
                               t->seen.items[i]);
    if (!t->units)
        return error_set(err, "'%s' holds no translation unit; is it a TMX file?", t->x.in.path);
    return error_set(err, "none of the %lld units in '%s' has %s%s%s%s%s; its languages are %s",
                     (long long)t->units, t->x.in.path, both ? "both '" : "'",
                     t->needed[0] ? t->wanted[0] : t->wanted[1], both ? "' and '" : "",
                     both ? t->wanted[1] : "", "'", *languages ? languages : "not named");
}

static int next_pair(void *state, struct text_pair *out, struct error *err)
{
    struct tmx *t = state;
    int more = xml_units_next(&t->x, out, err);
    return more == 0 && !t->pairs ? no_pair(t, err) : more;
}

static int64_t repaired_lines(void *state)
{
    (void)state;
    return 0;                           /* XML that is not well-formed is refused */
}

const struct corpus_format import_tmx = {
    .name = "tmx", .summary = "a translation memory; --source-lang and --target-lang choose",
    .inputs = INPUTS_ONE, .suffixes = (const char *const[]){ "tmx", NULL },
    .open = open_tmx, .next = next_pair, .repaired = repaired_lines, .close = close_tmx,
};
