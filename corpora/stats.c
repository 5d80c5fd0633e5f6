/* Counting what is in a corpus, in one pass. */
#include "corpora/stats.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/lines.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "corpora/hash_set.h"
#include "corpora/import.h"
#include "corpora/text.h"
#include "tokenize/tokenizer.h"

#define GRAM 4                          /* words of a run */

/* What was seen of a side. */
struct side_seen {
    struct hash_set lines, words, again;
    const struct tokenizer *model;
    struct ids ids;
    bool *used;                         /* by piece */
};

struct seen {
    struct side_seen source, target;
    struct hash_set pairs;
    struct hash_set keys, grams;        /* of sources, where held-out texts are compared */
    bool compares;
};

/* ---- words ---- */

static bool word_next(struct text *rest, struct text *word)
{
    *rest = text_trim(*rest);
    size_t length = 0;
    while (length < rest->length && rest->bytes[length] != ' ' && rest->bytes[length] != '\t')
        length++;
    *word = (struct text){ rest->bytes, length };
    *rest = (struct text){ rest->bytes + length, rest->length - length };
    return length > 0;
}

/* A run of words ends with each word from the fourth on. */
struct run_of_words { uint64_t word[GRAM]; int count; };

static bool run_add(struct run_of_words *r, uint64_t word, uint64_t *gram)
{
    r->word[r->count++ % GRAM] = word;
    if (r->count < GRAM)
        return false;
    *gram = 0;
    for (int i = 0; i < GRAM; i++)
        *gram = hash_bytes(&r->word[(r->count + i) % GRAM], sizeof *r->word, *gram);
    return true;
}

/* ---- a side ---- */

static void count_types(struct side_seen *seen, struct text line, struct hash_set *grams)
{
    struct run_of_words run = { .count = 0 };
    struct text word;
    uint64_t gram;
    while (word_next(&line, &word)) {
        uint64_t hash = hash_bytes(word.bytes, word.length, 0);
        if (!hash_set_add(&seen->words, hash))
            hash_set_add(&seen->again, hash);
        if (grams && run_add(&run, hash, &gram))
            hash_set_add(grams, gram);
    }
}

static void count_pieces(struct side_stats *s, struct side_seen *seen, struct text line)
{
    int32_t unknown = tokenizer_unk(seen->model);
    seen->ids.count = 0;
    tokenizer_encode(seen->model, &seen->ids, line.bytes, line.length);
    s->pieces += (int64_t)seen->ids.count;
    for (size_t i = 0; i < seen->ids.count; i++) {
        s->unknown += seen->ids.items[i] == unknown;
        seen->used[seen->ids.items[i]] = true;
    }
}

static void count_side(struct side_stats *s, struct side_seen *seen, uint64_t hash, struct text line,
                       struct hash_set *grams)
{
    struct text_counts counts = text_count(line);
    s->lines++;
    s->empty += line.length == 0;
    s->words += counts.words;
    s->characters += counts.characters;
    s->duplicates += !hash_set_add(&seen->lines, hash);
    s->length[counts.words < STATS_LENGTHS ? counts.words : STATS_LENGTHS - 1]++;
    if (counts.words > s->longest) {
        s->longest = counts.words;
        s->longest_line = s->lines;
    }
    count_types(seen, line, grams);
    if (seen->model)
        count_pieces(s, seen, line);
}

static void finish_side(struct side_stats *s, const struct side_seen *seen)
{
    s->types = (int64_t)seen->words.count;
    s->hapaxes = s->types - (int64_t)seen->again.count;
    s->vocabulary = seen->model ? tokenizer_vocab(seen->model) : 0;
    for (int i = 0; i < s->vocabulary; i++)
        s->used += seen->used[i];
}

static void side_begin(struct side_seen *seen, const struct tokenizer *model)
{
    seen->model = model;
    seen->used = model ? xcalloc((size_t)tokenizer_vocab(model), sizeof *seen->used) : NULL;
}

static void side_release(struct side_seen *seen)
{
    hash_set_release(&seen->lines);
    hash_set_release(&seen->words);
    hash_set_release(&seen->again);
    ids_release(&seen->ids);
    free(seen->used);
}

/* ---- a corpus ---- */

static struct text line_of(const struct lines *in)
{
    return text_trim((struct text){ in->text, in->length });
}

static uint64_t count_source(struct corpus_stats *s, struct seen *seen, struct text line)
{
    uint64_t hash = hash_bytes(line.bytes, line.length, 0);
    count_side(&s->source, &seen->source, hash, line, seen->compares ? &seen->grams : NULL);
    if (seen->compares)
        hash_set_add(&seen->keys, text_key(line, 0));
    return hash;
}

static void count_pair(struct corpus_stats *s, struct seen *seen, struct text source,
                       struct text target)
{
    uint64_t source_hash = count_source(s, seen, source);
    uint64_t target_hash = hash_bytes(target.bytes, target.length, 0);
    count_side(&s->target, &seen->target, target_hash, target, NULL);
    s->identical += text_equal(source, target);
    s->duplicates += !hash_set_add(&seen->pairs,
                                   hash_bytes(&target_hash, sizeof target_hash, source_hash));
}

