/* Counting what is in a corpus, in one pass. */
#include "corpora/stats.h"

#include "base/hash.h"
#include "corpora/hash_set.h"
#include "corpora/pairs.h"
#include "corpora/text.h"

struct seen {
    struct hash_set source, target, pairs;
};

static void count_side(struct side_stats *s, struct hash_set *seen, uint64_t hash, struct text line)
{
    struct text_counts counts = text_count(line);
    s->lines++;
    s->empty += line.length == 0;
    s->words += counts.words;
    s->characters += counts.characters;
    s->duplicates += !hash_set_add(seen, hash);
    if (counts.words > s->longest) {
        s->longest = counts.words;
        s->longest_line = s->lines;
    }
}

static struct text line_of(const struct lines *in)
{
    return text_trim((struct text){ in->text, in->length });
}

static void count_pair(struct corpus_stats *s, struct seen *seen, struct text source,
                       struct text target)
{
    uint64_t source_hash = hash_bytes(source.bytes, source.length, 0);
    uint64_t target_hash = hash_bytes(target.bytes, target.length, 0);
    count_side(&s->source, &seen->source, source_hash, source);
    count_side(&s->target, &seen->target, target_hash, target);
    s->identical += text_equal(source, target);
    s->duplicates += !hash_set_add(&seen->pairs,
                                   hash_bytes(&target_hash, sizeof target_hash, source_hash));
}

static int read_pairs(struct corpus_stats *s, struct seen *seen, const char *source,
                      const char *target, struct error *err)
{
    struct pairs in = { 0 };
    int more;
    if (pairs_open(&in, source, target, err) < 0)
        return -1;
    in.source.utf8 = in.target.utf8 = UTF8_REPLACE;
    while ((more = pairs_next(&in, err)) > 0)
        count_pair(s, seen, line_of(&in.source), line_of(&in.target));
    s->repaired = in.source.replaced + in.target.replaced;
    pairs_close(&in);
    return more;
}

static int read_lines(struct corpus_stats *s, struct seen *seen, const char *source,
                      struct error *err)
{
    struct lines in = { .utf8 = UTF8_REPLACE };
    int more;
    if (lines_open(&in, source, err) < 0)
        return -1;
    while ((more = lines_next(&in, err)) > 0) {
        struct text line = line_of(&in);
        count_side(&s->source, &seen->source, hash_bytes(line.bytes, line.length, 0), line);
    }
    s->repaired = in.replaced;
    lines_close(&in);
    return more;
}

int corpus_stats(struct corpus_stats *out, const char *source, const char *target,
                 struct error *err)
{
    struct corpus_stats stats = { .paired = target != NULL };
    struct seen seen = { 0 };
    int ret = target ? read_pairs(&stats, &seen, source, target, err)
                     : read_lines(&stats, &seen, source, err);
    hash_set_release(&seen.source);
    hash_set_release(&seen.target);
    hash_set_release(&seen.pairs);
    if (ret == 0)
        *out = stats;
    return ret;
}

static double mean(int64_t sum, int64_t count)
{
    return count ? (double)sum / (double)count : 0;
}

static json_t *side_json(const struct side_stats *s)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:I}",
                     "lines", (json_int_t)s->lines, "empty", (json_int_t)s->empty,
                     "words", (json_int_t)s->words, "characters", (json_int_t)s->characters,
                     "mean_words", mean(s->words, s->lines),
                     "mean_characters", mean(s->characters, s->lines),
                     "longest", (json_int_t)s->longest,
                     "longest_line", (json_int_t)s->longest_line,
                     "duplicates", (json_int_t)s->duplicates);
}

json_t *corpus_stats_json(const struct corpus_stats *s)
{
    if (!s->paired)
        return json_pack("{s:o, s:I}", "source", side_json(&s->source),
                         "repaired", (json_int_t)s->repaired);
    return json_pack("{s:o, s:o, s:I, s:I, s:I, s:f, s:I}",
                     "source", side_json(&s->source), "target", side_json(&s->target),
                     "pairs", (json_int_t)s->source.lines, "identical", (json_int_t)s->identical,
                     "duplicates", (json_int_t)s->duplicates,
                     "word_ratio", mean(s->target.words, s->source.words),
                     "repaired", (json_int_t)s->repaired);
}
