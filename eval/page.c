/* The page from top to bottom, and its table of scores. */
#include "eval/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/html.h"
#include "base/memory.h"
#include "eval/page_part.h"

static const char page_style[] =
    ".doubt{color:var(--bad)}code{font-size:.85rem;overflow-wrap:anywhere}td .swatch{vertical-align:middle}"
    "td.best .dim{font-weight:400}h3{font-size:1rem;margin:1.2rem 0 .2rem}\n";

/* ---- the view ---- */

/* Bytes that all names have in common at their beginning, up to one of `ends`, or at their end. */
static size_t common_part(const struct testset *set, bool at_end, const char *ends)
{
    const char *first = set->systems[0].name;
    size_t length = strlen(first), common = 0;
    for (size_t k = 1; k < length; k++) {
        bool all = strchr(ends, at_end ? first[length - k] : first[k - 1]) != NULL;
        for (size_t s = 1; all && s < set->systems_count; s++) {
            const char *name = set->systems[s].name;
            size_t other = strlen(name);
            all = other > k && !memcmp(at_end ? name + other - k : name, at_end ? first + length - k : first, k);
        }
        if (all)
            common = k;
    }
    return common;
}

/* Names without what all have in common: newstest.online-A.de and newstest.online-B.de are
 * online-A and online-B. */
static void shorten_names(struct page_view *v)
{
    const struct testset *set = v->page->set;
    bool several = v->systems > 1;
    size_t before = common_part(set, false, several ? "/._" : "/"), after = several ? common_part(set, true, ".") : 0;
    v->names = xcalloc(v->systems, sizeof *v->names);
    for (size_t s = 0; s < v->systems; s++) {
        const char *name = set->systems[s].name;
        size_t length = strlen(name);
        v->names[s] = length > before + after ? xstrndup(name + before, length - before - after) : xstrdup(name);
    }
}

void sentence_scores(double *scores, const struct metric *metric, const struct metric_config *config,
                     const double *rows, size_t n)
{
    struct metric_config c = *config;
    size_t width = (size_t)metric_width(metric, config);
    c.bleu.effective_order = true;
    for (size_t i = 0; i < n; i++) {
        struct metric_report report;
        metric_report(&report, metric, &c, rows + i * width, 1);
        scores[i] = report.score;
    }
}

static void compute_rows(struct page_view *v, const struct text *const *hyps)
{
    const struct eval_page *p = v->page;
    for (size_t m = 0; m < p->scores->count; m++) {
        size_t width = (size_t)metric_width(p->metrics[m], p->config);
        double *totals = xcalloc(v->systems * width + 1, sizeof *totals);
        v->rows[m] = xcalloc(v->systems * v->n * width + 1, sizeof **v->rows);
        metric_systems(totals, v->rows[m], p->metrics[m], p->config, hyps, v->systems, p->set->refs, v->n,
                       p->set->nrefs, p->threads);
        free(totals);
    }
}

static void view_open(struct page_view *v, const struct text **hyps)
{
    const struct eval_page *p = v->page;
    size_t width = (size_t)metric_width(p->metrics[0], p->config);
    for (size_t s = 0; s < v->systems; s++)
        hyps[s] = p->set->systems[s].hyps;
    v->rows = xcalloc(p->scores->count, sizeof *v->rows);
    v->sentences = xcalloc(v->systems, sizeof *v->sentences);
    shorten_names(v);
    compute_rows(v, hyps);
    for (size_t s = 0; s < v->systems; s++) {
        v->sentences[s] = xcalloc(v->n + 1, sizeof **v->sentences);
        sentence_scores(v->sentences[s], p->metrics[0], p->config, v->rows[0] + s * v->n * width, v->n);
    }
}

static void view_close(struct page_view *v)
{
    for (size_t m = 0; m < v->page->scores->count; m++)
        free(v->rows[m]);
    for (size_t s = 0; s < v->systems; s++) {
        free(v->sentences[s]);
        free(v->names[s]);
    }
    free(v->rows);
    free(v->sentences);
    free(v->names);
}

/* ---- scores ---- */

static double best_score(const struct page_view *v, size_t metric)
{
    double best = page_report(v, 0, metric)->score;
    bool falls = metric_falls(v->page->metrics[metric]);
    for (size_t s = 1; s < v->systems; s++) {
        double score = page_report(v, s, metric)->score;
        best = falls ? fmin(best, score) : fmax(best, score);
    }
    return best;
}

