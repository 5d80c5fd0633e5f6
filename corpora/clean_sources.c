/* Where the pairs that are cleaned come from: two files, or a list of corpora. */
#include "corpora/clean_sources.h"

#include "base/error.h"
#include "base/file.h"

int clean_sources_open(struct corpus_sources *out, const char *source, const char *target,
                       const struct clean_config *config, struct error *err)
{
    if (config->sources && source)
        return error_set(err, "'%s' and the list of sources '%s': give one of them", source,
                         config->sources);
    if (config->sources)
        return sources_load(out, config->sources, &config->import, err);
    if (!source)
        return error_set(err, "the source is missing");
    sources_single(out, source, target, &config->import);
    return 0;
}

int clean_sources_paired(bool *out, const struct corpus_sources *sources, struct error *err)
{
    *out = false;
    for (size_t i = 0; i < sources->count; i++) {
        const struct corpus_source *s = &sources->items[i];
        bool paired = import_is_paired(&s->import, s->source, s->target);
        if (i && paired != *out)
            return error_set(err, "'%s' has %s and '%s' %s; they cannot become one corpus",
                             sources->items[0].source, *out ? "two sides" : "one side", s->source,
                             paired ? "two" : "one");
        *out = paired;
    }
    return 0;
}

int clean_is_paired(bool *out, const char *source, const char *target,
                    const struct clean_config *config, struct error *err)
{
    struct corpus_sources sources = { 0 };
    int ret = clean_sources_open(&sources, source, target, config, err);
    if (ret == 0)
        ret = clean_sources_paired(out, &sources, err);
    sources_release(&sources);
    return ret;
}

int clean_sources_spare(const char *output, const struct corpus_sources *sources, const struct clean_config *config,
                        struct error *err)
{
    int ret = files_differ(output, config->sources, err);
    for (size_t i = 0; i < sources->count && ret == 0; i++) {
        const struct corpus_source *s = &sources->items[i];
        ret = import_spares(output, &s->import, s->source, s->target, err);
    }
    return ret;
}

int clean_spares(const char *output, const char *source, const char *target, const struct clean_config *config,
                 struct error *err)
{
    struct corpus_sources sources = { 0 };
    int ret = output ? clean_sources_open(&sources, source, target, config, err) : 0;
    if (ret == 0 && output && (clean_sources_spare(output, &sources, config, err) < 0 ||
                               outputs_differ(output, config->dropped, err) < 0))
        ret = -1;
    sources_release(&sources);
    return ret;
}
