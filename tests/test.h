#ifndef TESTS_TEST_H
#define TESTS_TEST_H

/* What every unit test includes: cmocka with the headers it wants before it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A path in a fresh scratch folder of this test process. */
static inline const char *scratch_path(const char *name)
{
    static char dir[64], path[8][4096];
    static int next;
    if (!*dir) {
        snprintf(dir, sizeof dir, "/tmp/coho-test-XXXXXX");
        if (!mkdtemp(dir))
            abort();
    }
    next = (next + 1) % 8;
    snprintf(path[next], sizeof path[next], "%s/%s", dir, name);
    return path[next];
}

static inline void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    if (!f || fputs(text, f) < 0 || fclose(f))
        abort();
}

/* Skips the calling test, saying why, when shared data is absent. */
#define NEED_FILE(path)                                         \
    do {                                                        \
        if (access(path, R_OK)) {                               \
            print_message("skipped: %s is absent\n", path);     \
            skip();                                             \
        }                                                       \
    } while (0)

#endif
