/* A small text file as a list of lines. */
#include "base/lines.h"

#include <string.h>

#include "base/error.h"
#include "base/strbuf.h"

int lines_read(struct strings *out, const char *path, int64_t limit, struct error *err)
{
    struct strings all = { 0 };
    struct lines in = { 0 };
    int more = 1;

    if (lines_open(&in, path, err) < 0)
        return -1;
    while ((limit == 0 || (int64_t)all.count < limit) && (more = lines_next(&in, err)) > 0) {
        if (strlen(in.text) != in.length) {
            more = error_set(err, "%s:%lld: a zero byte in the text; remove it, for instance "
                             "with tr -d '\\000'", path, (long long)in.number);
            break;
        }
        strings_add(&all, in.text);
    }
    lines_close(&in);
    if (more < 0) {
        strings_release(&all);
        return -1;
    }
    *out = all;
    return 0;
}
