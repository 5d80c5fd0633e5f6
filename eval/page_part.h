#ifndef EVAL_PAGE_PART_H
#define EVAL_PAGE_PART_H

#include "base/plot.h"
#include "eval/page.h"

/* What the files of the page (eval/page.h) share: eval/page.c begins it, eval/page_bands.c has
 * the plots, eval/page_pairs.c the sentences. */
struct page_view {
    struct strbuf *out;
    const struct eval_page *page;
    size_t systems, n;
    char **names;                       /* (systems) without what all have in common */
    double **rows;                      /* (metrics) statistics (systems, n, width) */
    double **sentences;                 /* (systems) the first metric of each sentence (n) */
};

/* Of a system's words: the first one's is its own. */
static inline int page_colour(size_t system)
{
    return system ? 1 + (int)((system - 1) % (PLOT_COLOURS - 1)) : 0;
}

static inline const struct metric_report *page_report(const struct page_view *v, size_t system, size_t metric)
{
    return &v->page->scores->reports[system * v->page->scores->count + metric];
}

void page_lengths(const struct page_view *v);
void page_frequencies(const struct page_view *v, const struct text *const *hyps);
void page_sentence_scores(const struct page_view *v);

/* The sentences in which a system and the first one differ most; other 0: the first system's worst. */
void page_pair(const struct page_view *v, size_t other);
extern const char page_pairs_style[];

#endif
