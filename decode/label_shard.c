/* A shard of a labelling job: its lines, a window at a time, through the model. */
#include "decode/label_shard.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/memory.h"
#include "corpora/soft_targets.h"
#include "decode/decoder.h"
#include "decode/forced.h"
#include "seq2seq/teacher.h"
#include "tokenize/tokenizer.h"

enum { WINDOW_LINES = 4096, WINDOW_BYTES = 16 << 20 };

/* ---- counts ---- */

void label_counts_add(struct label_counts *to, const struct label_counts *more)
{
    to->lines += more->lines;
    to->hypotheses += more->hypotheses;
    to->source_words += more->source_words;
    to->seconds += more->seconds;
    for (int i = 0; i < NBEST_MARKS; i++)
        to->marks[i] += more->marks[i];
}

void label_counts_put(const struct label_counts *c, json_t *object)
{
    json_object_set_new(object, "lines", json_integer(c->lines));
    json_object_set_new(object, "hypotheses", json_integer(c->hypotheses));
    for (int i = 0; i < NBEST_MARKS; i++)
        json_object_set_new(object, nbest_names[i], json_integer(c->marks[i]));
    json_object_set_new(object, "source_words", json_integer(c->source_words));
    json_object_set_new(object, "seconds", json_real(c->seconds));
}

static int64_t count_of(const json_t *object, const char *name)
{
    return (int64_t)json_integer_value(json_object_get(object, name));
}

struct label_counts label_counts_get(const json_t *object)
{
    struct label_counts c = { count_of(object, "lines"), count_of(object, "hypotheses"),
                              count_of(object, "source_words"), { 0 },
                              json_number_value(json_object_get(object, "seconds")) };
    for (int i = 0; i < NBEST_MARKS; i++)
        c.marks[i] = count_of(object, nbest_names[i]);
    return c;
}

static void count_marks(struct label_counts *c, unsigned marks)
{
    for (int i = 0; i < NBEST_MARKS; i++)
        c->marks[i] += marks >> i & 1;
}

/* ---- a shard at work ---- */

struct shard {
    struct labeller *l;
    int64_t number, first, lines;       /* first: its first sentence, from 0 */
    int64_t window;                     /* sentences before the window at work, of the whole input */
    struct outfile lists;
    struct soft_writer *soft;           /* NULL: none are wanted */
    struct hash_stream *input;          /* of the lines read */
    struct hash_stream *target;
    struct label_counts counts;
};

/* Goes to the line before the shard's first one. */
static int input_seek(struct label_input *in, const struct strings *paths, enum utf8_policy utf8, int64_t line,
                      struct error *err)
{
    if (in->number > line || !in->paths) {
        label_input_close(in);
        in->paths = paths;
        in->utf8 = utf8;
    }
    while (in->number < line) {
        int more = label_input_next(in, err);
        if (more <= 0)
            return more < 0 ? -1 : error_set(err, "'%s' has lost lines since the job was planned: it ends at line "
                                             "%lld", paths->items[paths->count - 1], (long long)in->number);
    }
    return 0;
}

static int line_next(struct label_input *in, struct hash_stream *hash, struct error *err)
{
    int more = label_input_next(in, err);
    if (more <= 0)
        return more < 0 ? -1 : error_set(err, "'%s' has lost lines since the job was planned: it ends at line %lld",
                                         in->paths->items[in->paths->count - 1], (long long)in->number);
    hash_stream_add(hash, in->lines.text, in->lines.length);
    hash_stream_add(hash, "\n", 1);
    return 0;
}

static bool is_text(const struct lines *line)
{
    return strlen(line->text) == line->length && utf8_valid_prefix(line->text, line->length) == line->length;
}

/* Whether a line has more tokens than are read.  No text becomes more tokens than eight times its
 * bytes, whatever its normal form: short lines are not counted. */
static bool is_too_long(const struct labeller *l, const struct lines *line)
{
    struct ids ids = { 0 };
    if (l->job->target || l->job->search->long_lines != LONG_REFUSE)
        return false;
    size_t most = (size_t)decoder_max_source(l->decoder);
    if (line->length * 8 + 8 <= most)
        return false;
    tokenizer_encode(l->job->translator->source, &ids, line->text, line->length);
    bool longer = ids.count > most;
    ids_release(&ids);
    return longer;
}

