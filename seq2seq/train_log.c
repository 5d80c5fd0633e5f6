#include "seq2seq/train_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"

/* A line cut off by a crash is no JSON and is dropped as well. */
static int keep_lines(const char *path, int64_t kept, struct error *err)
{
    struct lines in = { .utf8 = UTF8_KEEP };
    struct outfile out = { 0 };
    int more;
    if (lines_open(&in, path, err) < 0)
        return -1;
    if (outfile_open(&out, path, err) < 0) {
        lines_close(&in);
        return -1;
    }
    while ((more = lines_next(&in, err)) > 0) {
        json_t *record = json_loadb(in.text, in.length, 0, NULL);
        if (record && json_integer_value(json_object_get(record, "update")) <= kept)
            fprintf(out.stream, "%s\n", in.text);
        json_decref(record);
    }
    lines_close(&in);
    if (more < 0) {
        outfile_abort(&out);
        return -1;
    }
    return outfile_commit(&out, err);
}

int train_log_open(struct train_log *log, const char *folder, int64_t kept, bool events,
                   struct error *err)
{
    char *path = path_join(folder, "log.jsonl");
    int ret = file_exists(path) && kept > 0 ? keep_lines(path, kept, err) : 0;
    if (ret == 0) {
        log->stream = fopen(path, kept > 0 ? "a" : "w");
        if (!log->stream)
            ret = error_set(err, "cannot write '%s': %s", path, strerror(errno));
    }
    if (ret == 0 && events)
        tensorboard_open(&log->events, folder, kept);
    free(path);
    return ret;
}

void train_log_write(struct train_log *log, json_t *record)
{
    if (!log->stream) {
        json_decref(record);
        return;
    }
    tensorboard_write(&log->events, record);
    char *text = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(7));
    if (fprintf(log->stream, "%s\n", text) < 0 || fflush(log->stream) != 0) {
        if (!log->told)
            log_warning("the log cannot be written: %s; training goes on", strerror(errno));
        log->told = true;
        clearerr(log->stream);
    }
    free(text);
    json_decref(record);
}

void train_log_close(struct train_log *log)
{
    if (log->stream)
        fclose(log->stream);
    tensorboard_close(&log->events);
    log->stream = NULL;
}
