/* libexttextcat with a list of languages of our own: of all of its 160, too many are near
 * relatives of English for a sentence to be told apart (of Multi30k's English lines 78% were
 * found with all, 99% with these). */
#include "corpora/language_id.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <textcat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "corpora/language_tag.h"

#define FINGERPRINTS "/usr/share/libexttextcat/"
#define LEAST_BYTES 25

struct language_id {
    void *textcat;
    candidate_t *candidates;
    char *wanted[2];                    /* names of fingerprints; NULL: any language will do */
};

static const char *const usual[] = {
    "zh-Hans", "es", "en", "ar", "hi", "pt", "ru", "ja", "de", "ko", "fr", "vi", "it", "tr", "pl",
    "uk", "nl", "fa", "ro", "el", "hu", "cs", "sv", "bg", "da", "fi", "he", "id", "th", "sk", "nb",
    "hr",
};

static bool has_fingerprint(const char *name)
{
    char *path = xasprintf(FINGERPRINTS "%s.lm", name);
    bool there = file_exists(path);
    free(path);
    return there;
}

/* The fingerprint for a tag: its own, that of its language, or one of these. */
static char *fingerprint_of(const char *tag)
{
    static const struct { const char *language, *name; } others[] = {
        { "zh", "zh-Hans" }, { "no", "nb" }, { "sr", "sr-Cyrl" }, { "iw", "he" }, { "mg", "plt" },
    };
    char *name = xstrdup(tag);
    for (char *c = name; *c; c++)
        *c = *c == '_' ? '-' : *c;
    if (has_fingerprint(name))
        return name;
    name[strcspn(name, "-")] = '\0';
    if (has_fingerprint(name))
        return name;
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        if (!strcmp(name, others[i].language)) {
            free(name);
            return xstrdup(others[i].name);
        }
    free(name);
    return NULL;
}

static void list(struct strbuf *out, const struct language_id *id)
{
    for (int i = 0; i < 2; i++)
        if (id->wanted[i] && (!i || !id->wanted[0] || strcmp(id->wanted[0], id->wanted[1])))
            strbuf_printf(out, "%s.lm %s\n", id->wanted[i], id->wanted[i]);
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++)
        if ((!id->wanted[0] || strcmp(usual[i], id->wanted[0])) &&
            (!id->wanted[1] || strcmp(usual[i], id->wanted[1])))
            strbuf_printf(out, "%s.lm %s\n", usual[i], usual[i]);
}

/* The library wants its list as a file. */
static void *start(const struct language_id *id)
{
    struct strbuf text = { 0 };
    char path[32];
    void *textcat = NULL;
    int fd = memfd_create("languages", MFD_CLOEXEC);
    list(&text, id);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd >= 0 && write(fd, text.text, text.length) == (ssize_t)text.length)
        textcat = special_textcat_Init(path, FINGERPRINTS);
    if (fd >= 0)
        close(fd);
    strbuf_release(&text);
    return textcat;
}

struct language_id *language_id_new(const char *const wanted[2], struct error *err)
{
    struct language_id *id = xcalloc(1, sizeof *id);
    for (int i = 0; i < 2; i++)
        if (language_told(wanted[i]) && !(id->wanted[i] = fingerprint_of(wanted[i]))) {
            error_set(err, "there is no fingerprint of language '%s' in " FINGERPRINTS
                           ", the package libexttextcat-data; leave out --identify-language",
                      wanted[i]);
            language_id_free(id);
            return NULL;
        }
    if (!id->wanted[0] && !id->wanted[1])
        error_set(err, "which languages shall be identified? Name them with --source-lang and "
                       "--target-lang");
    else if (!(id->textcat = start(id)))
        error_set(err, "cannot read the fingerprints of languages in " FINGERPRINTS "; install the "
                       "package libexttextcat-data");
    if (!id->textcat) {
        language_id_free(id);
        return NULL;
    }
    id->candidates = textcat_GetClassifyFullOutput(id->textcat);
    return id;
}

void language_id_free(struct language_id *id)
{
    if (!id)
        return;
    if (id->candidates)
        textcat_ReleaseClassifyFullOutput(id->textcat, id->candidates);
    if (id->textcat)
        textcat_Done(id->textcat);
    free(id->wanted[0]);
    free(id->wanted[1]);
    free(id);
}

bool language_id_fits(struct language_id *id, int side, struct text t)
{
    if (!id->wanted[side] || t.length < LEAST_BYTES)
        return true;
    int count = textcat_ClassifyFull(id->textcat, t.bytes, t.length, id->candidates);
    for (int i = 0; i < count; i++)
        if (!strcmp(id->candidates[i].name, id->wanted[side]))
            return true;
    return count <= 0;
}
