/* The plan of a labelling job: reading the input once, keeping what was seen, comparing. */
#include "decode/label_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "decode/label.h"
#include "decode/label_differs.h"
#include "decode/label_folder.h"
#include "decode/label_input.h"
#include "decode/label_size.h"
#include "decode/translate.h"
#include "tokenize/tokenizer.h"

#define PLAN_FILE "job.json"
#define LONGEST "longest_source"        /* where it is shorter than max-source and the models allow */
enum { FORMAT = 1, SAMPLE_FIRST = 500, SAMPLE_STEP = 997 };

/* ---- what labels ---- */

/* Options that say how fast, and not what. */
static const char *const indifferent[] = { "batch-sentences", "batch-tokens", "window", "shard-lines",
                                           "keep-shards" };

/* Where a model lies is no matter: its fingerprint tells it. */
static json_t *models_of(const struct label_job *job)
{
    json_t *all = json_deep_copy(job->models), *model;
    size_t i;
    json_array_foreach(json_object_get(all, "models"), i, model)
        json_object_del(model, "model");
    return all ? all : json_null();
}

/* What sources may have in tokens, memory aside. */
static int max_source(const struct label_job *job)
{
    int asked = job->search->max_source, known = job->translator->max_length - 1;
    return known > 0 && known < asked ? known : asked;
}

/* `longest`: the tokens of a source that are read.  How much memory there is decides that and nothing else,
 * so that another process may have another grant. */
static json_t *describe(const struct label_job *job, int longest)
{
    struct search_config search = *job->search;
    struct label_config config = *job->config;
    const struct option_group groups[] = {
        { NULL, search_options, &search }, { NULL, label_options, &config }, { NULL }
    };
    json_t *options = options_to_json(groups);
    for (size_t i = 0; i < ARRAY_COUNT(indifferent); i++)
        json_object_del(options, indifferent[i]);
    json_object_set_new(options, "memory", json_integer(0));
    json_t *target = job->target ? json_true() : json_false();
    json_t *about = json_pack("{s:o, s:o, s:o}", "models", models_of(job), "options", options, "target_given", target);
    if (longest < max_source(job))
        json_object_set_new(about, LONGEST, json_integer(longest));
    return about;
}

/* What people call models and files, for messages. */
static json_t *names_of_job(const struct label_job *job)
{
    json_t *models = json_array(), *inputs = json_array(), *target = json_array(), *model;
    size_t i;
    json_array_foreach(json_object_get(job->models, "models"), i, model)
        json_array_append(models, json_object_get(model, "model"));
    for (i = 0; i < job->inputs->count; i++)
        json_array_append_new(inputs, json_string(job->inputs->items[i]));
    if (job->target)
        json_array_append_new(target, json_string(job->target));
    return json_pack("{s:o, s:o, s:o}", "models", models, "inputs", inputs, "target", target);
}

static json_t *paths_of(const json_t *files)
{
    json_t *paths = json_array(), *file;
    size_t i;
    json_array_foreach((json_t *)files, i, file)
        json_array_append(paths, json_object_get(file, "path"));
    return paths;
}

/* ---- one side of the input ---- */

struct side {
    struct label_input in;
    const struct tokenizer *tokenizer;  /* for the sample; NULL: none is taken */
    struct hash_stream *shard, *file;
    uint64_t *hashes;                   /* of shards */
    size_t room;
    int64_t shards;
    json_t *files;                      /* with stamps, counts and hashes */
    int64_t file_lines;
    double tokens, sampled;
};

static void side_begin(struct side *s, const struct strings *paths, enum utf8_policy utf8)
{
    s->in.paths = paths;
    s->in.utf8 = utf8;
    s->shard = hash_stream_new();
    s->file = hash_stream_new();
    s->files = json_array();
}

static void side_end(struct side *s)
{
    label_input_close(&s->in);
    hash_stream_free(s->shard);
    hash_stream_free(s->file);
    json_decref(s->files);
    free(s->hashes);
}

