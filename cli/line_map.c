#include "cli/line_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/pipeline.h"
#include "base/strbuf.h"
#include "base/thread.h"

enum { BLOCK_BYTES = 1 << 17 };

/* Lines of one file, and what became of them. */
struct block {
    struct strbuf text, out;
    size_t *ends;                       /* of each line in text */
    size_t count, room;
    const char *path;
    int64_t first_in_file, first;       /* numbers of the first line */
};

struct run {
    const struct line_map *map;
    struct lines in;
    bool open;
    size_t next_file;
    int64_t number;
    FILE *stream;
};

static const char *const standard_input[] = { "-" };

static void *block_new(void *arg)
{
    (void)arg;
    return xcalloc(1, sizeof(struct block));
}

static void block_free(void *arg, void *block)
{
    struct block *b = block;
    (void)arg;
    strbuf_release(&b->text);
    strbuf_release(&b->out);
    free(b->ends);
    free(b);
}

static void block_add(struct block *b, const struct lines *in)
{
    strbuf_add(&b->text, in->text, in->length);
    ARRAY_GROW(b->ends, b->room, b->count + 1);
    b->ends[b->count++] = b->text.length;
}

/* 1 with a file open, 0 when none is left. */
static int open_file(struct run *run, struct error *err)
{
    const struct line_map *map = run->map;
    const char *const *files = map->count ? map->files : standard_input;
    if (run->open)
        return 1;
    if (run->next_file == (map->count ? map->count : 1))
        return 0;
    run->in = (struct lines){ .utf8 = map->utf8 };
    if (lines_open(&run->in, files[run->next_file++], err) < 0)
        return -1;
    run->open = true;
    return 1;
}

static int read_file(struct run *run, struct block *b, struct error *err)
{
    int more = 1;
    while (b->text.length < BLOCK_BYTES && b->count < BLOCK_BYTES &&
           (more = lines_next(&run->in, err)) > 0) {
        if (!b->count)
            b->first_in_file = run->in.number;
        block_add(b, &run->in);
    }
    if (!more) {
        lines_close(&run->in);
        run->open = false;
    }
    return more < 0 ? -1 : 0;
}

static int read_block(void *arg, void *block, struct error *err)
{
    struct run *run = arg;
    struct block *b = block;
    strbuf_reset(&b->text);
    b->count = 0;
    b->first = run->number + 1;
    while (!b->count) {
        if (interrupt_requested())
            return error_set(err, "interrupted");
        int more = open_file(run, err);
        if (more <= 0)
            return more;
        b->path = run->in.path;
        if (read_file(run, b, err) < 0)
            return -1;
    }
    run->number += (int64_t)b->count;
    return 1;
}

static int work_block(void *arg, void *block, int worker, struct error *err)
{
    const struct line_map *map = ((struct run *)arg)->map;
    struct block *b = block;
    size_t start = 0;
    (void)worker;
    strbuf_reset(&b->out);
    for (size_t i = 0; i < b->count; start = b->ends[i++]) {
        if (map->work(map->arg, &b->out, b->text.text + start, b->ends[i] - start,
                      b->first + (int64_t)i, err) < 0)
            return error_prefix(err, "%s:%lld", strcmp(b->path, "-") ? b->path : "standard input",
                                (long long)(b->first_in_file + (int64_t)i));
        strbuf_putc(&b->out, '\n');
    }
    return 0;
}

static int stdout_failed(struct error *err)
{
    return error_set(err, "cannot write 'standard output': %s", strerror(errno));
}

static int write_block(void *arg, void *block, struct error *err)
{
    struct run *run = arg;
    const struct block *b = block;
    if (fwrite(b->out.text, 1, b->out.length, run->stream) != b->out.length)
        return run->map->output ? write_failed(run->map->output, errno, err) : stdout_failed(err);
    return 0;
}

static int finish(struct run *run, struct outfile *out, struct error *err)
{
    if (run->map->output)
        return outfile_commit(out, err);
    return fflush(stdout) ? stdout_failed(err) : 0;
}

int line_map_run(const struct line_map *map, struct error *err)
{
    struct run run = { .map = map, .stream = stdout };
    struct outfile out = { 0 };
    struct pipeline pipeline = {
        .threads = map->threads ? map->threads : cpu_count(), .arg = &run,
        .block_new = block_new, .block_free = block_free,
        .read = read_block, .work = work_block, .write = write_block,
    };
    int ret = -1;

    if (files_differ_all(map->output, map->files, map->count, err) < 0)
        return -1;
    if (map->output) {
        if (outfile_open(&out, map->output, err) < 0)
            return -1;
        run.stream = out.stream;
    }
    if (pipeline_run(&pipeline, err) == 0)
        ret = finish(&run, &out, err);
    if (run.open)
        lines_close(&run.in);
    outfile_abort(&out);
    return ret;
}
