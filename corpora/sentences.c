/* Paragraphs to sentences.  The rules are those that hold in most languages; what must be right
 * is that both sides of a translated paragraph are cut alike, so doubtful places are left whole. */
#include "corpora/sentences.h"

#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "base/memory.h"

static int32_t character(struct text t, size_t at, size_t *size)
{
    int32_t c = -1;
    utf8proc_ssize_t length = at < t.length ? utf8proc_iterate((const uint8_t *)t.bytes + at,
                                                  (utf8proc_ssize_t)(t.length - at), &c) : 1;
    *size = length > 0 ? (size_t)length : 1;
    return length > 0 ? c : 0xFFFD;
}

static bool ends_sentence(int32_t c)
{
    return c == '.' || c == '?' || c == '!' || c == 0x2026 || c == 0x061F || c == 0x06D4;
}

/* Marks that need no space behind them. */
static bool ends_by_itself(int32_t c)
{
    return c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0x0964 || c == 0x17D4;
}

/* Right behind the mark.  German closes with the quotation mark that English opens with. */
static bool is_closing(int32_t c)
{
    if (c == '"' || c == '\'')
        return true;
    utf8proc_category_t category = c < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(c);
    return category == UTF8PROC_CATEGORY_PE || category == UTF8PROC_CATEGORY_PF ||
           category == UTF8PROC_CATEGORY_PI;
}

static bool may_begin(int32_t c)
{
    utf8proc_category_t category = c < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(c);
    return c == '"' || category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT ||
           category == UTF8PROC_CATEGORY_LO || category == UTF8PROC_CATEGORY_PS ||
           category == UTF8PROC_CATEGORY_PI;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The word that ends before `at`. */
static struct text word_before(struct text t, size_t at)
{
    size_t from = at;
    while (from && !is_space(t.bytes[from - 1]) && t.bytes[from - 1] != '(')
        from--;
    return (struct text){ t.bytes + from, at - from };
}

/* A full stop behind this word belongs to the word. */
static bool keeps_stop(struct text word)
{
    static const char *const abbreviations[] = {
        "abb", "approx", "bspw", "bzw", "ca", "cf", "dr", "eg", "env", "etc", "evtl", "ex", "fig",
        "ggf", "ie", "inkl", "jr", "max", "min", "mr", "mrs", "ms", "no", "nr", "núm", "prof",
        "sog", "st", "tab", "usw", "vgl", "vs", "zzgl",
    };
    size_t first;
    bool digits = word.length > 0;
    character(word, 0, &first);
    for (size_t i = 0; i < word.length; i++)
        digits = digits && word.bytes[i] >= '0' && word.bytes[i] <= '9';
    if (digits || !word.length || first == word.length || memchr(word.bytes, '.', word.length))
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(abbreviations); i++)
        if (word.length == strlen(abbreviations[i]) &&
            !strncasecmp(word.bytes, abbreviations[i], word.length))
            return true;
    return false;
}

/* French sets a space before its closing quotation mark: behind both, or `at`. */
static size_t skip_guillemet(struct text t, size_t at)
{
    size_t space, size;
    int32_t c = character(t, at, &space);
    if ((c == ' ' || c == 0xA0 || c == 0x202F) && character(t, at + space, &size) == 0xBB)
        return at + space + size;
    return at;
}

/* Behind the closing signs that follow `at`. */
static size_t skip_closing(struct text t, size_t at)
{
    size_t size;
    at = skip_guillemet(t, at);
    while (at < t.length && is_closing(character(t, at, &size)))
        at += size;
    return at;
}

static size_t skip_space(struct text t, size_t at)
{
    while (at < t.length && is_space(t.bytes[at]))
        at++;
    return at;
}

/* The mark c ends at `end`.  Gives where the sentence ends, or 0 when it goes on. */
static size_t boundary(struct text t, int32_t c, size_t mark, size_t end)
{
    size_t size;
    if (ends_by_itself(c))
        return skip_closing(t, end);
    if (!ends_sentence(c) || (c == '.' && keeps_stop(word_before(t, mark))))
        return 0;
    end = skip_closing(t, end);
    size_t next = skip_space(t, end);
    return next > end && may_begin(character(t, next, &size)) ? end : 0;
}

struct text sentence_next(struct text *rest)
{
    struct text t = text_trim(*rest);
    size_t end = 0, size;
    for (size_t at = 0; at < t.length && !end; at += size) {
        int32_t c = character(t, at, &size);
        end = boundary(t, c, at, at + size);
    }
    if (!end)
        end = t.length;
    *rest = text_trim((struct text){ t.bytes + end, t.length - end });
    return (struct text){ t.bytes, end };
}

int sentence_count(struct text paragraph)
{
    int count = 0;
    for (struct text rest = text_trim(paragraph); rest.length; count++)
        sentence_next(&rest);
    return count;
}
