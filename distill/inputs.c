#include "distill/inputs.h"

#include <stdlib.h>

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
