/* Training sets made from others. */
#include "distill/derived_corpus.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

#define LINES "train.lines"
#define WEIGHTS "train.weights"

static int open_one(struct derived *d, struct outfile *out, const char *name, struct error *err)
{
    char *path = stage_path(d->run, name);
    int ret = outfile_open(out, path, err);
    free(path);
    return ret;
}

static char *side_name(const char *lang)
{
    return xasprintf("train.%s", lang);
}

int derived_open(struct derived *d, struct stage_run *run, const char *source_lang, const char *target_lang,
                 bool weighted, struct error *err)
{
    char *source = side_name(source_lang), *target = side_name(target_lang);
    *d = (struct derived){ .run = run, .source_lang = xstrdup(source_lang), .target_lang = xstrdup(target_lang) };
    int ret = open_one(d, &d->source, source, err);
    if (ret == 0)
        ret = open_one(d, &d->target, target, err);
    if (ret == 0)
        ret = open_one(d, &d->lines, LINES, err);
    if (ret == 0 && weighted)
        ret = open_one(d, &d->weights, WEIGHTS, err);
    free(source);
    free(target);
    return ret;
}

void derived_add(struct derived *d, const char *source, const char *target, int64_t line, double weight)
{
    d->pairs++;
    fprintf(d->source.stream, "%s\n", source);
    fprintf(d->target.stream, "%s\n", target);
    fprintf(d->lines.stream, "%lld\n", (long long)line);
    if (d->weights.stream)
        fprintf(d->weights.stream, "%.6g\n", weight);
}

static int commit(struct outfile *out, struct error *err)
{
    return out->stream ? outfile_commit(out, err) : 0;
}

static void set_free(struct corpus_set *set)
{
    free(set->source);
    free(set->target);
}

static int describe(struct derived *d, const struct corpus_files *before, const struct corpus_files *about,
                    bool weighted, struct error *err)
{
    struct corpus_files files = *about;         /* what it has is borrowed */
    char lines[] = LINES, weights[] = WEIGHTS;
    files.source_lang = d->source_lang;
    files.target_lang = d->target_lang;
    files.train = (struct corpus_set){ side_name(d->source_lang), side_name(d->target_lang), 0, 0, 0 };
    files.dev = corpus_set_sibling(&before->dev);
    files.test = corpus_set_sibling(&before->test);
    files.lines = lines;
    files.weights = weighted ? weights : NULL;
    int ret = corpus_set_count(&files.train, d->run->folder, err);
    if (ret == 0)
        ret = corpus_files_write(&files, d->run->folder, err);
    const char *const names[] = { files.train.source, files.train.target, files.lines, files.weights, CORPUS_FILE };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (names[i])
            stage_output(d->run, names[i]);
    set_free(&files.train);
    set_free(&files.dev);
    set_free(&files.test);
    return ret;
}

int derived_finish(struct derived *d, const struct corpus_files *before, const struct corpus_files *about,
                   struct error *err)
{
    bool weighted = d->weights.stream != NULL;
    if (commit(&d->source, err) < 0 || commit(&d->target, err) < 0 || commit(&d->lines, err) < 0
        || commit(&d->weights, err) < 0)
        return -1;
    return describe(d, before, about, weighted, err);
}

void derived_abort(struct derived *d)
{
    outfile_abort(&d->source);
    outfile_abort(&d->target);
    outfile_abort(&d->lines);
    outfile_abort(&d->weights);
    free(d->source_lang);
    free(d->target_lang);
    *d = (struct derived){ 0 };
}
