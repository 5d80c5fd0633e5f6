/* Files of n-best lists. */
#include "distill/nbest.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "decode/translate.h"

void nbest_write(FILE *out, const struct translation *t, int64_t sentence)
{
    for (int i = 0; i < t->count; i++)
        fprintf(out, "%lld\t%.6g\t%.6g\t%c\t%s\n", (long long)sentence, t->best[i].score,
                t->best[i].logp, t->best[i].cut ? 'c' : '-', t->text[i]);
}

int nbest_open(struct nbest *n, const char *path, struct error *err)
{
    *n = (struct nbest){ 0 };
    return lines_open(&n->in, path, err);
}

static int bad_line(const struct nbest *n, struct error *err)
{
    return error_set(err, "%s:%lld: not a line of an n-best list (sentence, score, "
                     "log-probability, mark, text)", n->in.path, (long long)n->in.number);
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
    if (end == at || *end != '\t' || (end[1] != 'c' && end[1] != '-') || end[2] != '\t')
        return bad_line(n, err);
    line->cut = end[1] == 'c';
    line->text = end + 3;
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
