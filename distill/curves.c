/* Learning curves out of training logs. */
#include "distill/curves.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lines.h"
#include "base/memory.h"

static double number(const json_t *record, const char *name)
{
    const json_t *value = json_object_get(record, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* The final average is no point of the course of training. */
static void add_record(struct curve *c, size_t *room, const json_t *record)
{
    if (!json_object_get(record, "valid_nll") || json_object_get(record, "weights"))
        return;
    if (c->count == *room) {
        *room = *room ? *room * 2 : 64;
        c->update = xrealloc(c->update, *room * sizeof(double));
        c->seconds = xrealloc(c->seconds, *room * sizeof(double));
        c->nll = xrealloc(c->nll, *room * sizeof(double));
        c->bleu = xrealloc(c->bleu, *room * sizeof(double));
    }
    c->update[c->count] = number(record, "update");
    c->seconds[c->count] = number(record, "seconds");
    c->nll[c->count] = number(record, "valid_nll");
    c->bleu[c->count++] = number(record, "valid_bleu");
}

int curve_read(struct curve *out, const char *folder, struct error *err)
{
    char *path = path_join(folder, "log.jsonl");
    struct lines in = { 0 };
    struct curve curve = { 0 };
    size_t room = 0;
    int64_t unreadable = 0;             /* the last line may be, after a crash */
    int more = 0;
    if (file_exists(path) && lines_open(&in, path, err) < 0) {
        free(path);
        return -1;
    }
    while (in.reader && (more = lines_next(&in, err)) > 0 && !unreadable) {
        json_t *record = json_loadb(in.text, in.length, 0, NULL);
        if (json_is_object(record))
            add_record(&curve, &room, record);
        else
            unreadable = in.number;
        json_decref(record);
    }
    lines_close(&in);
    if (more > 0)
        more = error_set(err, "%s:%lld: no JSON object; the log is damaged", path, (long long)unreadable);
    free(path);
    if (more < 0) {
        curve_release(&curve);
        return -1;
    }
    *out = curve;
    return 0;
}

void curve_release(struct curve *c)
{
    free(c->update);
    free(c->seconds);
    free(c->nll);
    free(c->bleu);
    *c = (struct curve){ 0 };
}
