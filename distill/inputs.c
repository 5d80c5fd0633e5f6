#include "distill/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "distill/corpus_files.h"
#include "seq2seq/model.h"
#include "tokenize/vocabularies.h"

int input_corpus(struct corpus_files *out, const struct stage_run *run, const char *input, struct error *err)
{
    if (!stage_has(run, input))
        return 0;
    char *folder = stage_input_folder(run, input);
    int ret = corpus_files_read(out, folder, err);
    free(folder);
    return ret;
}

int input_vocabulary(struct tokenizer **source, struct tokenizer **target, const struct stage_run *run,
                     struct error *err)
{
    char *folder = stage_input_folder(run, "vocabulary");
    int ret = vocabularies_load(source, target, folder, err);
    free(folder);
    return ret;
}

struct model *input_model(const struct stage_run *run, const char *input, struct error *err)
{
    char *folder = stage_input_folder(run, input);
    struct model *m = model_load(folder, err);
    free(folder);
    return m;
}

void input_folders(struct strings *out, const struct stage_run *run, const char *input)
{
    const struct stage *s = run->stage;
    for (size_t i = 0; i < s->link_count; i++) {
        if (!stage_link_is(&s->links[i], input))
            continue;
        char *folder = stage_link_folder(run, &s->links[i]);
        strings_add(out, folder);
        free(folder);
    }
}

/* What the lineage says of itself, or of the model that this one was made from without any training; borrowed. */
static const json_t *languages_of(const json_t *lineage)
{
    for (; lineage && !json_object_get(lineage, "languages"); ) {
        const json_t *from = json_object_get(lineage, "chosen");
        lineage = json_object_get(from ? from : json_object_get(lineage, "start"), "lineage");
    }
    return json_object_get(lineage, "languages");
}

static bool is_language(const json_t *languages, size_t side, const char *language)
{
    const char *text = json_string_value(json_array_get(languages, side));
    return text && !strcmp(text, language);
}

static int check_direction(const struct stage_run *run, const struct stage_link *link, const char *input,
                           const char *from, const char *to, struct error *err)
{
    struct error ignored;
    char *folder = stage_link_folder(run, link), *path = path_join(folder, "lineage.json");
    json_t *lineage = json_read_sealed(path, &ignored);
    const json_t *languages = languages_of(lineage);
    int ret = 0;
    if (strcmp(from, to) && is_language(languages, 0, to) && is_language(languages, 1, from))
        ret = error_set(err, "%s: stage '%s' translates from %s to %s, and here a model from %s to %s is wanted", input,
                        run->stages[link->stage].name, to, from, from, to);
    json_decref(lineage);
    free(path);
    free(folder);
    return ret;
}

int input_direction(const struct stage_run *run, const char *input, const char *from, const char *to, struct error *err)
{
    const struct stage *s = run->stage;
    int ret = 0;
    for (size_t i = 0; i < s->link_count && ret == 0; i++)
        if (stage_link_is(&s->links[i], input))
            ret = check_direction(run, &s->links[i], input, from, to, err);
    return ret;
}

int input_models_whole(struct models *out, const struct stage_run *run, const char *input, struct error *err)
{
    struct strings folders = { 0 };
    input_folders(&folders, run, input);
    int ret = models_load(out, &folders, MODELS_WHOLE, err);
    strings_release(&folders);
    return ret;
}

int input_models(struct models *out, const struct stage_run *run, const char *input, const char *option,
                 const struct strings *weights, enum average average, struct error *err)
{
    struct strings folders = { 0 };
    input_folders(&folders, run, input);
    int ret = models_open(out, &folders, PRODUCTS_STORED, option, weights, average, err);
    strings_release(&folders);
    return ret;
}
