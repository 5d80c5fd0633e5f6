#include "distill/test_lines.h"

#include "base/error.h"
#include "base/lines.h"

const char *const test_set_names[] = { "test", "dev", NULL };

int test_lines_read(struct test_lines *out, const struct corpus_files *corpus, int set, int64_t lines,
                    struct error *err)
{
    const struct corpus_set *files = set == SET_TEST ? &corpus->test : &corpus->dev;
    out->set = files;
    if (!files->source)
        return error_set(err, "the corpus has no %s set", test_set_names[set]);
    if (lines_read(&out->sources, files->source, lines, err) < 0 ||
        lines_read(&out->references, files->target, lines, err) < 0)
        return -1;
    if (out->sources.count == out->references.count)
        return 0;
    return error_set(err, "%s has %zu lines, but %s has %zu", files->source, out->sources.count, files->target,
                     out->references.count);
}

void test_lines_release(struct test_lines *t)
{
    strings_release(&t->sources);
    strings_release(&t->references);
}
