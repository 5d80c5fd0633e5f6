/* The config.json of a model's folder, which has nothing else. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "seq2seq/model.h"

static char folder[64];

static void remove_folder(void)
{
    char *path = xasprintf("%s/config.json", folder);
    unlink(path);
    rmdir(folder);
    free(path);
}

int fuzz_model_config(const uint8_t *data, size_t size)
{
    const char *input = fuzz_file(data, size);
    if (!*folder) {
        snprintf(folder, sizeof folder, "/tmp/coho-fuzz-XXXXXX");
        if (!mkdtemp(folder))
            abort();
        char *path = xasprintf("%s/config.json", folder);
        if (symlink(input, path))
            abort();
        free(path);
        atexit(remove_folder);
    }
    model_free(model_load(folder, NULL));
    return 0;
}