/* The next line, and its translation if there is one: lines that no model shall see become empty. */
static int read_line(struct shard *s, struct error *err)
{
    struct labeller *l = s->l;
    size_t i = l->sources.count;
    bool given = l->job->target != NULL;
    if (line_next(&l->source, s->input, err) < 0 || (given && line_next(&l->target, s->target, err) < 0))
        return -1;
    bool good = is_text(&l->source.lines) && (!given || is_text(&l->target.lines));
    ARRAY_GROW(l->marks, l->mark_room, i + 1);
    l->marks[i] = !good ? NBEST_BAD_TEXT : is_too_long(l, &l->source.lines) ? NBEST_TOO_LONG : 0;
    strings_add(&l->sources, l->marks[i] ? "" : l->source.lines.text);
    if (given)
        strings_add(&l->targets, l->marks[i] ? "" : l->target.lines.text);
    s->counts.source_words += decoder_count_words(&(struct span){ l->source.lines.text, l->source.lines.length });
    return 0;
}

static int read_window(struct shard *s, struct error *err)
{
    struct labeller *l = s->l;
    int64_t end = s->first + s->lines;
    size_t bytes = 0;
    strings_release(&l->sources);
    strings_release(&l->targets);
    strings_release(&l->best);
    s->window = l->source.number;
    while (l->source.number < end && l->sources.count < WINDOW_LINES && bytes < WINDOW_BYTES) {
        if (read_line(s, err) < 0)
            return -1;
        bytes += l->source.lines.length;
    }
    return 0;
}

/* ---- searching ---- */

static void write_list(struct shard *s, const struct translation *t, size_t i)
{
    unsigned marks = s->l->marks[i];
    nbest_write(s->lists.stream, t, s->window + (int64_t)i, marks);
    s->counts.lines++;
    s->counts.hypotheses += t->count;
    count_marks(&s->counts, marks ? marks : nbest_marks(t, 0));
    if (s->soft)
        strings_add(&s->l->best, t->text[0]);
}

static int search_window(struct shard *s, struct error *err)
{
    struct labeller *l = s->l;
    size_t n = l->sources.count;
    struct translation *out = xcalloc(n + 1, sizeof *out);
    decoder_name_input(l->decoder, l->job->inputs->count == 1 ? l->job->inputs->items[0] : "line",
                       s->window + 1);
    int ret = decoder_text(l->decoder, out, (const char *const *)l->sources.items, n, err);
    for (size_t i = 0; i < n && ret == 0; i++)
        write_list(s, &out[i], i);
    if (ret == 0)
        translations_release(out, n);
    free(out);
    return ret;
}

/* ---- given translations, and soft targets ---- */

static int write_soft(struct shard *s, const struct forced_result *r, struct error *err)
{
    for (int i = 0; i < r->rows; i++)
        soft_writer_row(s->soft, r->entries + (size_t)i * (size_t)r->k, r->count[i], r->rest[i], r->gold_logp[i]);
    return soft_writer_sentence(s->soft, r->source, r->source_count, r->target, r->target_count, err);
}

static void write_given(struct shard *s, size_t i, const struct forced_result *r)
{
    struct labeller *l = s->l;
    unsigned marks = l->marks[i];
    const char *text = l->targets.items[i];
    double logp = r->rows ? r->logp : 0;
    if (!marks) {
        marks |= r->source_count == 0 ? NBEST_EMPTY : 0;
        marks |= text[strspn(text, " \t")] ? 0 : NBEST_BLANK;
        marks |= r->rows == 0 ? NBEST_TOO_LONG : logp > -INFINITY ? 0 : NBEST_FAILED;
    }
    nbest_put(s->lists.stream, s->window + (int64_t)i, search_score(l->job->search, logp, r->target_count + 1), logp,
              marks, text);
    s->counts.lines++;
    s->counts.hypotheses++;
    count_marks(&s->counts, marks);
}

static int take_result(void *arg, size_t i, const struct forced_result *r, struct error *err)
{
    struct shard *s = arg;
    if (s->l->job->target)
        write_given(s, i, r);
    return s->soft ? write_soft(s, r, err) : 0;
}

static int force_window(struct shard *s, const struct strings *targets, struct error *err)
{
    struct labeller *l = s->l;
    return forced_run(l->forced, (const char *const *)l->sources.items, (const char *const *)targets->items,
                      l->sources.count, take_result, s, err);
}

static int label_window(struct shard *s, struct error *err)
{
    struct labeller *l = s->l;
    if (read_window(s, err) < 0)
        return -1;
    if (l->job->target)
        return force_window(s, &l->targets, err);
    if (search_window(s, err) < 0)
        return -1;
    return s->soft ? force_window(s, &l->best, err) : 0;
}

