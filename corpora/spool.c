/* A temporary file of pairs. */
#include "corpora/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

struct record {
    uint64_t key;
    uint32_t source, target, mark, paired;
};

static int failed(const struct spool *s, struct error *err)
{
    return write_failed(s->name, errno, err);
}

int spool_open(struct spool *s, const char *folder, struct error *err)
{
    s->name = path_join(folder, "pairs");
    s->file = scratch_open(s->name, err);
    return s->file ? 0 : -1;
}

void spool_close(struct spool *s)
{
    if (s->file)
        fclose(s->file);
    free(s->name);
    strbuf_release(&s->text);
    *s = (struct spool){ 0 };
}

int spool_add(struct spool *s, const struct spooled *item, struct error *err)
{
    struct text_pair pair = item->pair;
    struct record record = { item->key, (uint32_t)pair.source.length, (uint32_t)pair.target.length,
                             item->mark, pair.target.bytes != NULL };
    if (pair.source.length > UINT32_MAX || pair.target.length > UINT32_MAX)
        return error_set(err, "pair %zu has a line of more than 4 GiB; drop it with the filters",
                         s->count + 1);
    fwrite(&record, sizeof record, 1, s->file);
    if (record.source)
        fwrite(pair.source.bytes, 1, record.source, s->file);
    if (record.target)
        fwrite(pair.target.bytes, 1, record.target, s->file);
    s->count++;
    return ferror(s->file) ? failed(s, err) : 0;
}

/* What was added is on its way to the disk after this. */
int spool_rewind(struct spool *s, struct error *err)
{
    if (fflush(s->file))
        return failed(s, err);
    rewind(s->file);
    return 0;
}

int spool_next(struct spool *s, struct spooled *out, struct error *err)
{
    struct record record;
    if (fread(&record, sizeof record, 1, s->file) != 1)
        return ferror(s->file) ? failed(s, err) : 0;
    size_t length = (size_t)record.source + record.target;
    strbuf_reset(&s->text);
    ARRAY_GROW(s->text.text, s->text.room, length + 1);
    if (fread(s->text.text, 1, length, s->file) != length)
        return failed(s, err);
    *out = (struct spooled){
        .pair = { { s->text.text, record.source },
                  { record.paired ? s->text.text + record.source : NULL, record.target } },
        .key = record.key, .mark = record.mark,
    };
    return 1;
}
