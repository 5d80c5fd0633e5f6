#ifndef TESTS_TEST_H
#define TESTS_TEST_H

/* What every unit test includes: cmocka with the headers it wants before it. */
#include <ftw.h>
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

static char scratch_folder[64];
static pid_t scratch_owner;

static inline int scratch_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    return remove(path);
}

static inline void scratch_remove(void)
{
    if (getpid() == scratch_owner)      /* not a child that a test started */
        nftw(scratch_folder, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in a fresh scratch folder of this test process, which goes away at the end. */
static inline const char *scratch_path(const char *name)
{
    static char path[8][4096];
    static int next;
    if (!*scratch_folder) {
        const char *temporary = getenv("TMPDIR");
        snprintf(scratch_folder, sizeof scratch_folder, "%s/coho-test-XXXXXX",
                 temporary && strlen(temporary) < 40 ? temporary : "/tmp");
        if (!mkdtemp(scratch_folder))
            abort();
        scratch_owner = getpid();
        atexit(scratch_remove);
    }
    next = (next + 1) % 8;
    snprintf(path[next], sizeof path[next], "%s/%s", scratch_folder, name);
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
