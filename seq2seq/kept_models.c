#include "seq2seq/kept_models.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "seq2seq/model.h"
#include "seq2seq/numbered.h"

char *kept_model_folder(const char *folder, int64_t update)
{
    return xasprintf("%s/validated/update-%lld", folder, (long long)update);
}

size_t kept_models_find(int64_t **updates, const char *folder)
{
    char *path = path_join(folder, "validated");
    size_t count = numbered_find(updates, path, "update-", "");
    free(path);
    return count;
}

int kept_model_save(const char *folder, const struct model *m, int64_t update, int keep, struct error *err)
{
    char *path = kept_model_folder(folder, update);
    int64_t *updates;
    int ret = dir_make(path, err);
    if (ret == 0)
        ret = model_save(m, path, err);
    free(path);
    size_t count = kept_models_find(&updates, folder);
    for (size_t i = (size_t)keep; i < count && ret == 0; i++) {
        path = kept_model_folder(folder, updates[i]);
        ret = dir_remove(path, err);
        free(path);
    }
    free(updates);
    return ret;
}

int kept_models_remove(const char *folder, struct error *err)
{
    char *path = path_join(folder, "validated");
    int ret = dir_remove(path, err);
    free(path);
    return ret;
}
