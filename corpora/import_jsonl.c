/* The format "jsonl": a JSON object a line, as Hugging Face and others hand corpora out.
 *
 * A side is named by the path to it, "translation.de"; where none is given, these are tried:
 * "source" and "target", "src" and "trg" or "tgt", "translation.<language>", the languages. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/lines.h"
#include "base/memory.h"
#include "corpora/import_formats.h"
#include "corpora/pair_queue.h"

struct jsonl {
    struct lines in;
    const char *field[2], *language[2];
    bool needed[2];                     /* false: the side is not asked for */
    json_t *object;                     /* of the current line */
    struct pair_queue queue;            /* holds one pair: texts may have line ends */
};

static void close_jsonl(void *state)
{
    struct jsonl *j = state;
    lines_close(&j->in);
    json_decref(j->object);
    pair_queue_release(&j->queue);
    free(j);
}

static void *open_jsonl(const struct import_config *config, const char *source, const char *target,
                        struct error *err)
{
    struct jsonl *j = xcalloc(1, sizeof *j);
    (void)target;
    *j = (struct jsonl){ .field = { config->source_field, config->target_field },
                         .language = { config->source_lang, config->target_lang },
                         .needed = { import_needs(config, 0), import_needs(config, 1) } };
    if (lines_open(&j->in, source, err) < 0) {
        free(j);
        return NULL;
    }
    j->in.utf8 = (enum utf8_policy)config->bad_utf8;
    return j;
}

/* The member at a path such as "translation.de"; a key that holds the dot itself comes first. */
static const json_t *member(const json_t *object, const char *path)
{
    const json_t *found = json_object_get(object, path);
    const char *dot = strchr(path, '.');
    if (found || !dot)
        return found;
    char *key = xstrndup(path, (size_t)(dot - path));
    const json_t *inner = json_object_get(object, key);
    free(key);
    return inner ? member(inner, dot + 1) : NULL;
}

static const json_t *guess(const struct jsonl *j, int side)
{
    static const char *const names[2][4] = { { "source", "src", NULL }, { "target", "trg", "tgt", NULL } };
    const json_t *found = NULL;
    for (const char *const *name = names[side]; *name && !found; name++)
        found = json_object_get(j->object, *name);
    if (!found && j->language[side])
        found = json_object_get(json_object_get(j->object, "translation"), j->language[side]);
    if (!found && j->language[side])
        found = json_object_get(j->object, j->language[side]);
    return found;
}

static int take_side(const struct jsonl *j, int side, struct text *out, struct error *err)
{
    static const char *const options[2] = { "--source-field", "--target-field" };
    if (!j->needed[side]) {
        *out = (struct text){ "", 0 };
        return 0;
    }
    const json_t *value = j->field[side] ? member(j->object, j->field[side]) : guess(j, side);
    if (!json_is_string(value))
        return error_set(err, "%s:%lld: no text %s%s%s in the object; name the member with %s",
                         path_shown(j->in.path), (long long)j->in.number,
                         j->field[side] ? "at '" : "for the ",
                         j->field[side] ? j->field[side] : side ? "target" : "source",
                         j->field[side] ? "'" : "", options[side]);
    *out = (struct text){ json_string_value(value), json_string_length(value) };
    return 0;
}

static int parse(struct jsonl *j, struct error *err)
{
    json_error_t why;
    json_decref(j->object);
    j->object = json_loadb(j->in.text, j->in.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!json_is_object(j->object))
        return error_set(err, "%s:%lld: not a JSON object: %s", path_shown(j->in.path),
                         (long long)j->in.number, j->object ? "it is an array" : why.text);
    return 0;
}

static int next_pair(void *state, struct text_pair *out, struct error *err)
{
    struct jsonl *j = state;
    struct text source, target;
    int more;
    do
        more = lines_next(&j->in, err);
    while (more > 0 && !text_trim((struct text){ j->in.text, j->in.length }).length);
    if (more <= 0)
        return more;
    if (parse(j, err) < 0 || take_side(j, 0, &source, err) < 0 || take_side(j, 1, &target, err) < 0)
        return -1;
    pair_queue_add(&j->queue, source, target);
    pair_queue_next(&j->queue, out);
    return 1;
}

static int64_t repaired_lines(void *state)
{
    return ((struct jsonl *)state)->in.replaced;
}

const struct corpus_format import_jsonl = {
    .name = "jsonl", .summary = "a JSON object a line; --source-field translation.en and the like choose",
    .inputs = INPUTS_ONE, .suffixes = (const char *const[]){ "jsonl", "ndjson", NULL },
    .open = open_jsonl, .next = next_pair, .repaired = repaired_lines, .close = close_jsonl,
};