/* Size and time of change, by which later processes know that nothing has changed. */
static json_t *stamp(const char *path)
{
    struct stat st = { 0 };
    char modified[64] = "";
    if (!strcmp(path, "-") || stat(path, &st))
        return json_pack("{s:s}", "path", path);
    snprintf(modified, sizeof modified, "%lld.%09ld", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    return json_pack("{s:s, s:I, s:s}", "path", path, "bytes", (json_int_t)st.st_size, "modified", modified);
}

static void end_file(struct side *s)
{
    char text[HASH_TEXT];
    hash_text(text, hash_stream_digest(s->file));
    json_t *file = stamp(s->in.paths->items[json_array_size(s->files)]);
    json_object_set_new(file, "lines", json_integer(s->file_lines));
    json_object_set_new(file, "hash", json_string(text));
    json_array_append_new(s->files, file);
    hash_stream_reset(s->file);
    s->file_lines = 0;
}

static void end_shard(struct side *s)
{
    ARRAY_GROW(s->hashes, s->room, s->shards + 1);
    s->hashes[s->shards++] = hash_stream_digest(s->shard);
    hash_stream_reset(s->shard);
}

static void sample(struct side *s)
{
    struct ids ids = { 0 };
    if (!s->tokenizer || (s->in.number > SAMPLE_FIRST && s->in.number % SAMPLE_STEP))
        return;
    tokenizer_encode(s->tokenizer, &ids, s->in.lines.text, s->in.lines.length);
    s->tokens += (double)ids.count;
    s->sampled++;
    ids_release(&ids);
}

/* 1 a line, 0 the end, -1. */
static int side_next(struct side *s, int64_t shard_lines, struct error *err)
{
    int more = label_input_next(&s->in, err);
    if (more < 0)
        return -1;
    while (json_array_size(s->files) < s->in.file)      /* also those without lines */
        end_file(s);
    if (more == 0) {
        if (s->in.number % shard_lines)
            end_shard(s);
        return 0;
    }
    hash_stream_add(s->file, s->in.lines.text, s->in.lines.length);
    hash_stream_add(s->file, "\n", 1);
    hash_stream_add(s->shard, s->in.lines.text, s->in.lines.length);
    hash_stream_add(s->shard, "\n", 1);
    s->file_lines++;
    if (s->in.number % shard_lines == 0)
        end_shard(s);
    sample(s);
    return 1;
}

static int lengths_differ(const struct side *source, const struct side *target, int more, struct error *err)
{
    const char *first = source->in.paths->items[0], *other = target->in.paths->items[0];
    long long lines = (long long)target->in.number;
    return more ? error_set(err, "'%s' ends after %lld lines, '%s' does not: each line needs its translation; "
                            "check the last step that made them", first, (long long)source->in.number, other)
                : error_set(err, "'%s' ends after %lld lines, '%s' does not: each line needs its translation; "
                            "check the last step that made them", other, lines, first);
}

/* Reads all of one side, or of two side by side. */
static int read_sides(struct side *source, struct side *target, int64_t shard_lines, struct error *err)
{
    struct progress progress;
    int more = 1, other = 1;
    progress_start(&progress, "counting", "lines", 0);
    while (more > 0) {
        more = side_next(source, shard_lines, err);
        if (target && more >= 0)
            other = side_next(target, shard_lines, err);
        if (other < 0 || more < 0 || (target && more != other))
            break;
        if (more)
            progress_add(&progress, 1);
    }
    progress_end(&progress);
    if (more < 0 || other < 0)
        return -1;
    if (target && more != other)
        return lengths_differ(source, target, other, err);
    return source->in.number ? 0 : error_set(err, "'%s' has no lines to label", source->in.paths->items[0]);
}

/* ---- the plan ---- */

static void set_fingerprint(struct label_plan *plan)
{
    char *about = json_dumps(plan->about, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
    uint64_t hash = hash_bytes(about, strlen(about), 0);
    int64_t counts[2] = { plan->lines, plan->shard_lines };
    hash = hash_bytes(counts, sizeof counts, hash);
    hash = hash_bytes(plan->input, (size_t)plan->shards * sizeof *plan->input, hash);
    if (plan->target)
        hash = hash_bytes(plan->target, (size_t)plan->shards * sizeof *plan->target, hash);
    hash_text(plan->fingerprint, hash);
    free(about);
}

static json_t *hashes_json(const uint64_t *hashes, int64_t count)
{
    json_t *list = json_array();
    char text[HASH_TEXT];
    for (int64_t i = 0; hashes && i < count; i++) {
        hash_text(text, hashes[i]);
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static int plan_write(const struct label_plan *plan, const struct side *source, const struct side *target,
                      const char *path, struct error *err)
{
    json_t *files = json_copy(source->files);
    json_t *it = json_pack("{s:i, s:s, s:s, s:I, s:I, s:O, s:o, s:o, s:f, s:f}", "format", FORMAT,
                           "program", "coho " COHO_VERSION, "fingerprint", plan->fingerprint,
                           "lines", (json_int_t)plan->lines, "shard_lines", (json_int_t)plan->shard_lines,
                           "about", plan->about, "inputs", files, "shards", hashes_json(plan->input, plan->shards),
                           "source_tokens_a_line", plan->source_tokens, "target_tokens_a_line", plan->target_tokens);
    if (target) {
        json_object_set(it, "target", target->files);
        json_object_set_new(it, "target_shards", hashes_json(plan->target, plan->shards));
    }
    json_object_set(it, "models", json_object_get(plan->names, "models"));
    int ret = json_write(it, path, err);
    json_decref(it);
    return ret;
}

static uint64_t *read_hashes(const json_t *list, int64_t count)
{
    uint64_t *hashes;
    if ((int64_t)json_array_size(list) != count)
        return NULL;
    hashes = xcalloc((size_t)count + 1, sizeof *hashes);
    for (int64_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, (size_t)i));
        hashes[i] = text ? strtoull(text, NULL, 16) : 0;
    }
    return hashes;
}

static double number(const json_t *it, const char *key)
{
    return json_number_value(json_object_get(it, key));
}

static int plan_from_json(struct label_plan *out, const json_t *it, const char *path, struct error *err)
{
    struct label_plan p = { .lines = (int64_t)number(it, "lines"), .shard_lines = (int64_t)number(it, "shard_lines"),
                            .source_tokens = number(it, "source_tokens_a_line"),
                            .target_tokens = number(it, "target_tokens_a_line") };
    const char *print = json_string_value(json_object_get(it, "fingerprint"));
    if (p.lines > 0 && p.shard_lines > 0 && number(it, "format") == FORMAT) {
        p.shards = (p.lines + p.shard_lines - 1) / p.shard_lines;
        p.about = json_incref(json_object_get(it, "about"));
        p.input = read_hashes(json_object_get(it, "shards"), p.shards);
        if (json_object_get(it, "target_shards"))
            p.target = read_hashes(json_object_get(it, "target_shards"), p.shards);
        p.names = json_pack("{s:O*, s:o, s:o}", "models", json_object_get(it, "models"), "inputs",
                            paths_of(json_object_get(it, "inputs")), "target", paths_of(json_object_get(it, "target")));
        if (p.about && p.input)
            set_fingerprint(&p);
    }
    if (!print || strcmp(print, p.fingerprint)) {
        label_plan_release(&p);
        return error_set(err, "'%s' is damaged, or was written by another version; label into a new folder", path);
    }
    *out = p;
    return 0;
}

static json_t *read_noted(const char *path, struct error *err)
{
    json_t *noted = json_read(path, err);
    if (!noted)
        error_prefix(err, "the plan of the job is damaged; label into a new folder");
    return noted;
}

int label_plan_read(struct label_plan *plan, json_t **inputs, const struct label_folder *folder, struct error *err)
{
    char *path = label_path(folder, PLAN_FILE);
    if (!file_exists(path)) {
        free(path);
        return error_set(err, "'%s' holds no labels: it has no " PLAN_FILE "; name the --output of a `coho label`",
                         folder->path);
    }
    json_t *it = read_noted(path, err);
    int ret = it ? plan_from_json(plan, it, path, err) : -1;
    if (ret == 0 && inputs)
        *inputs = json_pack("{s:O, s:O*}", "inputs", json_object_get(it, "inputs"), "target",
                            json_object_get(it, "target"));
    json_decref(it);
    free(path);
    return ret;
}

void label_plan_release(struct label_plan *plan)
{
    json_decref(plan->about);
    json_decref(plan->names);
    free(plan->input);
    free(plan->target);
    *plan = (struct label_plan){ 0 };
}

/* ---- making and comparing ---- */

/* Whether the files' sizes and times are those that were noted. */
static bool same_stamps(const json_t *noted, const struct strings *paths)
{
    static const char *const keys[] = { "path", "bytes", "modified" };
    bool same = json_array_size(noted) == paths->count;
    for (size_t i = 0; same && i < paths->count; i++) {
        json_t *now = stamp(paths->items[i]), *then = json_array_get(noted, i);
        for (size_t k = 0; k < ARRAY_COUNT(keys); k++)
            same = same && json_object_get(now, keys[k])
                   && json_equal(json_object_get(now, keys[k]), json_object_get(then, keys[k]));
        json_decref(now);
    }
    return same;
}

/* A plan from the input itself. */
static int plan_scan(struct label_plan *plan, struct side *source, struct side *target, int64_t shard_lines,
                     struct error *err)
{
    if (read_sides(source, target, shard_lines, err) < 0)
        return -1;
    plan->lines = source->in.number;
    plan->shard_lines = shard_lines;
    plan->shards = source->shards;
    plan->input = source->hashes;
    source->hashes = NULL;
    plan->source_tokens = source->sampled > 0 ? source->tokens / source->sampled : 0;
    plan->target_tokens = plan->source_tokens;
    if (target) {
        plan->target = target->hashes;
        target->hashes = NULL;
        plan->target_tokens = target->sampled > 0 ? target->tokens / target->sampled : 0;
    }
    return 0;
}

/* What is noted, if the inputs have not been touched since; else what they are now. */
static int plan_now(struct label_plan *now, const struct label_job *job, const char *path, const json_t *noted,
                    int longest, struct error *err)
{
    struct strings target = { 0 };
    struct side sides[2] = { 0 };
    int ret;
    if (job->target)
        strings_add(&target, job->target);
    bool scanned = !noted || !same_stamps(json_object_get(noted, "inputs"), job->inputs)
                   || (job->target && !same_stamps(json_object_get(noted, "target"), &target));
    if (!scanned) {
        ret = plan_from_json(now, noted, path, err);
        json_decref(now->about);
        json_decref(now->names);
        now->about = now->names = NULL;
    } else {
        side_begin(&sides[0], job->inputs, label_utf8(job->config->bad_text));
        side_begin(&sides[1], &target, label_utf8(job->config->bad_text));
        if (job->config->soft) {
            sides[0].tokenizer = job->translator->source;
            sides[1].tokenizer = job->translator->target;
        }
        ret = plan_scan(now, &sides[0], job->target ? &sides[1] : NULL, job->config->shard_lines, err);
    }
    if (ret == 0) {
        now->about = describe(job, longest);
        now->names = names_of_job(job);
        now->max_source = longest;
        set_fingerprint(now);
    }
    if (ret == 0 && !noted)         /* before there is a plan, which could not be changed */
        ret = label_size_check(job, now, now->lines, "lower --soft-k, or choose another folder", err);
    if (ret == 0 && !noted)
        ret = plan_write(now, &sides[0], job->target ? &sides[1] : NULL, path, err);
    if (scanned) {
        side_end(&sides[0]);
        side_end(&sides[1]);
    }
    strings_release(&target);
    return ret;
}

/* What this process has room for. */
static int own_longest(int *longest, const struct label_job *job, struct error *err)
{
    *longest = max_source(job);
    if (!job->search->memory || job->target)
        return 0;
    struct decoder *d = decoder_new(job->translator, job->search, job->threads, err);
    if (!d)
        return -1;
    *longest = decoder_max_source(d);
    decoder_free(d);
    return 0;
}

static int too_little(const struct label_job *job, int own, int begun, struct error *err)
{
    return error_set(err, "--memory %lldM on %d threads has room for sources of %d tokens; '%s' was begun with %d, and "
                     "all its lines are to be read alike: allow more, or use fewer --threads",
                     (long long)(job->search->memory >> 20), job->threads > 0 ? job->threads : cpu_count(), own,
                     job->folder, begun);
}

int label_plan_make(struct label_plan *plan, const struct label_job *job, const struct label_folder *folder,
                    struct error *err)
{
    char *path = label_path(folder, PLAN_FILE);
    struct label_plan now = { 0 }, there = { 0 };
    int own, longest = 0;
    json_t *noted = file_exists(path) ? read_noted(path, err) : NULL;
    int ret = noted || !file_exists(path) ? 0 : -1;
    if (ret == 0 && noted)
        ret = plan_from_json(&there, noted, path, err);
    if (ret == 0 && (ret = own_longest(&own, job, err)) == 0) {
        longest = noted ? (int)number(there.about, LONGEST) : own;
        longest = longest ? longest : max_source(job);
        ret = plan_now(&now, job, path, noted, longest, err);
    }
    if (ret == 0 && noted && strcmp(now.fingerprint, there.fingerprint))
        ret = label_differs(&there, &now, folder->path, err);
    if (ret == 0 && own < longest)
        ret = too_little(job, own, longest, err);
    if (ret == 0) {
        *plan = now;
        now = (struct label_plan){ 0 };
    }
    label_plan_release(&now);
    label_plan_release(&there);
    json_decref(noted);
    free(path);
    return ret;
}

static void names_of(struct strings *out, const json_t *files)
{
    size_t i;
    json_t *file;
    json_array_foreach((json_t *)files, i, file)
        strings_add(out, json_string_value(json_object_get(file, "path")));
}

static enum utf8_policy policy_of(const struct label_plan *plan)
{
    struct label_config config = { 0 };
    const struct option_group groups[] = { { NULL, label_options, &config }, { NULL } };
    const json_t *options = json_object_get(plan->about, "options");
    return options_set_json(groups, "bad-text", json_object_get(options, "bad-text"), NULL) < 0
           ? UTF8_KEEP : label_utf8(config.bad_text);
}

int label_plan_compare(const struct label_plan *plan, const json_t *inputs, const char *folder, struct error *err)
{
    struct strings sources = { 0 }, targets = { 0 };
    struct label_plan now = { 0 };
    struct side sides[2] = { 0 };
    names_of(&sources, json_object_get(inputs, "inputs"));
    names_of(&targets, json_object_get(inputs, "target"));
    side_begin(&sides[0], &sources, policy_of(plan));
    side_begin(&sides[1], &targets, policy_of(plan));
    int ret = plan_scan(&now, &sides[0], targets.count ? &sides[1] : NULL, plan->shard_lines, err);
    if (ret == 0) {
        now.about = json_incref(plan->about);
        now.names = json_incref(plan->names);
        set_fingerprint(&now);
        if (strcmp(now.fingerprint, plan->fingerprint))
            ret = label_differs(plan, &now, folder, err);
    }
    side_end(&sides[0]);
    side_end(&sides[1]);
    label_plan_release(&now);
    strings_release(&sources);
    strings_release(&targets);
    return ret;
}

/* ---- shares ---- */

void label_plan_share(const struct label_plan *plan, int share, int shares, int64_t *first, int64_t *end)
{
    *first = plan->shards / shares * share + plan->shards % shares * share / shares;
    *end = plan->shards / shares * (share + 1) + plan->shards % shares * (share + 1) / shares;
}

int64_t label_plan_lines(const struct label_plan *plan, int64_t shard)
{
    int64_t left = plan->lines - shard * plan->shard_lines;
    return left < plan->shard_lines ? left : plan->shard_lines;
}
