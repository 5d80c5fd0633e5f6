/* The format "xliff": localisation files of versions 1.2 and 2.0.
 *
 * A 1.2 <trans-unit>, or a 2.0 <segment>, has a <source> and a <target>; those of <alt-trans> and of
 * 2.0's matches are proposals and left out.  Markup stands in 1.2's <bpt>, <ept>, <ph> and <it>;
 * what other inline elements hold is text. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "corpora/import_formats.h"
#include "corpora/language_tag.h"
#include "corpora/xml_units.h"

struct xliff {
    struct xml_units x;                 /* the first member: handlers get its address */
    const char *wanted[2];
    bool unfinished;                    /* take untranslated and unapproved ones as well */
    bool new_markup;                    /* version 2: <ph> and the like are empty */
    bool other_language;                /* this <file> is not what was asked for */
    int unit;                           /* depth of the unit; 0: outside */
    bool left_out;
    int64_t units, taken;
};

static bool is_markup(const struct xliff *f, const char *name)
{
    static const char *const names[] = { "bpt", "ept", "it", "ph" };
    for (size_t i = 0; i < ARRAY_COUNT(names) && !f->new_markup; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static bool has(const char **attributes, const char *name, const char *value)
{
    const char *found = xml_attribute(attributes, name);
    return found && !strcmp(found, value);
}

static bool is_unfinished(const char **attributes)
{
    return has(attributes, "state", "new") || has(attributes, "state", "needs-translation") ||
           has(attributes, "state", "initial") || has(attributes, "approved", "no");
}

static bool differs(const char *language, const char *wanted)
{
    return language && language_told(wanted) && !language_matches(language, wanted);
}

static void see_languages(struct xliff *f, const char *source, const char *target)
{
    f->other_language = differs(source, f->wanted[0]) || differs(target, f->wanted[1]);
}

static void unit_begin(struct xliff *f, const char **attributes)
{
    f->unit = f->x.depth;
    f->left_out = f->other_language || has(attributes, "translate", "no") ||
                  (!f->unfinished && is_unfinished(attributes));
    f->units++;
    xml_units_clear(&f->x);
}

static void side_begin(struct xliff *f, int side, const char **attributes)
{
    f->x.into = side;
    strbuf_reset(&f->x.side[side]);
    if (side && !f->unfinished && is_unfinished(attributes))
        f->left_out = true;
}

static void on_start(struct xml_units *x, const char *name, const char **attributes)
{
    struct xliff *f = (struct xliff *)x;
    if (is_markup(f, name)) {
        x->skip++;
    } else if (!strcmp(name, "xliff")) {
        const char *version = xml_attribute(attributes, "version");
        f->new_markup = version && *version == '2';
        see_languages(f, xml_attribute(attributes, "srcLang"), xml_attribute(attributes, "trgLang"));
    } else if (!strcmp(name, "file") && !f->new_markup) {
        see_languages(f, xml_attribute(attributes, "source-language"),
                      xml_attribute(attributes, "target-language"));
    } else if (!strcmp(name, f->new_markup ? "segment" : "trans-unit")) {
        unit_begin(f, attributes);
    } else if (f->unit && x->depth == f->unit + 1 && x->into < 0) {
        if (!strcmp(name, "source"))
            side_begin(f, 0, attributes);
        else if (!strcmp(name, "target"))
            side_begin(f, 1, attributes);
    }
}

static void on_end(struct xml_units *x, const char *name)
{
    struct xliff *f = (struct xliff *)x;
    if (is_markup(f, name)) {
        x->skip--;
    } else if (f->unit && x->depth == f->unit + 1 && x->into >= 0) {
        x->present[x->into] = true;
        x->into = -1;
    } else if (f->unit && x->depth == f->unit) {
        f->unit = 0;
        if (x->present[0] && x->present[1] && x->side[1].length && !f->left_out) {
            f->taken++;
            xml_units_emit(x);
        }
    }
}

static void close_xliff(void *state)
{
    struct xliff *f = state;
    xml_units_close(&f->x);
    free(f);
}

static void *open_xliff(const struct import_config *config, const char *source, const char *target,
                        struct error *err)
{
    struct xliff *f = xcalloc(1, sizeof *f);
    (void)target;
    *f = (struct xliff){ .x = { .start = on_start, .end = on_end },
                         .wanted = { config->source_lang, config->target_lang },
                         .unfinished = config->unfinished };
    if (xml_units_open(&f->x, source, err) < 0) {
        free(f);
        return NULL;
    }
    return f;
}

static int next_pair(void *state, struct text_pair *out, struct error *err)
{
    struct xliff *f = state;
    int more = xml_units_next(&f->x, out, err);
    if (more == 0 && !f->units)
        return error_set(err, "'%s' holds no translation unit; is it an XLIFF file?", f->x.in.path);
    if (more == 0 && !f->taken)
        return error_set(err, "none of the %lld units in '%s' is translated into what is wanted; "
                              "look at its languages, or give --unfinished",
                         (long long)f->units, f->x.in.path);
    return more;
}

static int64_t repaired_lines(void *state)
{
    (void)state;
    return 0;
}

const struct corpus_format import_xliff = {
    .name = "xliff", .summary = "localisation files, XLIFF 1.2 and 2.0",
    .inputs = INPUTS_ONE, .suffixes = (const char *const[]){ "xlf", "xliff", "sdlxliff", "mxliff", NULL },
    .open = open_xliff, .next = next_pair, .repaired = repaired_lines, .close = close_xliff,
};
