/* Words, and a longest common subsequence of two lists of them by the table of Wagner and Fischer
 * (1974): one byte a cell says where the best path goes on. */
#include "eval/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

/* ---- words ---- */

/* Characters of scripts that put no spaces between words. */
static bool stands_alone(uint32_t c)
{
    static const struct { uint32_t first, last; } ranges[] = {
        { 0x0E00, 0x0EFF }, { 0x1000, 0x109F }, { 0x1780, 0x17FF },    /* Thai, Lao, Burmese, Khmer */
        { 0x2E80, 0x30FF }, { 0x3100, 0x312F }, { 0x3190, 0x9FFF },    /* Chinese, kana, bopomofo */
        { 0xF900, 0xFAFF }, { 0xFF66, 0xFF9F }, { 0x20000, 0x3FFFF },
    };
    for (size_t i = 0; i < ARRAY_COUNT(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

enum kind { SPACE, LETTERS, MARK, OTHER };

static enum kind kind_of(uint32_t c)
{
    if (code_is_space(c))
        return SPACE;
    switch (code_class(c)) {
    case 'L': case 'N': return LETTERS;
    case 'M': return MARK;
    default: return c == 0x200C || c == 0x200D ? MARK : OTHER;  /* joiners */
    }
}

static void add_word(struct diff_words *out, const char *begin, const char *end, bool spaced, bool lettered)
{
    size_t length = (size_t)(end - begin);
    ARRAY_GROW(out->items, out->room, out->count + 1);
    out->items[out->count++] = (struct diff_word){ { begin, length }, hash_bytes(begin, length, 0), spaced, lettered };
}

void diff_read(struct diff_words *out, struct text t)
{
    bool spaced = false;
    out->count = 0;
    for (size_t at = 0; at < t.length; ) {
        size_t begin = at, end;
        uint32_t code = text_next(t, &at);
        enum kind first = kind_of(code);
        if (first == SPACE) {
            spaced = true;
            continue;
        }
        bool run = first == LETTERS && !stands_alone(code);
        for (end = at; end < t.length; end = at) {
            code = text_next(t, &at);
            enum kind kind = kind_of(code);
            if (kind != MARK && !(run && kind == LETTERS && !stands_alone(code)))
                break;
        }
        at = end;
        add_word(out, t.bytes + begin, t.bytes + end, spaced, first != OTHER);
        spaced = false;
    }
}

void diff_release(struct diff_words *words)
{
    free(words->items);
    *words = (struct diff_words){ 0 };
}

/* ---- what is common ---- */

static bool same(const struct diff_word *a, const struct diff_word *b)
{
    return a->hash == b->hash && a->text.length == b->text.length
        && !memcmp(a->text.bytes, b->text.bytes, a->text.length);
}

enum step { TAKE_BOTH, SKIP_A, SKIP_B };

/* step (n, m): what a best path through the words from (i, j) on does first. */
static void fill_steps(unsigned char *step, const struct diff_word *a, size_t n, const struct diff_word *b, size_t m)
{
    uint32_t *below = xcalloc(m + 1, sizeof *below), *here = xcalloc(m + 1, sizeof *here);
    for (size_t i = n; i-- > 0; ) {
        for (size_t j = m; j-- > 0; ) {
            enum step s = here[j + 1] > below[j] ? SKIP_B : SKIP_A;
            here[j] = s == SKIP_B ? here[j + 1] : below[j];
            if (same(&a[i], &b[j]) && below[j + 1] + 1 >= here[j]) {
                here[j] = below[j + 1] + 1;
                s = TAKE_BOTH;
            }
            step[i * m + j] = (unsigned char)s;
        }
        uint32_t *other = below;
        below = here;
        here = other;
    }
    free(below);
    free(here);
}

static void walk_steps(bool *in_a, bool *in_b, const unsigned char *step, size_t n, size_t m)
{
    for (size_t i = 0, j = 0; i < n && j < m; ) {
        enum step s = step[i * m + j];
        if (s == TAKE_BOTH)
            in_a[i] = in_b[j] = true;
        i += s != SKIP_B;
        j += s != SKIP_A;
    }
}

void diff_common(bool *in_a, bool *in_b, const struct diff_words *a, const struct diff_words *b)
{
    size_t begin = 0, n = a->count, m = b->count;
    memset(in_a, 0, n * sizeof *in_a);
    memset(in_b, 0, m * sizeof *in_b);
    for (; begin < n && begin < m && same(&a->items[begin], &b->items[begin]); begin++)
        in_a[begin] = in_b[begin] = true;
    for (; n > begin && m > begin && same(&a->items[n - 1], &b->items[m - 1]); n--, m--)
        in_a[n - 1] = in_b[m - 1] = true;
    n -= begin;
    m -= begin;
    if (n == 0 || m == 0 || n > DIFF_CELLS_MAX / m)
        return;
    unsigned char *step = xmalloc(n * m);
    fill_steps(step, a->items + begin, n, b->items + begin, m);
    walk_steps(in_a + begin, in_b + begin, step, n, m);
    free(step);
}