/* ---- beginning and ending ---- */

static int engines_open(struct labeller *l, struct error *err)
{
    const struct label_job *job = l->job;
    const struct label_config *c = job->config;
    if (!job->target && !l->decoder) {
        struct search_config search = *job->search;
        search.max_source = l->plan->max_source;
        search.long_lines = LONG_TRUNCATE;      /* what is to be refused does not come that far */
        l->decoder = decoder_new(job->translator, &search, job->threads, err);
        if (!l->decoder)
            return -1;
    }
    if (job->teacher && !l->forced) {
        struct forced_config config = { c->soft ? c->soft_k : 0, c->soft == SOFT_TOP_P ? c->soft_p : 1,
                                        c->soft ? c->soft_samples : 0, l->plan->max_source };
        l->forced = forced_new(job->teacher, job->translator->source, job->translator->target, &config,
                               job->threads);
    }
    if (job->target && !l->target_paths.count)
        strings_add(&l->target_paths, job->target);
    return 0;
}

static json_t *about_soft(const struct label_job *job)
{
    return json_pack("{s:s, s:s, s:i, s:O*}", "source", job->inputs->items[0], "target",
                     job->target ? job->target : "the best hypotheses", "samples", job->config->soft_samples, "teachers",
                     json_object_get(job->models, "models"));
}

static int soft_open(struct shard *s, struct error *err)
{
    const struct label_job *job = s->l->job;
    if (!job->config->soft)
        return 0;
    json_t *about = about_soft(job);
    struct soft_shape shape = {
        s->first, teacher_vocab(job->teacher), label_soft_entries(job->config),
        job->config->soft == SOFT_TOP_P ? job->config->soft_p : 1, teacher_temperature(job->teacher),
        tokenizer_fingerprint(job->translator->source), tokenizer_fingerprint(job->translator->target),
        teacher_fingerprint(job->teacher), about,
    };
    char *path = label_shard_path(s->l->folder, LABEL_SOFT, s->number, ".soft");
    s->soft = soft_writer_new(path, &shape, err);
    json_decref(about);
    free(path);
    return s->soft ? 0 : -1;
}

static int shard_open(struct shard *s, struct error *err)
{
    struct labeller *l = s->l;
    char *path = label_shard_path(l->folder, "shards", s->number, ".tsv");
    enum utf8_policy utf8 = label_utf8(l->job->config->bad_text);
    s->input = hash_stream_new();
    s->target = hash_stream_new();
    int ret = outfile_open(&s->lists, path, err);
    free(path);
    if (ret == 0)
        ret = soft_open(s, err);
    if (ret == 0)
        ret = input_seek(&l->source, l->job->inputs, utf8, s->first, err);
    if (ret == 0 && l->job->target)
        ret = input_seek(&l->target, &l->target_paths, utf8, s->first, err);
    return ret;
}

static void shard_close(struct shard *s)
{
    outfile_abort(&s->lists);
    soft_writer_abort(s->soft);
    hash_stream_free(s->input);
    hash_stream_free(s->target);
}

static int check_input(const struct shard *s, struct error *err)
{
    const struct label_plan *plan = s->l->plan;
    if (hash_stream_digest(s->input) == plan->input[s->number]
        && (!plan->target || hash_stream_digest(s->target) == plan->target[s->number]))
        return 0;
    return error_set(err, "'%s' has changed while it was labelled, between the lines %lld and %lld; label it into a "
                     "new folder", s->l->job->inputs->items[0], (long long)s->first + 1,
                     (long long)(s->first + s->lines));
}

static json_t *file_stamp(const char *path, struct error *err)
{
    struct stat st;
    uint64_t hash;
    char text[HASH_TEXT];
    if (hash_file(&hash, path, err) < 0 || stat(path, &st))
        return NULL;
    hash_text(text, hash);
    return json_pack("{s:I, s:s}", "bytes", (json_int_t)st.st_size, "hash", text);
}

/* Adds what a file is to the manifest. */
static int note_file(const struct shard *s, json_t *manifest, const char *name, const char *inner,
                     const char *ending, struct error *err)
{
    char *path = label_shard_path(s->l->folder, inner, s->number, ending);
    json_t *stamp = file_stamp(path, err);
    free(path);
    if (!stamp)
        return -1;
    json_object_set_new(manifest, name, stamp);
    return 0;
}