static void put_score(const struct page_view *v, size_t system, size_t metric)
{
    const struct metric_report *r = page_report(v, system, metric);
    int width = v->page->scores->width;
    bool best = v->systems > 1 && r->score == best_score(v, metric);
    strbuf_printf(v->out, "<td%s>%.*f", best ? " class=\"best\"" : "", width, r->score);
    if (!isnan(r->mean))
        strbuf_printf(v->out, " <span class=\"dim\">(%.*f ± %.*f)</span>", width, r->mean, width, r->interval);
    if (!isnan(r->p))
        strbuf_printf(v->out, "<br/><span class=\"%s\">p = %.4f</span>", r->p > 0.05 ? "doubt" : "dim", r->p);
    strbuf_puts(v->out, "</td>");
}

static void put_name_cell(const struct page_view *v, size_t system)
{
    strbuf_puts(v->out, "<td title=\"");
    html_text(v->out, v->page->set->systems[system].name);
    strbuf_puts(v->out, "\">");
    plot_swatch(v->out, (int)system);
    strbuf_puts(v->out, " ");
    html_text(v->out, v->names[system]);
    strbuf_puts(v->out, "</td>");
}

/* What p means, and the signatures. */
static void put_notes(const struct page_view *v)
{
    const struct report_systems *r = v->page->scores;
    if (r->test != PAIRED_NONE)
        strbuf_printf(v->out, "<p class=\"dim\">p: of a difference from the first system as large as this by chance, "
                      "paired %s with %d %s; above 0.05 in colour.</p>\n",
                      r->test == PAIRED_BOOTSTRAP ? "bootstrap" : "approximate randomization", r->samples,
                      r->test == PAIRED_BOOTSTRAP ? "resamples" : "trials");
    strbuf_puts(v->out, "<details><summary>Signatures</summary>\n");
    for (size_t m = 0; m < r->count; m++) {
        strbuf_printf(v->out, "<p><code>%s|", page_report(v, 0, m)->name);
        html_text(v->out, page_report(v, 0, m)->signature);
        strbuf_puts(v->out, "</code></p>\n");
    }
    strbuf_puts(v->out, "</details>\n");
}

static void put_scores(const struct page_view *v)
{
    const struct report_systems *r = v->page->scores;
    strbuf_puts(v->out, "<h2>Scores</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>system</th>");
    for (size_t m = 0; m < r->count; m++)
        strbuf_printf(v->out, "<th>%s %s</th>", page_report(v, 0, m)->name,
                      metric_falls(v->page->metrics[m]) ? "↓" : "↑");
    strbuf_puts(v->out, "</tr></thead>\n<tbody>\n");
    for (size_t s = 0; s < v->systems; s++) {
        strbuf_puts(v->out, "<tr>");
        put_name_cell(v, s);
        for (size_t m = 0; m < r->count; m++)
            put_score(v, s, m);
        strbuf_puts(v->out, "</tr>\n");
    }
    strbuf_puts(v->out, "</tbody></table></div>\n");
    put_notes(v);
}

/* ---- the page ---- */

static void put_pairs(const struct page_view *v)
{
    if (v->page->examples == 0)
        return;
    if (v->systems == 1) {
        page_pair(v, 0);
        return;
    }
    strbuf_puts(v->out, "<h2>Side by side</h2>\n");
    for (size_t s = 1; s < v->systems; s++) {
        strbuf_printf(v->out, "<details%s><summary>", s == 1 ? " open=\"open\"" : "");
        html_text(v->out, v->names[0]);
        strbuf_puts(v->out, " and ");
        html_text(v->out, v->names[s]);
        strbuf_puts(v->out, "</summary>\n");
        page_pair(v, s);
        strbuf_puts(v->out, "</details>\n");
    }
}

void eval_page(struct strbuf *out, const struct eval_page *page)
{
    struct page_view v = { .out = out, .page = page, .systems = page->set->systems_count, .n = page->set->n };
    const struct text **hyps = xcalloc(v.systems, sizeof *hyps);
    char *about = xasprintf("%zu line%s, %d reference%s, %zu system%s; coho %s", v.n, v.n == 1 ? "" : "s",
                            page->set->nrefs, page->set->nrefs == 1 ? "" : "s", v.systems, v.systems == 1 ? "" : "s",
                            COHO_VERSION);
    char *style = xasprintf("%s%s", page_style, page_pairs_style);
    view_open(&v, hyps);
    html_head(out, page->title, about, style);
    put_scores(&v);
    page_lengths(&v);
    page_frequencies(&v, hyps);
    page_sentence_scores(&v);
    put_pairs(&v);
    strbuf_puts(out, "</body></html>\n");
    view_close(&v);
    free(style);
    free(about);
    free(hyps);
}

int eval_page_write(const char *path, const struct eval_page *page, struct error *err)
{
    struct strbuf html = { 0 };
    eval_page(&html, page);
    int ret = file_write(path, html.text, html.length, err);
    strbuf_release(&html);
    return ret;
}
