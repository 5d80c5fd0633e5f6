/* BLEU on SentencePiece pieces (spBLEU). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "eval/cutters.h"
#include "eval/sacrebleu_cache.h"
#include "tokenize/tokenizer.h"

/* sacreBLEU's models: the name, what its signature calls it, its file. */
static const struct known {
    const char *name, *signature, *file;
} known[] = {
    { "spm",       "flores101", "sacrebleu_tokenizer_spm.model" },
    { "flores101", "flores101", "sacrebleu_tokenizer_spm.model" },
    { "flores200", "flores200", "flores200sacrebleuspm" },
    { "spBLEU-1K", "spBLEU-1K", "spbleu-1k_tokenizer_spm.model" },
};

static const struct known *find_known(const char *name)
{
    size_t i = 0;
    while (strcmp(known[i].name, name))
        i++;
    return &known[i];
}

static void free_tokenizer(void *data)
{
    tokenizer_free(data);
}

/* A model that is not sacreBLEU's signs by its content. */
static char *signature_of(const struct tokenizer *t)
{
    size_t length;
    const void *bytes = tokenizer_bytes(t, &length);
    char text[HASH_TEXT];
    hash_text(text, hash_bytes(bytes, length, 0));
    return xasprintf("spm-%s", text);
}

int spm_open(struct cutter_model **model, const char *name, const struct cutter_files *files,
             struct error *err)
{
    const struct known *k = find_known(name);
    char *path = files->spm_model ? xstrdup(files->spm_model) : sacrebleu_model(k->file);
    struct tokenizer *t = NULL;
    int ret = -1;

    if (!files->spm_model && !file_exists(path))
        error_set(err, "-tok %s needs sacreBLEU's model %s; let sacreBLEU fetch it, or give a model by "
                  "--spm-model", name, path);
    else
        t = tokenizer_load(path, err);
    if (t) {
        *model = xcalloc(1, sizeof **model);
        **model = (struct cutter_model){
            .signature = files->spm_model ? signature_of(t) : xstrdup(k->signature),
            .data = t, .free = free_tokenizer,
        };
        ret = 0;
    }
    free(path);
    return ret;
}

void spm_cut(struct tokens *tokens, struct text t)
{
    strbuf_reset(&tokens->clean);
    tokenizer_encode_pieces(tokens->model->data, &tokens->clean, t.bytes, t.length);
    tokens_split(tokens, (struct text){ tokens->clean.text, tokens->clean.length });
}
