#include "distill/summary.h"

#include <math.h>
#include <string.h>

struct summary stage_summary(const struct stage_run *run, const char *label, const char *key)
{
    struct summary s = { 0 };
    double squares = 0;
    for (size_t i = 0; i < run->stage->link_count; i++) {
        const struct stage_link *link = &run->stage->links[i];
        if (strcmp(link->label, label))
            continue;
        double value = manifest_figure(stage_link_manifest(run, link), key), before = s.mean;
        s.runs++;
        s.mean += (value - s.mean) / s.runs;            /* Welford's recurrence */
        squares += (value - before) * (value - s.mean);
    }
    s.deviation = s.runs > 1 ? sqrt(squares / (s.runs - 1)) : NAN;
    return s;
}

bool stage_label_is_new(const struct stage_run *run, size_t link)
{
    for (size_t i = 0; i < link; i++)
        if (!strcmp(run->stage->links[i].label, run->stage->links[link].label))
            return false;
    return true;
}
