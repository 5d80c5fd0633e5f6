/* From shards to one result, with the proof that nothing was lost on the way.
 *
 * The plan holds a hash of each shard of the input, taken before anything was labelled; a shard's
 * manifest says which lines it labelled, by the same hash, taken while they were read, and what it
 * wrote.  Here each shard's lists are read once more: their hash must be the manifest's, and
 * sentence after sentence must be there, once and in order. */
#include "decode/label_join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/memory.h"
#include "corpora/soft_targets.h"

struct joining {
    const struct label_folder *folder;
    const struct label_plan *plan;
    struct outfile lists, best;
    struct hash_stream *lists_hash, *best_hash;
    struct label_counts counts;
    int64_t sentences;                  /* joined so far */
    json_t *soft;                       /* bytes and hash of each shard's soft targets */
    char why[600];
};

static int64_t integer(const json_t *it, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(it, key));
}

static void put(struct outfile *out, struct hash_stream *hash, const char *text, size_t length)
{
    if (!length)
        return;
    fwrite(text, 1, length, out->stream);
    hash_stream_add(hash, text, length);
}

/* The best hypothesis of each sentence, while the lists are counted. */
static int join_lines(struct joining *j, const char *path, const json_t *manifest, struct error *err)
{
    struct nbest lists = { 0 };
    int64_t before = j->sentences, end = integer(manifest, "first") + integer(manifest, "lines"), lines = 0;
    int more = nbest_open(&lists, path, err) < 0 ? -1 : 1;
    lists.in.utf8 = UTF8_KEEP;          /* translations given under --bad-text mark */
    while (more > 0 && (more = nbest_next(&lists, err)) > 0) {
        lines++;
        if (lists.line.sentence == j->sentences - 1 && j->sentences > before)
            continue;
        if (lists.line.sentence != j->sentences || j->sentences >= end) {
            more = error_set(err, "'%s' has sentence %lld where %lld should stand", path,
                             (long long)lists.line.sentence + 1, (long long)j->sentences + 1);
            break;
        }
        put(&j->best, j->best_hash, lists.line.text, strlen(lists.line.text));
        put(&j->best, j->best_hash, "\n", 1);
        j->sentences++;
    }
    nbest_close(&lists);
    if (more < 0)
        return -1;
    if (j->sentences != end || lines != integer(manifest, "hypotheses"))
        return error_set(err, "'%s' has %lld sentences in %lld lines where its manifest says %lld in %lld", path,
                         (long long)(j->sentences - before), (long long)lines, (long long)integer(manifest, "lines"),
                         (long long)integer(manifest, "hypotheses"));
    return 0;
}

/* A shard may be of any size: it goes through in pieces. */
static int join_bytes(struct joining *j, const char *path, const json_t *manifest, struct error *err)
{
    const char *noted = json_string_value(json_object_get(json_object_get(manifest, "lists"), "hash"));
    char piece[1 << 16], hash[HASH_TEXT];
    struct hash_stream *shard = hash_stream_new();
    FILE *in = fopen(path, "r");
    size_t length;
    while (in && (length = fread(piece, 1, sizeof piece, in)) > 0) {
        put(&j->lists, j->lists_hash, piece, length);
        hash_stream_add(shard, piece, length);
    }
    int ret = !in || ferror(in) ? error_set(err, "cannot read '%s': %s", path, strerror(errno)) : 0;
    hash_text(hash, hash_stream_digest(shard));
    if (ret == 0 && (!noted || strcmp(hash, noted)))
        ret = error_set(err, "'%s' is not what its manifest says", path);
    if (in)
        fclose(in);
    hash_stream_free(shard);
    return ret;
}

static int join_shard(struct joining *j, int64_t shard, const json_t *manifest, struct error *err)
{
    char *path = label_shard_path(j->folder, "shards", shard, ".tsv");
    struct label_counts counts = label_counts_get(manifest);
    int ret = join_bytes(j, path, manifest, err) < 0 ? -1 : join_lines(j, path, manifest, err);
    label_counts_add(&j->counts, &counts);
    if (json_object_get(manifest, "soft"))
        json_array_append(j->soft, json_object_get(manifest, "soft"));
    free(path);
    return ret;
}

