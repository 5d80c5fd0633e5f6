/* corpus.json: which files a corpus consists of. */
#include "distill/corpus_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lines.h"
#include "base/memory.h"

/* ---- reading ---- */

static char *text_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? xstrdup(text) : NULL;
}

static char *path_member(const json_t *object, const char *name, const char *folder)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? path_join(folder, text) : NULL;
}

static struct corpus_set set_of_json(const json_t *set, const char *folder)
{
    return (struct corpus_set){
        path_member(set, "source", folder), path_member(set, "target", folder),
        json_integer_value(json_object_get(set, "pairs")),
        json_integer_value(json_object_get(set, "source_words")),
        json_integer_value(json_object_get(set, "target_words")),
    };
}

int corpus_files_read(struct corpus_files *out, const char *folder, struct error *err)
{
    char *path = path_join(folder, CORPUS_FILE);
    json_t *root = json_read(path, err);
    free(path);
    if (!root)
        return -1;
    *out = (struct corpus_files){
        .source_lang = text_member(root, "source_lang"),
        .target_lang = text_member(root, "target_lang"),
        .train = set_of_json(json_object_get(root, "train"), folder),
        .dev = set_of_json(json_object_get(root, "dev"), folder),
        .test = set_of_json(json_object_get(root, "test"), folder),
        .gold = path_member(root, "gold", folder),
        .nbest = path_member(root, "nbest", folder),
        .soft = path_member(root, "soft", folder),
        .lines = path_member(root, "lines", folder),
        .weights = path_member(root, "weights", folder),
        .teacher = json_incref(json_object_get(root, "teacher")),
    };
    json_decref(root);
    return 0;
}

static void set_release(struct corpus_set *set)
{
    free(set->source);
    free(set->target);
}

void corpus_files_release(struct corpus_files *c)
{
    set_release(&c->train);
    set_release(&c->dev);
    set_release(&c->test);
    free(c->source_lang);
    free(c->target_lang);
    free(c->gold);
    free(c->nbest);
    free(c->soft);
    free(c->lines);
    free(c->weights);
    json_decref(c->teacher);
    *c = (struct corpus_files){ 0 };
}

/* ---- writing ---- */

static void put_set(json_t *root, const char *name, const struct corpus_set *set)
{
    if (set->source)
        json_object_set_new(root, name, json_pack("{s:s, s:s, s:I, s:I, s:I}", "source", set->source,
            "target", set->target, "pairs", (json_int_t)set->pairs,
            "source_words", (json_int_t)set->source_words,
            "target_words", (json_int_t)set->target_words));
}

static void put_text(json_t *root, const char *name, const char *text)
{
    if (text)
        json_object_set_new(root, name, json_string(text));
}

int corpus_files_write(const struct corpus_files *c, const char *folder, struct error *err)
{
    char *path = path_join(folder, CORPUS_FILE);
    json_t *root = json_object();
    put_text(root, "source_lang", c->source_lang);
    put_text(root, "target_lang", c->target_lang);
    put_set(root, "train", &c->train);
    put_set(root, "dev", &c->dev);
    put_set(root, "test", &c->test);
    put_text(root, "gold", c->gold);
    put_text(root, "nbest", c->nbest);
    put_text(root, "soft", c->soft);
    put_text(root, "lines", c->lines);
    put_text(root, "weights", c->weights);
    json_object_set(root, "teacher", c->teacher);
    int ret = json_write(root, path, err);
    json_decref(root);
    free(path);
    return ret;
}

/* ---- counting ---- */

static int64_t count_words(const char *text)
{
    int64_t words = 0;
    while (*(text += strspn(text, " \t\r\n\f\v"))) {
        words++;
        text += strcspn(text, " \t\r\n\f\v");
    }
    return words;
}

static int count_file(const char *path, int64_t *lines, int64_t *words, struct error *err)
{
    struct lines in = { .utf8 = UTF8_KEEP };
    int more;
    *lines = *words = 0;
    if (lines_open(&in, path, err) < 0)
        return -1;
    in.utf8 = UTF8_KEEP;
    while ((more = lines_next(&in, err)) > 0) {
        ++*lines;
        *words += count_words(in.text);
    }
    lines_close(&in);
    return more;
}

int corpus_set_count(struct corpus_set *set, const char *folder, struct error *err)
{
    char *source = path_join(folder, set->source), *target = path_join(folder, set->target);
    int64_t targets = 0;
    int ret = -1;
    if (count_file(source, &set->pairs, &set->source_words, err) == 0
        && count_file(target, &targets, &set->target_words, err) == 0)
        ret = set->pairs == targets ? 0
            : error_set(err, "%s has %lld lines but %s has %lld", source, (long long)set->pairs,
                        target, (long long)targets);
    free(source);
    free(target);
    return ret;
}

/* Stages' folders stand side by side, so the last folder and what is below it tells enough. */
int corpus_empty_side(const char *path, int64_t lines, struct error *err)
{
    struct outfile file = { 0 };
    if (outfile_open(&file, path, err) < 0)
        return -1;
    for (int64_t i = 0; i < lines; i++)
        putc('\n', file.stream);
    return outfile_commit(&file, err);
}

char *corpus_sibling(const char *path)
{
    char *folder = path_dir(path), *sibling = xasprintf("../%s/%s", path_name(folder), path_name(path));
    free(folder);
    return sibling;
}

struct corpus_set corpus_set_sibling(const struct corpus_set *set)
{
    if (!set->source)
        return (struct corpus_set){ 0 };
    return (struct corpus_set){ corpus_sibling(set->source), corpus_sibling(set->target), set->pairs,
                                set->source_words, set->target_words };
}

void corpus_files_derive(struct corpus_files *out, const struct corpus_files *from, const char *stage)
{
    *out = (struct corpus_files){
        .source_lang = xstrdup(from->source_lang), .target_lang = xstrdup(from->target_lang),
        .dev = corpus_set_sibling(&from->dev), .test = corpus_set_sibling(&from->test), .gold = xasprintf("../%s", stage),
    };
}
