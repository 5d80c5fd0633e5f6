/* A store from two text files: lines are read in blocks, encoded on several threads, and
 * written in the order in which they were read. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/pipeline.h"
#include "base/strbuf.h"
#include "corpora/pairs.h"
#include "corpora/store.h"
#include "tokenize/tokenizer.h"

#define BLOCK_PAIRS 1024
#define BLOCK_BYTES ((size_t)1 << 20)   /* a block ends early when its text gets longer */

/* One side of a block: texts end to end, then their ids end to end. */
struct side {
    struct strbuf text;
    struct ids ids;
    size_t text_end[BLOCK_PAIRS], ids_end[BLOCK_PAIRS];
};

struct block {
    int pairs;
    struct side source, target;
};

struct build {
    const struct tokenizer *source, *target;
    struct pairs in;
    struct store_writer *out;
    int64_t pairs;
};

static void *block_new(void *arg)
{
    (void)arg;
    return xcalloc(1, sizeof(struct block));
}

static void side_release(struct side *side)
{
    strbuf_release(&side->text);
    ids_release(&side->ids);
}

static void block_free(void *arg, void *block)
{
    struct block *b = block;
    (void)arg;
    side_release(&b->source);
    side_release(&b->target);
    free(b);
}

static void side_add(struct side *side, int at, const struct lines *in)
{
    strbuf_add(&side->text, in->text, in->length);
    side->text_end[at] = side->text.length;
}

static int block_read(void *arg, void *block, struct error *err)
{
    struct build *build = arg;
    struct block *b = block;
    int more = 1;
    b->pairs = 0;
    strbuf_reset(&b->source.text);
    strbuf_reset(&b->target.text);
    while (b->pairs < BLOCK_PAIRS && b->source.text.length + b->target.text.length < BLOCK_BYTES &&
           (more = pairs_next(&build->in, err)) > 0) {
        side_add(&b->source, b->pairs, &build->in.source);
        side_add(&b->target, b->pairs, &build->in.target);
        b->pairs++;
    }
    return more < 0 ? -1 : b->pairs > 0;
}

static void side_encode(struct side *side, int pairs, const struct tokenizer *t)
{
    size_t from = 0;
    side->ids.count = 0;
    for (int i = 0; i < pairs; i++) {
        tokenizer_encode(t, &side->ids, side->text.text + from, side->text_end[i] - from);
        side->ids_end[i] = side->ids.count;
        from = side->text_end[i];
    }
}

static int block_work(void *arg, void *block, int worker, struct error *err)
{
    struct build *build = arg;
    struct block *b = block;
    (void)worker, (void)err;
    side_encode(&b->source, b->pairs, build->source);
    side_encode(&b->target, b->pairs, build->target);
    return 0;
}

static int block_write(void *arg, void *block, struct error *err)
{
    struct build *build = arg;
    struct block *b = block;
    size_t source = 0, target = 0;
    for (int i = 0; i < b->pairs; i++) {
        if (store_writer_add(build->out, b->source.ids.items + source,
                             (int)(b->source.ids_end[i] - source), b->target.ids.items + target,
                             (int)(b->target.ids_end[i] - target), err) < 0)
            return -1;
        source = b->source.ids_end[i];
        target = b->target.ids_end[i];
    }
    build->pairs += b->pairs;
    return 0;
}

static int encode_all(struct build *build, int threads, struct error *err)
{
    struct pipeline pipeline = {
        .threads = threads, .arg = build, .block_new = block_new, .block_free = block_free,
        .read = block_read, .work = block_work, .write = block_write,
    };
    if (pipeline_run(&pipeline, err) < 0)
        return -1;
    if (!build->pairs)
        return error_set(err, "empty corpus: neither '%s' nor '%s' holds a line",
                         build->in.source.path, build->in.target.path);
    return 0;
}

int store_build(const char *path, const char *source_text, const char *target_text,
                const struct tokenizer *source, const struct tokenizer *target,
                int threads, struct error *err)
{
    struct build build = { .source = source, .target = target };
    int ret = -1;
    if (files_differ(path, source_text, err) < 0 || files_differ(path, target_text, err) < 0 ||
        pairs_open(&build.in, source_text, target_text, err) < 0)
        return -1;
    build.out = store_writer_new(path, tokenizer_fingerprint(source),
                                 tokenizer_fingerprint(target), err);
    if (build.out && encode_all(&build, threads, err) == 0) {
        ret = store_writer_commit(build.out, err);
        build.out = NULL;
    }
    store_writer_abort(build.out);
    pairs_close(&build.in);
    return ret;
}
