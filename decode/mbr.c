/* Expected utility among the hypotheses of one sentence: each distinct text is the reference once,
 * with the weight of all that are equal to it. */
#include "decode/mbr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/metric.h"

const char *const mbr_names[] = { "none", "bleu", "chrf", NULL };

struct mbr {
    struct segment_scorer *scorer;
    struct distinct {
        struct text text;
        double weight, utility;
    } *distinct;
    int *place;                 /* of each hypothesis among the distinct */
    size_t distinct_room, place_room;
};

struct mbr *mbr_new(enum mbr_metric metric)
{
    struct mbr *m = xcalloc(1, sizeof *m);
    struct metric_config config;
    metric_config_default(&config);
    config.bleu.effective_order = true;
    assert(metric != MBR_NONE);
    m->scorer = segment_scorer_new(metric_find(mbr_names[metric]), &config);
    return m;
}

void mbr_free(struct mbr *m)
{
    if (!m)
        return;
    segment_scorer_free(m->scorer);
    free(m->distinct);
    free(m->place);
    free(m);
}

/* Returns how many distinct texts there are, in the order of their first coming. */
static int find_distinct(struct mbr *m, const char *const *texts, const double *weight, int count)
{
    int found = 0;
    ARRAY_GROW(m->distinct, m->distinct_room, count);
    ARRAY_GROW(m->place, m->place_room, count);
    for (int i = 0; i < count; i++) {
        struct text text = text_of(texts[i]);
        int d = 0;
        while (d < found && (m->distinct[d].text.length != text.length
                             || memcmp(m->distinct[d].text.bytes, text.bytes, text.length)))
            d++;
        if (d == found)
            m->distinct[found++] = (struct distinct){ text, 0, 0 };
        m->distinct[d].weight += weight ? weight[i] : 1;
        m->place[i] = d;
    }
    return found;
}

void mbr_utilities(struct mbr *m, double *utility, const char *const *texts, const double *weight,
                   int count)
{
    int found = find_distinct(m, texts, weight, count);
    double whole = 0;
    for (int r = 0; r < found; r++)
        whole += m->distinct[r].weight;
    for (int r = 0; r < found; r++) {
        double share = whole > 0 ? m->distinct[r].weight / whole : 1.0 / found;
        segment_scorer_refs(m->scorer, &m->distinct[r].text, 1);
        for (int h = 0; h < found; h++)
            m->distinct[h].utility += share
                * (h == r ? 100 : segment_scorer_score(m->scorer, m->distinct[h].text));
    }
    for (int i = 0; i < count; i++)
        utility[i] = m->distinct[m->place[i]].utility;
}