/* A damaged shard loses its manifest, and so counts as not done. */
static void disown(const struct joining *j, int64_t shard)
{
    char *path = label_shard_path(j->folder, "shards", shard, ".json");
    unlink(path);
    free(path);
}

static int join_shards(struct joining *j, int64_t *bad, struct error *err)
{
    for (int64_t shard = 0; shard < j->plan->shards; shard++) {
        json_t *manifest = label_shard_manifest(j->folder, j->plan, shard, true, j->why, sizeof j->why);
        int ret = manifest ? join_shard(j, shard, manifest, err) : error_set(err, "%s", j->why);
        json_decref(manifest);
        if (ret < 0) {
            disown(j, shard);
            *bad = shard;
            return -1;
        }
        if (interrupt_requested())
            return error_set(err, "interrupted");
    }
    return 0;
}

static json_t *stamp_of(const struct label_folder *folder, const char *name, const struct hash_stream *hash)
{
    struct stat st = { 0 };
    char text[HASH_TEXT], *path = label_path(folder, name);
    hash_text(text, hash_stream_digest(hash));
    stat(path, &st);
    free(path);
    return json_pack("{s:I, s:s}", "bytes", (json_int_t)st.st_size, "hash", text);
}

static int write_proof(const struct joining *j, struct error *err)
{
    const struct label_counts *c = &j->counts;
    json_t *it = json_pack("{s:s, s:s, s:I}", "program", "coho " COHO_VERSION, "job", j->plan->fingerprint, "shards",
                           (json_int_t)j->plan->shards);
    char *path = label_path(j->folder, LABEL_PROOF);
    label_counts_put(c, it);
    if (c->seconds > 0)
        json_object_set_new(it, "lines_per_s", json_real((double)c->lines / c->seconds));
    json_object_set_new(it, LABEL_NBEST, stamp_of(j->folder, LABEL_NBEST, j->lists_hash));
    json_object_set_new(it, LABEL_BEST, stamp_of(j->folder, LABEL_BEST, j->best_hash));
    if (json_array_size(j->soft))
        json_object_set(it, "soft", j->soft);
    json_object_set(it, "about", j->plan->about);
    int ret = json_write(it, path, err);
    json_decref(it);
    free(path);
    return ret;
}

/* The soft targets must be one store, with as many sentences as there are lines. */
static int check_soft(const struct joining *j, struct error *err)
{
    if (!json_array_size(j->soft))
        return 0;
    char *path = label_path(j->folder, LABEL_SOFT);
    struct soft_targets *s = soft_targets_open(path, false, err);
    int ret = s ? 0 : -1;
    if (s && soft_targets_info(s)->sentences != j->plan->lines)
        ret = error_set(err, "'%s' has soft targets for %lld lines where the input has %lld", path,
                        (long long)soft_targets_info(s)->sentences, (long long)j->plan->lines);
    soft_targets_close(s);
    free(path);
    return ret;
}

static int join(struct joining *j, int64_t *bad, struct error *err)
{
    char *lists = label_path(j->folder, LABEL_NBEST), *best = label_path(j->folder, LABEL_BEST);
    int ret = outfile_open(&j->lists, lists, err) < 0 || outfile_open(&j->best, best, err) < 0 ? -1 : 0;
    if (ret == 0)
        ret = join_shards(j, bad, err);
    if (ret == 0 && j->sentences != j->plan->lines)
        ret = error_set(err, "'%s' has %lld sentences where the input has %lld lines", j->folder->path,
                        (long long)j->sentences, (long long)j->plan->lines);
    if (ret == 0)
        ret = check_soft(j, err);
    if (ret == 0)
        ret = outfile_commit(&j->lists, err) < 0 || outfile_commit(&j->best, err) < 0 ? -1 : write_proof(j, err);
    free(lists);
    free(best);
    return ret;
}

