/* Writing line-aligned text. */
#include "corpora/pair_files.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"

int pair_files_open(struct pair_files *f, const char *source, const char *target,
                    struct error *err)
{
    if (source && outfile_open(&f->source, source, err) < 0)
        return -1;
    return target ? outfile_open(&f->target, target, err) : 0;
}

int pair_files_differ(const char *source_out, const char *target_out, struct error *err)
{
    if (source_out && target_out && !strcmp(source_out, target_out))
        return error_set(err, "both sides would be written to '%s'; give --source-lang and "
                         "--target-lang different names", source_out);
    return outputs_differ(source_out, target_out, err);
}

static int failed(const struct pair_files *f, struct error *err)
{
    const struct outfile *bad = f->target.stream && ferror(f->target.stream) ? &f->target : &f->source;
    return write_failed(bad->path, errno, err);
}

/* Says whether it could. */
static bool line_write(struct outfile *out, struct text line)
{
    if (!out->stream)
        return true;
    if (line.length)
        fwrite(line.bytes, 1, line.length, out->stream);
    putc('\n', out->stream);
    return !ferror(out->stream);
}

int pair_files_write(struct pair_files *f, struct text_pair pair, struct error *err)
{
    bool source = line_write(&f->source, pair.source), target = line_write(&f->target, pair.target);
    return source && target ? 0 : failed(f, err);
}

int pair_files_flush(struct pair_files *f, struct error *err)
{
    bool source = !f->source.stream || !fflush(f->source.stream);
    bool target = !f->target.stream || !fflush(f->target.stream);
    return source && target ? 0 : failed(f, err);
}

int pair_files_commit(struct pair_files *f, struct error *err)
{
    if (pair_files_flush(f, err) < 0 || (f->source.stream && outfile_commit(&f->source, err) < 0))
        return -1;
    return f->target.stream ? outfile_commit(&f->target, err) : 0;
}

void pair_files_abort(struct pair_files *f)
{
    outfile_abort(&f->source);
    outfile_abort(&f->target);
}