static int read_corpus(struct corpus_stats *s, struct seen *seen, const char *source, const char *target,
                       const struct import_config *usual, struct error *err)
{
    struct import_config config = usual ? *usual : (struct import_config){ 0 };
    struct text_pair pair;
    config.bad_utf8 = UTF8_REPLACE;
    s->paired = import_is_paired(&config, source, target);
    struct import *in = import_open(&config, source, target, err);
    int more = in ? 1 : -1;
    while (more > 0 && (more = import_next(in, &pair, err)) > 0)
        if (s->paired)
            count_pair(s, seen, text_trim(pair.source), text_trim(pair.target));
        else
            count_source(s, seen, text_trim(pair.source));
    s->repaired = in ? import_repaired(in) : 0;
    import_close(in);
    return more;
}

/* ---- held-out texts ---- */

static void compare_line(struct overlap_stats *o, const struct seen *seen, struct text line)
{
    struct run_of_words run = { .count = 0 };
    struct text word;
    uint64_t gram;
    o->lines++;
    o->found += line.length && hash_set_has(&seen->keys, text_key(line, 0));
    while (word_next(&line, &word)) {
        uint64_t hash = hash_bytes(word.bytes, word.length, 0);
        o->words++;
        o->unseen += !hash_set_has(&seen->source.words, hash);
        if (run_add(&run, hash, &gram)) {
            o->grams++;
            o->grams_found += hash_set_has(&seen->grams, gram);
        }
    }
}

static int compare(struct overlap_stats *o, const struct seen *seen, const char *path, struct error *err)
{
    struct lines in = { .utf8 = UTF8_REPLACE };
    int more;
    if (lines_open(&in, path, err) < 0)
        return -1;
    while ((more = lines_next(&in, err)) > 0)
        compare_line(o, seen, line_of(&in));
    lines_close(&in);
    return more;
}

int corpus_stats(struct corpus_stats *out, const char *source, const char *target,
                 const struct stats_config *config, struct error *err)
{
    static const struct stats_config none = { 0 };
    struct corpus_stats stats = { 0 };
    struct seen seen = { .compares = config && config->against && config->against->count };
    config = config ? config : &none;
    side_begin(&seen.source, config->source_model);
    side_begin(&seen.target, config->target_model);
    int ret = read_corpus(&stats, &seen, source, target, config->import, err);
    for (size_t i = 0; ret == 0 && seen.compares && i < config->against->count; i++)
        ret = compare(&stats.overlap, &seen, config->against->items[i], err);
    finish_side(&stats.source, &seen.source);
    finish_side(&stats.target, &seen.target);
    side_release(&seen.source);
    side_release(&seen.target);
    hash_set_release(&seen.pairs);
    hash_set_release(&seen.keys);
    hash_set_release(&seen.grams);
    if (ret == 0)
        *out = stats;
    return ret;
}

/* ---- the report ---- */

int stats_percentile(const struct side_stats *s, double share)
{
    double wanted = share * (double)s->lines, sum = 0;
    for (int i = 0; i < STATS_LENGTHS; i++) {
        sum += (double)s->length[i];
        if (sum >= wanted)
            return i;
    }
    return STATS_LENGTHS - 1;
}

static double mean(int64_t sum, int64_t count)
{
    return count ? (double)sum / (double)count : 0;
}

static json_t *side_json(const struct side_stats *s)
{
    json_t *lengths = json_array();
    for (int i = 0; i < STATS_LENGTHS; i++)
        json_array_append_new(lengths, json_integer(s->length[i]));
    json_t *json = json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:o}",
                             "lines", (json_int_t)s->lines, "empty", (json_int_t)s->empty,
                             "words", (json_int_t)s->words, "characters", (json_int_t)s->characters,
                             "mean_words", mean(s->words, s->lines),
                             "mean_characters", mean(s->characters, s->lines),
                             "longest", (json_int_t)s->longest,
                             "longest_line", (json_int_t)s->longest_line,
                             "duplicates", (json_int_t)s->duplicates,
                             "types", (json_int_t)s->types, "hapaxes", (json_int_t)s->hapaxes,
                             "median_words", stats_percentile(s, 0.5),
                             "words_95", stats_percentile(s, 0.95), "lengths", lengths);
    if (s->vocabulary)
        json_object_update_new(json, json_pack("{s:I, s:f, s:f, s:i, s:i}",
                                               "pieces", (json_int_t)s->pieces,
                                               "pieces_per_word", mean(s->pieces, s->words),
                                               "unknown_share", mean(s->unknown, s->pieces),
                                               "vocabulary", s->vocabulary, "used", s->used));
    return json;
}

static json_t *overlap_json(const struct overlap_stats *o)
{
    return json_pack("{s:I, s:I, s:f, s:f}", "lines", (json_int_t)o->lines, "found", (json_int_t)o->found,
                     "unseen_words", mean(o->unseen, o->words),
                     "grams_found", mean(o->grams_found, o->grams));
}

json_t *corpus_stats_json(const struct corpus_stats *s)
{
    json_t *json = json_pack("{s:o, s:I}", "source", side_json(&s->source),
                             "repaired", (json_int_t)s->repaired);
    if (s->paired)
        json_object_update_new(json, json_pack("{s:o, s:I, s:I, s:I, s:f}",
                                               "target", side_json(&s->target),
                                               "pairs", (json_int_t)s->source.lines,
                                               "identical", (json_int_t)s->identical,
                                               "duplicates", (json_int_t)s->duplicates,
                                               "word_ratio", mean(s->target.words, s->source.words)));
    if (s->overlap.lines)
        json_object_set_new(json, "overlap", overlap_json(&s->overlap));
    return json;
}
