/* What targets share. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "corpora/import.h"

const char *fuzz_file(const void *data, size_t size)
{
    static int fd = -1;
    static char path[32];
    if (fd < 0)
        fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

void fuzz_use(size_t value)
{
    static volatile size_t seen;
    seen = seen ^ value;
}

static void set_options(const struct option_group *groups, const char *options)
{
    char *text = xstrdup(options), *rest = text, *word;
    while ((word = strsep(&rest, " ")) && *word) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        if (options_set(groups, word, value, NULL) < 0)
            abort();
    }
    free(text);
}

int fuzz_import(const char *format, const char *options, const uint8_t *data, size_t size)
{
    struct import_config config;
    struct option_group groups[] = { { NULL, import_options, &config }, { NULL, NULL, NULL } };
    struct error err = { 0 };
    struct text_pair pair;
    size_t bytes = 0;
    options_default(groups);
    options_set(groups, "format", format, NULL);
    set_options(groups, options);
    const char *path = fuzz_file(data, size);
    struct import *in = import_open(&config, path, NULL, &err);
    int more = in ? 1 : -1;
    while (in && (more = import_next(in, &pair, &err)) > 0)
        for (size_t i = 0; i < pair.source.length + pair.target.length; i++)
            bytes += i < pair.source.length ? (size_t)pair.source.bytes[i]
                                            : (size_t)pair.target.bytes[i - pair.source.length];
    if (more < 0 && !*err.text)
        abort();                        /* an error must say something */
    fuzz_use(bytes);
    import_close(in);
    options_release(groups);
    return 0;
}
