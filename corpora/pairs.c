/* Line-aligned files, read side by side. */
#include "corpora/pairs.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "corpora/aligner.h"

int pairs_open(struct pairs *in, const char *source, const char *target, struct error *err)
{
    if (!strcmp(source, "-") && !strcmp(target, "-"))
        return error_set(err, "only one side can be read from standard input");
    if (lines_open(&in->source, source, err) < 0)
        return -1;
    if (lines_open(&in->target, target, err) < 0) {
        lines_close(&in->source);
        return -1;
    }
    return 0;
}

void pairs_close(struct pairs *in)
{
    lines_close(&in->source);
    lines_close(&in->target);
}

/* Reads on to the end of the longer file; bad bytes do not matter any more. */
static int count_rest(struct lines *in, struct error *err)
{
    int more;
    in->utf8 = UTF8_KEEP;
    while ((more = lines_next(in, err)) > 0)
        ;
    return more;
}

int64_t pairs_misaligned(const char *source, const char *target)
{
    struct pairs in = { 0 };
    struct aligner *aligner;
    size_t count;
    if (file_is_stream(source) || file_is_stream(target) || pairs_open(&in, source, target, NULL) < 0)
        return 0;
    in.source.utf8 = in.target.utf8 = UTF8_KEEP;
    aligner = aligner_new();
    while (lines_next(&in.source, NULL) > 0 && lines_next(&in.target, NULL) > 0)
        aligner_add(aligner, (struct text){ in.source.text, in.source.length },
                    (struct text){ in.target.text, in.target.length });
    aligner_finish(aligner);
    const struct slip *slips = aligner_slips(aligner, &count);
    int64_t line = count ? slips->line : 0;
    aligner_free(aligner);
    pairs_close(&in);
    return line;
}

/* `more` tells which side went on when the other had ended. */
static int differ(struct pairs *in, int source_more, struct error *err)
{
    struct lines *longer = source_more ? &in->source : &in->target;
    struct lines *shorter = source_more ? &in->target : &in->source;
    if (count_rest(longer, err) < 0)
        return -1;
    int64_t line = pairs_misaligned(in->source.path, in->target.path);
    if (line)
        return error_set(err, "'%s' has %" PRId64 " lines but '%s' has %" PRId64 "; the two must "
                              "be aligned line by line, and look out of step from about line %"
                              PRId64 " on", in->source.path, in->source.number,
                         in->target.path, in->target.number, line);
    return error_set(err, "'%s' has %" PRId64 " lines but '%s' has %" PRId64 "; the two must be "
                          "aligned line by line, and '%s' seems to lack what should follow its "
                          "line %" PRId64, in->source.path, in->source.number,
                     in->target.path, in->target.number, shorter->path, shorter->number);
}

int pairs_next(struct pairs *in, struct error *err)
{
    int source = lines_next(&in->source, err);
    if (source < 0)
        return -1;
    int target = lines_next(&in->target, err);
    if (target < 0)
        return -1;
    return source == target ? source : differ(in, source, err);
}
