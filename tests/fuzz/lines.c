/* Plain, gzip, zstd and xz by what they begin with, under each policy for what is not UTF-8. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/lines.h"

static int64_t count(const char *path, enum utf8_policy policy)
{
    struct lines in = { .utf8 = policy };
    struct error err = { 0 };
    int more;
    size_t bytes = 0;
    if (lines_open(&in, path, &err) < 0)
        return -1;
    in.utf8 = policy;
    /* A few bytes may stand for gigabytes of zeros, which nobody needs to see. */
    while ((more = lines_next(&in, &err)) > 0 && bytes < 1 << 24)
        bytes += in.length + 1;
    if (more > 0 && policy == UTF8_REPLACE && utf8_valid_prefix(in.text, in.length) != in.length)
        abort();
    int64_t lines = more == 0 ? in.number : -1;
    lines_close(&in);
    return lines;
}

int fuzz_lines(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    int64_t refused = count(path, UTF8_REFUSE), replaced = count(path, UTF8_REPLACE);
    if (replaced != count(path, UTF8_KEEP) || (refused >= 0 && refused != replaced))
        abort();
    return 0;
}
