/* Cleaning from files into files, and what it reports as JSON. */
#include "corpora/clean.h"

#include "base/error.h"
#include "corpora/pair_files.h"

static int write_pair(void *arg, const struct cleaned *p, struct error *err)
{
    for (int i = 0; i < p->copies; i++)
        if (pair_files_write(arg, p->pair, err) < 0)
            return -1;
    return 0;
}

int corpus_clean(struct clean_report *report, const char *source_out, const char *target_out,
                 const char *source, const char *target, const struct clean_config *config,
                 struct error *err)
{
    struct pair_files out = { 0 };
    struct clean_sink sink = { write_pair, &out };
    bool paired;
    int ret = -1;
    if (clean_is_paired(&paired, source, target, config, err) < 0)
        return -1;
    if (!paired)
        *(config->import.side == SIDE_TARGET ? &source_out : &target_out) = NULL;
    if (!source_out) {                  /* the one side comes as the source */
        source_out = target_out;
        target_out = NULL;
    }
    if (pair_files_differ(source_out, target_out, err) == 0 &&
        clean_spares(source_out, source, target, config, err) == 0 &&
        clean_spares(target_out, source, target, config, err) == 0 &&
        pair_files_open(&out, source_out, target_out, err) == 0 &&
        clean_run(report, source, target, config, &sink, err) == 0)
        ret = pair_files_commit(&out, err);
    pair_files_abort(&out);
    return ret;
}

json_t *clean_report_json(const struct clean_report *report)
{
    json_t *dropped = json_object(), *edited = json_object();
    for (int i = 0; filters[i].name; i++)
        json_object_set_new(dropped, filters[i].name, json_integer(report->dropped[i]));
    for (int i = 0; edits[i].name; i++)
        json_object_set_new(edited, edits[i].name, json_integer(report->edited[i]));
    return json_pack("{s:I, s:o, s:o, s:I, s:I, s:I}", "read", (json_int_t)report->read,
                     "edited", edited, "dropped", dropped,
                     "duplicates", (json_int_t)report->dropped[filter_row("duplicates")],
                     "kept", (json_int_t)report->kept, "repaired", (json_int_t)report->repaired);
}
