/* Writing line-aligned text. */
#include "corpora/pair_files.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

int pair_files_open(struct pair_files *f, const char *source, const char *target,
                    struct error *err)
{
    if (outfile_open(&f->source, source, err) < 0)
        return -1;
    return outfile_open(&f->target, target, err);
}

int pair_files_differ(const char *source_out, const char *target_out, const char *source,
                      const char *target, struct error *err)
{
    if (!strcmp(source_out, target_out))
        return error_set(err, "both sides would be written to '%s'; give --source-lang and "
                         "--target-lang different names", source_out);
    return files_differ(source_out, source, err) < 0 || files_differ(source_out, target, err) < 0 ||
           files_differ(target_out, source, err) < 0 || files_differ(target_out, target, err) < 0 ? -1 : 0;
}

static int failed(const struct pair_files *f, struct error *err)
{
    return error_set(err, "cannot write '%s': %s",
                     ferror(f->source.stream) ? f->source.path : f->target.path, strerror(errno));
}

static void line_write(FILE *out, struct text line)
{
    fwrite(line.bytes, 1, line.length, out);
    putc('\n', out);
}

int pair_files_write(struct pair_files *f, struct text_pair pair, struct error *err)
{
    line_write(f->source.stream, pair.source);
    line_write(f->target.stream, pair.target);
    if (ferror(f->source.stream) || ferror(f->target.stream))
        return failed(f, err);
    return 0;
}

int pair_files_flush(struct pair_files *f, struct error *err)
{
    if (fflush(f->source.stream) || fflush(f->target.stream))
        return failed(f, err);
    return 0;
}

int pair_files_commit(struct pair_files *f, struct error *err)
{
    if (pair_files_flush(f, err) < 0 || outfile_commit(&f->source, err) < 0)
        return -1;
    return outfile_commit(&f->target, err);
}

void pair_files_abort(struct pair_files *f)
{
    outfile_abort(&f->source);
    outfile_abort(&f->target);
}
