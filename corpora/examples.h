#ifndef CORPORA_EXAMPLES_H
#define CORPORA_EXAMPLES_H

#include "base/strbuf.h"
#include "corpora/pairs.h"

struct error;

/* Examples of tasks (corpora/task.h) as they stand in files, and texts without labels.
 *
 *     struct examples in = {0};
 *     struct example e;
 *     if (examples_open(&in, &(struct example_files){ "trec.tsv" }, 0, err) < 0) goto done;
 *     while ((more = examples_next(&in, &e, err)) > 0)
 *         if (learn(e.label, e.text[0], err) < 0) { more = examples_blame(&in, err); break; }
 *     examples_close(&in);
 *
 * Whatever is wrong is told by file and line. */
struct example {
    const char *label, *text[2];        /* borrowed until the next one */
    int texts;                  /* 1 or 2 */
};

/* Splits a line "label TAB text [TAB second text]" (which it changes) at its tabs; -1 with what is wrong but
 * without the place. */
int example_split(struct example *out, char *line, struct error *err);

/* The same for "text [TAB second text]". */
int example_split_texts(struct example *out, char *line, struct error *err);

/* ---- texts ---- */

/* Lines "text [TAB second text]": of one file that has them, or of two, line i with line i. */
struct text_lines {
    struct pairs files;         /* target: the second texts; closed where there is one file */
    bool two;
    struct strbuf joined;
    char *text;                 /* the current line; valid until the next */
};

/* second: NULL, or the file of the second texts. */
int text_lines_open(struct text_lines *in, const char *path, const char *second, struct error *err);
int text_lines_next(struct text_lines *in, struct error *err);  /* 1 a line, 0 the end, -1 an error */
void text_lines_close(struct text_lines *in);
/* All of them, behind those of the list. */
int text_lines_read(struct strings *out, const char *path, const char *second, struct error *err);

/* ---- examples ---- */

struct example_files {
    const char *texts;          /* lines "label TAB text [TAB second text]"; with `labels`, as of text_lines */
    const char *labels;         /* NULL, or a label for each line of the texts (of a tagging: its words' labels) */
    const char *second;         /* with `labels`: NULL, or the file of the second texts */
};

struct examples {
    struct lines labels;        /* the only file where labels and texts stand in one */
    struct text_lines texts;
    bool beside;                /* labels stand in a file of their own */
    int count;                  /* texts of an example; 0 before the first */
};

/* texts: so many an example must have; 0: as many as the first one. */
int examples_open(struct examples *in, const struct example_files *files, int texts, struct error *err);
int examples_next(struct examples *in, struct example *out, struct error *err);         /* as text_lines_next */
/* Puts the place of the current example's label before what is told; returns -1. */
int examples_blame(const struct examples *in, struct error *err);
void examples_close(struct examples *in);

/* All examples as lines of one file have them. */
int examples_read(struct strings *out, const struct example_files *files, struct error *err);

#endif
