#include "tokenize/vocabularies.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/file.h"
#include "tokenize/tokenizer.h"

void vocabularies_free(struct tokenizer *source, struct tokenizer *target)
{
    if (target != source)
        tokenizer_free(target);
    tokenizer_free(source);
}

/* Both were made, or nothing stays. */
static int both(struct tokenizer **source, struct tokenizer **target)
{
    if (*target)
        return 0;
    tokenizer_free(*source);
    *source = NULL;
    return -1;
}

static struct tokenizer *read_one(const char *folder, const char *name, struct error *err)
{
    char *path = path_join(folder, name);
    struct tokenizer *t = tokenizer_load(path, err);
    free(path);
    return t;
}

int vocabularies_load(struct tokenizer **source, struct tokenizer **target, const char *folder, struct error *err)
{
    char *path = path_join(folder, "joint.spm");
    bool joint = file_exists(path);
    free(path);
    *source = read_one(folder, joint ? "joint.spm" : "source.spm", err);
    *target = joint || !*source ? *source : read_one(folder, "target.spm", err);
    return both(source, target);
}

int vocabularies_open(struct tokenizer **source, struct tokenizer **target, const char *source_path,
                      const char *target_path, struct error *err)
{
    *source = tokenizer_load(source_path, err);
    *target = !target_path || !*source ? *source : tokenizer_load(target_path, err);
    return both(source, target);
}

static int write_one(const struct tokenizer *t, const char *folder, const char *name, struct error *err)
{
    size_t length;
    const void *bytes = tokenizer_bytes(t, &length);
    char *path = path_join(folder, name);
    int ret = file_write(path, bytes, length, err);
    free(path);
    return ret;
}

int vocabularies_save(const struct tokenizer *source, const struct tokenizer *target, const char *folder,
                      struct error *err)
{
    if (source == target)
        return write_one(source, folder, "joint.spm", err);
    return write_one(source, folder, "source.spm", err) < 0 ? -1 : write_one(target, folder, "target.spm", err);
}

static struct tokenizer *copy_one(const struct tokenizer *t, struct error *err)
{
    size_t length;
    const void *bytes = tokenizer_bytes(t, &length);
    return tokenizer_from_bytes(bytes, length, "a copy of a model's vocabulary", err);
}

int vocabularies_copy(struct tokenizer **source, struct tokenizer **target, const struct tokenizer *of_source,
                      const struct tokenizer *of_target, struct error *err)
{
    *source = copy_one(of_source, err);
    *target = of_source == of_target || !*source ? *source : copy_one(of_target, err);
    return both(source, target);
}
