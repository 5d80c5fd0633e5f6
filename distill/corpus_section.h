#ifndef DISTILL_CORPUS_SECTION_H
#define DISTILL_CORPUS_SECTION_H

#include <jansson.h>

#include "base/strbuf.h"

struct error;

/* What a corpus is made of, as part of a page: a table, and how long its lines are, as a plot.
 * `stats` is what corpus_stats_json gave (corpora/stats.h). */
void corpus_section(struct strbuf *out, const char *title, const json_t *stats);

/* Sections of all stages of a run that left their statistics. */
#define STATS_FILE "stats.json"
void corpus_sections(struct strbuf *out, const char *run_folder);

/* A page of one corpus alone. */
int corpus_page_write(const char *path, const char *title, const json_t *stats, struct error *err);

#endif
