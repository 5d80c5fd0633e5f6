/* Sentences side by side, with what differs word by word. */
#include <math.h>
#include <stdlib.h>

#include "base/html.h"
#include "base/memory.h"
#include "eval/page_part.h"

const char page_pairs_style[] =
    ".pair{border:1px solid var(--rule);border-radius:8px;margin:.8rem 0;padding:.6rem .9rem .8rem}"
    ".pair header{display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;align-items:baseline;font-size:.85rem;color:var(--dim);"
    "font-variant-numeric:tabular-nums}.pair header b{color:var(--fg)}.pair header .gain{margin-left:auto;font-weight:600}\n"
    ".pair p{max-width:none;margin:0;overflow-wrap:anywhere}.who{font-size:.75rem;color:var(--dim);"
    "line-height:1.3;margin-top:.35rem}.who i{display:inline-block;width:.65em;height:.65em;border-radius:50%;background:var(--c);margin-right:.4em}"
    ".two{display:grid;grid-template-columns:1fr 1fr;gap:0 1.4rem}@media (max-width:640px){.two{grid-template-columns:1fr}}\n"
    ".only{background:color-mix(in srgb,var(--c) 24%,transparent);border-radius:3px;padding:.05em .08em;margin:0 -.08em}"
    ".wrong{text-decoration:underline wavy var(--bad) 1.5px;text-decoration-skip-ink:none;text-underline-offset:.2em}"
    ".missed{border-bottom:2px dotted var(--dim)}:root{--bad:#c62828}"
    "@media (prefers-color-scheme:dark){:root{--bad:#ff8a80}}\n"
    "details{margin:.6rem 0}summary{cursor:pointer;font-weight:600}details details summary{font-weight:400;color:var(--dim)}"
    ".key{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;font-size:.85rem;color:var(--dim);margin:.4rem 0}\n";

/* ---- which sentences ---- */

struct gap {
    size_t line;
    double gain;                        /* of the other system; of one alone, how good it is */
};

