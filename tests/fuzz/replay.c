/* replay TARGET FOLDER: the target on every kept input of the folder, in order of name; the exit status
 * is the verdict.  What libFuzzer found is put among the inputs when it is mended. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "tests/fuzz/fuzz.h"

static const struct { const char *name; int (*run)(const uint8_t *, size_t); } targets[] = {
#define TARGET(name) { #name, fuzz_##name },
#include "tests/fuzz/targets.h"
#undef TARGET
};

static int replay(int (*run)(const uint8_t *, size_t), const char *folder)
{
    struct dirent **names;
    struct error err = { 0 };
    int count = scandir(folder, &names, NULL, alphasort), inputs = 0;
    for (int i = 0; i < count; i++) {
        char *path = path_join(folder, names[i]->d_name), *text;
        size_t length;
        if (*names[i]->d_name != '.') {
            fprintf(stderr, "%s\n", path);
            if (file_read(&text, &length, path, &err) < 0) {
                fprintf(stderr, "%s\n", err.text);
                return 1;
            }
            for (size_t cut = 0; cut < length; cut += 1 + length / 64)
                run((const uint8_t *)text, cut);        /* cut short in many places */
            run((const uint8_t *)text, length);
            free(text);
            inputs++;
        }
        free(path);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    if (!inputs)
        fprintf(stderr, "there is no input in %s\n", folder);
    return !inputs;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < ARRAY_COUNT(targets); i++)
        if (!strcmp(argv[1], targets[i].name))
            return replay(targets[i].run, argv[2]);
    fprintf(stderr, "usage: replay TARGET FOLDER\n");
    return 2;
}
