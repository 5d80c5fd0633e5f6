/* Examples of tasks from files. */
#include "corpora/examples.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static int blame(const struct lines *in, struct error *err)
{
    return error_prefix(err, "%s:%" PRId64, in->path, in->number);
}

static int refuse(const struct lines *in, const char *why, struct error *err)
{
    error_set(err, "%s", why);
    return blame(in, err);
}

static bool is_blank(const char *text)
{
    return !text[strspn(text, " ")];
}

/* ---- one line ---- */

int example_split(struct example *out, char *line, struct error *err)
{
    char *fields[4], *rest = line;
    int count = 0;
    while (rest && count < 4)
        fields[count++] = strsep(&rest, "\t");
    if (count < 2)
        return error_set(err, "no tab: an example is a label, a tab and a text");
    if (count > 3 || rest)
        return error_set(err, "more than three columns: an example is a label and one text or two");
    *out = (struct example){ fields[0], { fields[1], count > 2 ? fields[2] : NULL }, count - 1 };
    if (is_blank(out->label))
        return error_set(err, "the label is empty");
    for (int i = 0; i < out->texts; i++)
        if (is_blank(out->text[i]))
            return error_set(err, "column %d, a text, is empty", i + 2);
    return 0;
}

int example_split_texts(struct example *out, char *line, struct error *err)
{
    char *rest = line;
    *out = (struct example){ 0 };
    for (; rest && out->texts < 2; out->texts++) {
        out->text[out->texts] = strsep(&rest, "\t");
        if (is_blank(out->text[out->texts]))
            return error_set(err, "text %d is empty", out->texts + 1);
    }
    return rest ? error_set(err, "more than two texts; they are divided by tabs") : 0;
}

/* ---- texts ---- */

int text_lines_open(struct text_lines *in, const char *path, const char *second, struct error *err)
{
    in->two = second != NULL;
    return second ? pairs_open(&in->files, path, second, err) : lines_open(&in->files.source, path, err);
}

void text_lines_close(struct text_lines *in)
{
    pairs_close(&in->files);
    strbuf_release(&in->joined);
    *in = (struct text_lines){ 0 };
}

/* A line of one of two files is one text. */
static int check_side(const struct lines *side, const struct lines *other, struct error *err)
{
    if (strlen(side->text) != side->length)
        return refuse(side, "a zero byte", err);
    if (is_blank(side->text))
        return refuse(side, "the text is empty", err);
    if (!strchr(side->text, '\t'))
        return 0;
    error_set(err, "a tab in the text; with a second file of texts, '%s', a line is one text", other->path);
    return blame(side, err);
}

static int join_sides(struct text_lines *in, struct error *err)
{
    const struct lines *first = &in->files.source, *second = &in->files.target;
    if (check_side(first, second, err) < 0 || check_side(second, first, err) < 0)
        return -1;
    strbuf_reset(&in->joined);
    strbuf_printf(&in->joined, "%s\t%s", first->text, second->text);
    in->text = in->joined.text;
    return 1;
}

int text_lines_next(struct text_lines *in, struct error *err)
{
    const struct lines *first = &in->files.source;
    int more = in->two ? pairs_next(&in->files, err) : lines_next(&in->files.source, err);
    if (more <= 0)
        return more;
    if (in->two)
        return join_sides(in, err);
    if (strlen(first->text) != first->length)
        return refuse(first, "a zero byte", err);
    in->text = first->text;
    return 1;
}

int text_lines_read(struct strings *out, const char *path, const char *second, struct error *err)
{
    struct text_lines in = { 0 };
    int more = text_lines_open(&in, path, second, err);
    if (more == 0)
        while ((more = text_lines_next(&in, err)) > 0)
            strings_add(out, in.text);
    text_lines_close(&in);
    return more;
}

/* ---- examples ---- */

int examples_open(struct examples *in, const struct example_files *files, int texts, struct error *err)
{
    in->beside = files->labels != NULL;
    in->count = texts;
    if (!in->beside)
        return lines_open(&in->labels, files->texts, err);
    if (!strcmp(files->labels, "-") && !strcmp(files->texts, "-"))
        return error_set(err, "only one file can be read from standard input");
    return text_lines_open(&in->texts, files->texts, files->second, err) < 0 ? -1
         : lines_open(&in->labels, files->labels, err);
}

void examples_close(struct examples *in)
{
    lines_close(&in->labels);
    text_lines_close(&in->texts);
    *in = (struct examples){ 0 };
}

int examples_blame(const struct examples *in, struct error *err)
{
    return blame(&in->labels, err);
}

/* Where the texts stand. */
static const struct lines *text_file(const struct examples *in)
{
    return in->beside ? &in->texts.files.source : &in->labels;
}

static int next_of_one_file(struct examples *in, struct example *out, struct error *err)
{
    int more = lines_next(&in->labels, err);
    if (more <= 0)
        return more;
    if (strlen(in->labels.text) != in->labels.length)
        return refuse(&in->labels, "a zero byte", err);
    return example_split(out, in->labels.text, err) < 0 ? examples_blame(in, err) : 1;
}

/* One of the files has ended before the other. */
static int differ(const struct lines *longer, const struct lines *shorter, struct error *err)
{
    error_set(err, "nothing stands beside it: '%s' has %" PRId64 " lines; texts and labels must be aligned line by line",
              shorter->path, shorter->number);
    return blame(longer, err);
}

static int next_beside(struct examples *in, struct example *out, struct error *err)
{
    struct lines *labels = &in->labels;
    int text = text_lines_next(&in->texts, err), label = text < 0 ? -1 : lines_next(labels, err);
    if (text <= 0 && label <= 0)
        return text < 0 || label < 0 ? -1 : 0;
    if (label < 0)
        return -1;
    if (text != label)
        return text ? differ(text_file(in), labels, err) : differ(labels, text_file(in), err);
    if (strlen(labels->text) != labels->length)
        return refuse(labels, "a zero byte", err);
    if (is_blank(labels->text))
        return refuse(labels, "the label is empty", err);
    if (strchr(labels->text, '\t'))
        return refuse(labels, "a tab; a file of labels has a label a line and no texts", err);
    if (example_split_texts(out, in->texts.text, err) < 0)
        return blame(text_file(in), err);
    out->label = labels->text;
    return 1;
}

int examples_next(struct examples *in, struct example *out, struct error *err)
{
    *out = (struct example){ 0 };
    int more = in->beside ? next_beside(in, out, err) : next_of_one_file(in, out, err);
    if (more <= 0)
        return more;
    if (in->count && out->texts != in->count) {
        error_set(err, "%d text%s, but %d in the examples before", out->texts, out->texts > 1 ? "s" : "", in->count);
        return blame(text_file(in), err);
    }
    in->count = out->texts;
    return 1;
}

int examples_read(struct strings *out, const struct example_files *files, struct error *err)
{
    struct examples in = { 0 };
    struct example e;
    struct strbuf line = { 0 };
    int more = examples_open(&in, files, 0, err);
    if (more == 0)
        while ((more = examples_next(&in, &e, err)) > 0) {
            strbuf_reset(&line);
            strbuf_printf(&line, "%s\t%s", e.label, e.text[0]);
            if (e.texts > 1)
                strbuf_printf(&line, "\t%s", e.text[1]);
            strings_add(out, line.text);
        }
    examples_close(&in);
    strbuf_release(&line);
    return more;
}