static int write_manifest(struct shard *s, struct error *err)
{
    char input[HASH_TEXT];
    hash_text(input, s->l->plan->input[s->number]);
    json_t *it = json_pack("{s:I, s:I, s:s, s:s, s:O*}", "shard", (json_int_t)s->number, "first",
                           (json_int_t)s->first, "job", s->l->plan->fingerprint, "input", input,
                           "about", s->l->plan->about);
    char *path = label_shard_path(s->l->folder, "shards", s->number, ".json");
    label_counts_put(&s->counts, it);
    int ret = note_file(s, it, "lists", "shards", ".tsv", err);
    if (ret == 0 && s->l->job->config->soft)
        ret = note_file(s, it, "soft", LABEL_SOFT, ".soft", err);
    if (ret == 0)
        ret = json_write(it, path, err);
    json_decref(it);
    free(path);
    return ret;
}

static int shard_finish(struct shard *s, double start, struct error *err)
{
    if (check_input(s, err) < 0 || outfile_commit(&s->lists, err) < 0)
        return -1;
    if (s->soft) {
        struct soft_writer *soft = s->soft;
        s->soft = NULL;
        if (soft_writer_commit(soft, err) < 0)
            return -1;
    }
    s->counts.seconds = clock_seconds() - start;
    return write_manifest(s, err);
}

int label_shard(struct labeller *l, int64_t shard, struct error *err)
{
    struct shard s = { .l = l, .number = shard, .first = shard * l->plan->shard_lines,
                       .lines = label_plan_lines(l->plan, shard) };
    double start = clock_seconds();
    int ret = engines_open(l, err);
    if (ret == 0)
        ret = shard_open(&s, err);
    while (ret == 0 && l->source.number < s.first + s.lines) {
        ret = label_window(&s, err);
        if (ret == 0)
            progress_add(&l->progress, (int64_t)l->sources.count);
    }
    if (ret == 0)
        ret = shard_finish(&s, start, err);
    shard_close(&s);
    return ret;
}

void labeller_release(struct labeller *l)
{
    if (l->decoder)
        decoder_free(l->decoder);
    forced_free(l->forced);
    label_input_close(&l->source);
    label_input_close(&l->target);
    strings_release(&l->sources);
    strings_release(&l->targets);
    strings_release(&l->best);
    strings_release(&l->target_paths);
    free(l->marks);
}

/* ---- what is there already ---- */

static bool file_is(const char *path, const json_t *stamp, bool deep)
{
    struct stat st;
    uint64_t hash;
    char text[HASH_TEXT];
    const char *noted = json_string_value(json_object_get(stamp, "hash"));
    if (!noted || stat(path, &st) || st.st_size != (off_t)json_integer_value(json_object_get(stamp, "bytes")))
        return false;
    if (!deep)
        return true;
    if (hash_file(&hash, path, NULL) < 0)
        return false;
    hash_text(text, hash);
    return !strcmp(text, noted);
}

static bool check_file(const struct label_folder *folder, const json_t *manifest, const char *name,
                       const char *inner, int64_t shard, const char *ending, bool deep, char *why, size_t room)
{
    char *path = label_shard_path(folder, inner, shard, ending);
    bool good = file_is(path, json_object_get(manifest, name), deep);
    if (!good)
        snprintf(why, room, "'%s' is not what its manifest says", path);
    free(path);
    return good;
}

json_t *label_shard_manifest(const struct label_folder *folder, const struct label_plan *plan, int64_t shard,
                             bool deep, char *why, size_t room)
{
    char *path = label_shard_path(folder, "shards", shard, ".json"), input[HASH_TEXT];
    json_t *it = file_exists(path) ? json_read(path, NULL) : NULL;
    const char *job = json_string_value(json_object_get(it, "job"));
    const char *hash = json_string_value(json_object_get(it, "input"));
    bool good = true;
    *why = '\0';
    hash_text(input, plan->input[shard]);
    if (file_exists(path) && (!job || strcmp(job, plan->fingerprint) || !hash || strcmp(hash, input)
                              || count_of(it, "lines") != label_plan_lines(plan, shard))) {
        snprintf(why, room, "'%s' cannot be read, or is of another job", path);
        good = false;
    }
    free(path);
    if (good && it)
        good = check_file(folder, it, "lists", "shards", shard, ".tsv", deep, why, room)
               && (!json_object_get(it, "soft")
                   || check_file(folder, it, "soft", LABEL_SOFT, shard, ".soft", deep, why, room));
    if (good)
        return it;
    json_decref(it);
    return NULL;
}