int label_join(const struct label_folder *folder, const struct label_plan *plan, const struct label_config *config,
               struct label_counts *counts, int64_t *waiting, int64_t *bad, struct error *err)
{
    struct joining j = { .folder = folder, .plan = plan };
    *bad = -1;
    *waiting = 0;
    for (int64_t shard = 0; shard < plan->shards; shard++) {
        json_t *manifest = label_shard_manifest(folder, plan, shard, false, j.why, sizeof j.why);
        *waiting += manifest == NULL;
        json_decref(manifest);
    }
    if (*waiting)
        return 0;
    j.lists_hash = hash_stream_new();
    j.best_hash = hash_stream_new();
    j.soft = json_array();
    int ret = join(&j, bad, err);
    *counts = j.counts;
    outfile_abort(&j.lists);
    outfile_abort(&j.best);
    hash_stream_free(j.lists_hash);
    hash_stream_free(j.best_hash);
    json_decref(j.soft);
    return ret < 0 ? -1 : label_tidy(folder, config, err) < 0 ? -1 : 1;
}

int label_tidy(const struct label_folder *folder, const struct label_config *config, struct error *err)
{
    label_sweep_all(folder);
    if (config->keep_shards)
        return 0;
    char *shards = label_path(folder, "shards");
    int ret = dir_remove(shards, err);
    free(shards);
    return ret;
}

/* ---- a finished job ---- */

static int check_stamp(const char *path, const json_t *stamp, bool deep, struct error *err)
{
    struct stat st;
    uint64_t hash;
    char text[HASH_TEXT];
    const char *noted = json_string_value(json_object_get(stamp, "hash"));
    if (stat(path, &st) || st.st_size != (off_t)integer(stamp, "bytes"))
        return error_set(err, "'%s' is missing, or has changed since it was made", path);
    if (!deep)
        return 0;
    if (hash_file(&hash, path, err) < 0)
        return -1;
    hash_text(text, hash);
    return noted && !strcmp(noted, text) ? 0 : error_set(err, "'%s' has changed since it was made", path);
}

static int check_lists(const struct label_folder *folder, const json_t *proof, bool deep, struct error *err)
{
    static const char *const names[] = { LABEL_NBEST, LABEL_BEST };
    int ret = 0;
    for (size_t i = 0; i < ARRAY_COUNT(names) && ret == 0; i++) {
        char *path = label_path(folder, names[i]);
        ret = check_stamp(path, json_object_get(proof, names[i]), deep, err);
        free(path);
    }
    return ret;
}

static int check_soft_shard(const struct label_folder *folder, const json_t *proof, size_t shard, bool deep,
                            struct error *err)
{
    char *path = label_shard_path(folder, LABEL_SOFT, (int64_t)shard, ".soft");
    int ret = check_stamp(path, json_array_get(json_object_get(proof, "soft"), shard), deep, err);
    free(path);
    return ret;
}

static int check_result(const struct label_folder *folder, const json_t *proof, bool deep, struct error *err)
{
    int ret = check_lists(folder, proof, deep, err);
    for (size_t i = 0; i < json_array_size(json_object_get(proof, "soft")) && ret == 0; i++)
        ret = check_soft_shard(folder, proof, i, deep, err);
    return ret;
}

int64_t label_soft_damaged(const struct label_folder *folder, const struct label_plan *plan, bool *damaged,
                           struct error *err)
{
    struct error each;
    char *path = label_path(folder, LABEL_PROOF);
    json_t *proof = json_read(path, err);
    int64_t count = proof && check_lists(folder, proof, true, err) == 0 ? 0 : -1;
    size_t shards = json_array_size(json_object_get(proof, "soft"));
    for (size_t i = 0; i < shards && i < (size_t)plan->shards && count >= 0; i++) {
        damaged[i] = check_soft_shard(folder, proof, i, true, &each) < 0;
        count += damaged[i];
    }
    json_decref(proof);
    free(path);
    return count;
}

int label_joined(const struct label_folder *folder, const struct label_plan *plan, bool deep,
                 struct label_counts *counts, struct error *err)
{
    char *path = label_path(folder, LABEL_PROOF);
    int ret = 0;
    if (file_exists(path)) {
        json_t *proof = json_read(path, err);
        const char *job = json_string_value(json_object_get(proof, "job"));
        ret = !proof ? -1 : job && !strcmp(job, plan->fingerprint)
                            ? 1 : error_set(err, "'%s' is of another job than job.json beside it", path);
        if (ret == 1 && check_result(folder, proof, deep, err) < 0)
            ret = -1;
        *counts = label_counts_get(proof);
        json_decref(proof);
    }
    free(path);
    return ret;
}
