/* Pairs of a training set from lists of hypotheses. */
#include "distill/labelled_pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "decode/label_input.h"
#include "decode/nbest.h"
#include "distill/derived_corpus.h"

static const char *const direction_names[] = { "forward", "back", NULL };
static const char *const hypothesis_names[] = { "best", "all", NULL };
static const char *const weight_names[] = { "one", "equal", "probability", NULL };

#define FIELD(member) offsetof(struct labelled_config, member)
const struct option labelled_options[] = {
    { "keep-cut", OPTION_FLAG, FIELD(keep_cut), "false", 0, 0,
      "keep hypotheses that the length limit ended; they are mostly loops" },
    { "direction", OPTION_CHOICE, FIELD(direction), "forward", 0, 0,
      "what is labelled: source text, or target text by a model of the other direction, whose outputs become "
      "the sources (back-translation)", direction_names },
    { "hypotheses", OPTION_CHOICE, FIELD(hypotheses), "best", 0, 0,
      "pairs of a line: its best hypothesis, or all of its n-best or samples", hypothesis_names },
    { "pair-weights", OPTION_CHOICE, FIELD(weights), "one", 0, 0,
      "how much pairs count in training: each alike, each line alike, or a line's share by the model's "
      "probabilities of its hypotheses", weight_names },
    { "tag", OPTION_STRING, FIELD(tag), NULL, 0, 0,
      "what stands before each source sentence, such as <BT>" },
    { 0 }
};
#undef FIELD

struct pairing {
    struct derived *out;
    struct labelled_counts *counts;
    const struct labelled_config *config;
    struct label_input in;
    int64_t blank;                      /* lines without text */
    struct nbest lists;
    struct strings texts;               /* of the line at work: those that are kept … */
    double *logp, *weight;
    size_t logp_room, weight_room;
    struct strbuf tagged;
};

static void list_add(struct pairing *p, const struct nbest_line *line)
{
    bool empty = line->marks & NBEST_USELESS, cut = line->marks & NBEST_CUT && !p->config->keep_cut;
    p->counts->empty += empty;
    p->counts->cut += cut && !empty;
    if (empty || cut)
        return;
    ARRAY_GROW(p->logp, p->logp_room, p->texts.count + 1);
    p->logp[p->texts.count] = line->logp;
    strings_add(&p->texts, line->text);
}

static void weigh(struct pairing *p)
{
    size_t n = p->texts.count;
    double most = -INFINITY, sum = 0;
    ARRAY_GROW(p->weight, p->weight_room, n + 1);
    for (size_t i = 0; i < n; i++)
        most = fmax(most, p->logp[i]);
    for (size_t i = 0; i < n; i++) {
        p->weight[i] = p->config->weights == WEIGHT_PROBABILITY ? exp(p->logp[i] - most) : 1;
        sum += p->weight[i];
    }
    for (size_t i = 0; i < n; i++)
        p->weight[i] = p->config->weights == WEIGHT_ONE ? 1 : p->weight[i] / sum;
}

static const char *with_tag(struct pairing *p, const char *source)
{
    if (!p->config->tag || !*p->config->tag)
        return source;
    strbuf_reset(&p->tagged);
    strbuf_printf(&p->tagged, "%s %s", p->config->tag, source);
    return p->tagged.text;
}

static void list_write(struct pairing *p)
{
    const char *line = p->in.lines.text;
    weigh(p);
    for (size_t i = 0; i < p->texts.count; i++) {
        const char *label = p->texts.items[i];
        derived_add(p->out, with_tag(p, p->config->direction ? label : line), p->config->direction ? line : label,
                    p->in.number, p->weight[i]);
    }
    p->counts->kept += (int64_t)p->texts.count;
    strings_release(&p->texts);
}

/* The list of the line at hand, which comes next: every line has one, in order, as the labelling
 * has proved. */
static int list_read(struct pairing *p, struct error *err)
{
    int64_t sentence = p->in.number - 1;
    int taken = 0;
    if (p->lists.more <= 0 || p->lists.line.sentence != sentence)
        return p->lists.more < 0 ? -1 : error_set(err, "'%s' has no list for line %lld", p->lists.in.path,
                                                  (long long)p->in.number);
    while (p->lists.more > 0 && p->lists.line.sentence == sentence) {
        if (!taken++ || p->config->hypotheses == HYPOTHESES_ALL)
            list_add(p, &p->lists.line);
        if (nbest_next(&p->lists, err) < 0)
            return -1;
    }
    return 0;
}

static int pair_all(struct pairing *p, const char *nbest, struct error *err)
{
    int more;
    if (nbest_open(&p->lists, nbest, err) < 0)
        return -1;
    p->lists.in.utf8 = UTF8_KEEP;       /* given targets of --bad-text mark */
    if (nbest_next(&p->lists, err) < 0)
        return -1;
    while ((more = label_input_next(&p->in, err)) > 0) {
        p->counts->lines++;
        p->blank += !p->in.lines.text[strspn(p->in.lines.text, " \t")];
        if (list_read(p, err) < 0)
            return -1;
        list_write(p);
    }
    if (more < 0)
        return -1;
    if (p->lists.more > 0)
        return error_set(err, "'%s' has more lists than the text has lines", nbest);
    if (p->blank == p->counts->lines)
        return error_set(err, "'%s' has nothing but empty lines: there is no text to label", p->in.paths->items[0]);
    return p->counts->kept ? 0 : error_set(err, "every hypothesis was empty or cut at the length limit; the model "
                                           "has not learnt enough to label with");
}

int labelled_pairs(struct derived *out, struct labelled_counts *counts, const struct strings *inputs,
                   enum utf8_policy utf8, const char *nbest, const struct labelled_config *config,
                   struct error *err)
{
    struct pairing p = { .out = out, .counts = counts, .config = config, .in = { .paths = inputs, .utf8 = utf8 } };
    *counts = (struct labelled_counts){ 0 };
    int ret = pair_all(&p, nbest, err);
    nbest_close(&p.lists);
    label_input_close(&p.in);
    strings_release(&p.texts);
    strbuf_release(&p.tagged);
    free(p.logp);
    free(p.weight);
    return ret;
}