static int by_gain(const void *a, const void *b)
{
    const struct gap *x = a, *y = b;
    if (x->gain != y->gain)
        return x->gain < y->gain ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

/* The lines from the other system's greatest loss to its greatest gain: the caller's. */
static struct gap *rank_lines(const struct page_view *v, size_t other)
{
    const struct metric *ranking = v->page->metrics[0];
    double sign = metric_falls(ranking) ? -1 : 1;
    struct gap *gaps = xcalloc(v->n + 1, sizeof *gaps);
    for (size_t i = 0; i < v->n; i++) {
        double first = v->sentences[0][i];
        gaps[i] = (struct gap){ i, sign * (other ? v->sentences[other][i] - first : first) };
    }
    qsort(gaps, v->n, sizeof *gaps, by_gain);
    return gaps;
}

/* ---- words ---- */

struct side {
    struct diff_words words;
    bool *in_ref, *in_other;            /* (words.count) */
    bool *ref_has;                      /* words of the reference that this side has */
};

static void read_side(struct side *s, struct text hyp, const struct diff_words *ref)
{
    diff_read(&s->words, hyp);
    s->in_ref = xcalloc(s->words.count + 1, sizeof *s->in_ref);
    s->in_other = xcalloc(s->words.count + 1, sizeof *s->in_other);
    s->ref_has = xcalloc(ref->count + 1, sizeof *s->ref_has);
    diff_common(s->in_ref, s->ref_has, &s->words, ref);
}

static void release_side(struct side *s)
{
    diff_release(&s->words);
    free(s->in_ref);
    free(s->in_other);
    free(s->ref_has);
}

/* Words with their marks: word i is of class classes[marks[i]]; neighbours of a class are one piece. */
static void put_words(struct strbuf *out, const struct diff_words *words, const unsigned char *marks,
                      const char *const *classes)
{
    const char *open = "";
    for (size_t i = 0; i < words->count; i++) {
        const struct diff_word *w = &words->items[i];
        const char *class = classes[marks[i]];
        bool goes_on = i > 0 && class == open;
        if (i > 0 && !goes_on && *open)
            strbuf_puts(out, "</span>");
        if (i > 0 && w->spaced)
            strbuf_putc(out, ' ');
        if (!goes_on && *class)
            strbuf_printf(out, "<span class=\"%s\">", class);
        html_bytes(out, w->text.bytes, w->text.length);
        open = class;
    }
    if (words->count && *open)
        strbuf_puts(out, "</span>");
    else if (!words->count)
        strbuf_puts(out, "<span class=\"dim\">(empty)</span>");
}

/* Whose text follows.  The text has a paragraph of its own, so that its direction is its own. */
static void put_who(struct strbuf *out, const char *name, int colour)
{
    strbuf_puts(out, "<div class=\"who\">");
    if (colour >= 0)
        strbuf_printf(out, "<i class=\"s%d\"></i>", colour);
    html_text(out, name);
    strbuf_puts(out, "</div><p dir=\"auto\">");
}

static void put_source(struct strbuf *out, struct text source)
{
    put_who(out, "source", -1);
    html_bytes(out, source.bytes, source.length);
    strbuf_puts(out, "</p>\n");
}

/* What only one system got has its colour; what none got is dotted. */
static void put_ref(struct strbuf *out, const struct diff_words *ref, const struct side *first,
                    const struct side *other, int other_colour)
{
    char second[24];
    const char *classes[] = { "missed", "only s0", second, "" };
    unsigned char *marks = xcalloc(ref->count + 1, 1);
    snprintf(second, sizeof second, "only s%d", other_colour);
    for (size_t i = 0; i < ref->count; i++) {
        bool by_first = first->ref_has[i], by_other = other ? other->ref_has[i] : by_first;
        marks[i] = (unsigned char)(by_first + 2 * by_other);
    }
    put_who(out, "reference", -1);
    put_words(out, ref, marks, classes);
    strbuf_puts(out, "</p>\n");
    free(marks);
}

static void put_hyp(struct strbuf *out, const struct side *s, const char *name, int colour, bool alone)
{
    static const char *const classes[] = { "", "only", "wrong", "only wrong" };
    unsigned char *marks = xcalloc(s->words.count + 1, 1);
    for (size_t i = 0; i < s->words.count; i++)
        marks[i] = (unsigned char)((!alone && !s->in_other[i]) + 2 * !s->in_ref[i]);
    strbuf_printf(out, "<div class=\"s%d\">", colour);
    put_who(out, name, colour);
    put_words(out, &s->words, marks, classes);
    strbuf_puts(out, "</p></div>\n");
    free(marks);
}

/* ---- one sentence ---- */

static void put_header(const struct page_view *v, size_t other, struct gap gap)
{
    size_t shown[] = { 0, other };
    strbuf_printf(v->out, "<article class=\"pair\"><header><b>line %zu</b>", gap.line + 1);
    for (size_t k = 0; k <= (other > 0); k++) {
        strbuf_puts(v->out, "<span>");
        html_text(v->out, v->names[shown[k]]);
        strbuf_printf(v->out, " %.*f</span>", v->page->scores->width, v->sentences[shown[k]][gap.line]);
    }
    if (other)
        strbuf_printf(v->out, "<span class=\"gain\">%+.*f</span>", v->page->scores->width,
                      v->sentences[other][gap.line] - v->sentences[0][gap.line]);
    strbuf_puts(v->out, "</header>\n");
}

static void put_sentence(const struct page_view *v, size_t other, struct gap gap)
{
    const struct testset *set = v->page->set;
    struct diff_words ref = { 0 };
    struct side first = { 0 }, second = { 0 };
    int colour = page_colour(other);

    diff_read(&ref, set->refs[gap.line]);
    read_side(&first, set->systems[0].hyps[gap.line], &ref);
    if (other) {
        read_side(&second, set->systems[other].hyps[gap.line], &ref);
        diff_common(first.in_other, second.in_other, &first.words, &second.words);
    }
    put_header(v, other, gap);
    if (v->page->source)
        put_source(v->out, v->page->source[gap.line]);
    put_ref(v->out, &ref, &first, other ? &second : NULL, colour);
    strbuf_puts(v->out, other ? "<div class=\"two\">\n" : "");
    put_hyp(v->out, &first, v->names[0], 0, !other);
    if (other)
        put_hyp(v->out, &second, v->names[other], colour, false);
    strbuf_puts(v->out, other ? "</div></article>\n" : "</article>\n");
    diff_release(&ref);
    release_side(&first);
    release_side(&second);
}

/* ---- the section ---- */

static void put_key(const struct page_view *v, size_t other)
{
    strbuf_puts(v->out, "<div class=\"key\">");
    if (other)
        strbuf_printf(v->out, "<span><span class=\"only s0\">coloured</span> / <span class=\"only s%d\">coloured</span>: "
                      "in this translation, not in the other; in the reference: got by that system alone</span>",
                      page_colour(other));
    strbuf_printf(v->out, "<span><span class=\"wrong\">waved</span>: not in the reference</span>"
                  "<span><span class=\"missed\">dotted</span>: got by %s</span></div>\n", other ? "neither" : "nobody");
}

static void put_tally(const struct page_view *v, size_t other, const struct gap *gaps)
{
    size_t better = 0, worse = 0;
    for (size_t i = 0; i < v->n; i++) {
        better += gaps[i].gain > 0;
        worse += gaps[i].gain < 0;
    }
    strbuf_puts(v->out, "<p>By ");
    html_text(v->out, v->page->scores->reports[0].name);
    strbuf_puts(v->out, " of sentences, ");
    html_text(v->out, v->names[other]);
    strbuf_printf(v->out, " is better in %zu lines, ", better);
    html_text(v->out, v->names[0]);
    strbuf_printf(v->out, " in %zu, and %zu score the same.</p>\n", worse, v->n - better - worse);
}

static void put_list(const struct page_view *v, size_t other, const char *title, const char *name,
                     const struct gap *gaps, size_t count, int step)
{
    strbuf_printf(v->out, "<h3>%s", title);
    html_text(v->out, name);
    strbuf_puts(v->out, "</h3>\n");
    for (size_t k = 0; k < count; k++, gaps += step)
        put_sentence(v, other, *gaps);
}

/* How many of those at the end differ at all: at most `examples`. */
static size_t differing(const struct gap *end, size_t n, int step, size_t examples)
{
    size_t count = 0;
    while (count < n && count < examples && end[(ptrdiff_t)count * step].gain * -step > 0)
        count++;
    return count;
}

void page_pair(const struct page_view *v, size_t other)
{
    size_t examples = (size_t)v->page->examples;
    struct gap *gaps = rank_lines(v, other), *last = gaps + (v->n ? v->n - 1 : 0);

    put_key(v, other);
    if (other) {
        put_tally(v, other, gaps);
        put_list(v, other, "Most in favour of ", v->names[other], last, differing(last, v->n, -1, examples), -1);
        put_list(v, other, "Most in favour of ", v->names[0], gaps, differing(gaps, v->n, 1, examples), 1);
    } else {
        put_list(v, 0, "Lowest scores of ", v->names[0], gaps, v->n < examples ? v->n : examples, 1);
    }
    free(gaps);
}
