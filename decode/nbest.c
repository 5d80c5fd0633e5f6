/* Files of n-best lists. */
#include "decode/nbest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "decode/translate.h"

const char nbest_letters[NBEST_MARKS + 1] = "ctebful";
const char *const nbest_names[NBEST_MARKS] = {
    "cut", "truncated", "empty", "blank", "failed", "bad_text", "too_long"
};

unsigned nbest_marks(const struct translation *t, int i)
{
    const struct hypothesis *h = &t->best[i];
    unsigned marks = h->cut ? NBEST_CUT : 0;
    if (t->cut_tokens)
        marks |= NBEST_TRUNCATED;
    if (t->source_tokens == 0)
        return marks | NBEST_EMPTY;
    if (!(h->logp > -INFINITY))
        return marks | NBEST_FAILED;
    return t->text[i][strspn(t->text[i], " \t")] ? marks : marks | NBEST_BLANK;
}

void nbest_put(FILE *out, int64_t sentence, double score, double logp, unsigned marks, const char *text)
{
    fprintf(out, "%lld\t%.6g\t%.6g\t%s", (long long)sentence, score, logp, marks ? "" : "-");
    for (int i = 0; i < NBEST_MARKS; i++)
        if (marks & 1u << i)
            fputc(nbest_letters[i], out);
    fprintf(out, "\t%s\n", text);
}

void nbest_write(FILE *out, const struct translation *t, int64_t sentence, unsigned marks)
{
    for (int i = 0; i < t->count; i++)
        nbest_put(out, sentence, t->best[i].score, t->best[i].logp, marks ? marks : nbest_marks(t, i), t->text[i]);
}

int nbest_open(struct nbest *n, const char *path, struct error *err)
{
    *n = (struct nbest){ 0 };
    return lines_open(&n->in, path, err);
}

static int bad_line(const struct nbest *n, struct error *err)
{
    return error_set(err, "%s:%lld: not a line of an n-best list (sentence, score, "
                     "log-probability, marks, text)", n->in.path, (long long)n->in.number);
}

/* Reads letters up to the tab; returns NULL where they are none of ours. */
static char *parse_marks(unsigned *marks, char *at)
{
    *marks = 0;
    if (*at == '-')
        return at + 1;
    for (; *at && *at != '\t'; at++) {
        const char *letter = strchr(nbest_letters, *at);
        if (!letter)
            return NULL;
        *marks |= 1u << (letter - nbest_letters);
    }
    return *marks ? at : NULL;
}

static int parse(struct nbest *n, struct error *err)
{
    struct nbest_line *line = &n->line;
    char *at = n->in.text, *end;
    line->sentence = strtoll(at, &end, 10);
    if (end == at || *end != '\t')
        return bad_line(n, err);
    line->score = strtod(at = end + 1, &end);
    if (end == at || *end != '\t')
        return bad_line(n, err);
    line->logp = strtod(at = end + 1, &end);
    if (end == at || *end != '\t' || !(end = parse_marks(&line->marks, end + 1)) || *end != '\t')
        return bad_line(n, err);
    line->text = end + 1;
    return 1;
}

int nbest_next(struct nbest *n, struct error *err)
{
    n->more = lines_next(&n->in, err);
    if (n->more > 0)
        n->more = parse(n, err);
    return n->more;
}

void nbest_close(struct nbest *n)
{
    lines_close(&n->in);
    *n = (struct nbest){ 0 };
}
