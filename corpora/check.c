/* Checking: blocks of pairs are looked at on all threads, and what depends on their order, or on all
 * of them, in order again. */
#include "corpora/check.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/pipeline.h"
#include "base/rng.h"
#include "base/thread.h"
#include "corpora/aligner.h"
#include "corpora/duplicates.h"
#include "corpora/filter.h"
#include "corpora/hash_set.h"
#include "corpora/language_id.h"
#include "corpora/scripts.h"

#define BLOCK_PAIRS 1024
#define BLOCK_BYTES ((size_t)1 << 20)

#define FIELD(member) offsetof(struct check_config, member)
const struct option check_options[] = {
    { "against", OPTION_LIST, FIELD(against), NULL, 0, 0,
      "held-out texts in the source's language, none of which may be in the corpus" },
    { "max-words", OPTION_INT, FIELD(max_words), "250", 0, 1e6, "words a side may have; 0: any" },
    { "max-ratio", OPTION_FLOAT, FIELD(max_ratio), "4", 0, 1e6,
      "how many times the words of one side the other may have; 0: any" },
    { "max-word-length", OPTION_INT, FIELD(max_word_length), "200", 0, 1e6,
      "characters a word may have; 0: any" },
    { "min-script", OPTION_FLOAT, FIELD(min_script), "0.5", 0, 1,
      "share of letters that should be in the language's script, where source-lang and target-lang "
      "name one" },
    { "min-numbers", OPTION_FLOAT, FIELD(min_numbers), "0.5", 0, 1,
      "share of a pair's numbers that should be on both sides" },
    { "identify-language", OPTION_FLAG, FIELD(identify_language), "false", 0, 0,
      "look for lines in other languages, too; slow" },
    { "tolerate", OPTION_FLOAT, FIELD(tolerate), "0", 0, 1,
      "share of lines in which a check may find something before it counts" },
    { "strict", OPTION_FLAG, FIELD(strict), "false", 0, 0, "warnings fail as well" },
    { "dedup-memory", OPTION_SIZE, FIELD(dedup_memory), "1G", 0, 0,
      "memory for telling duplicates; beyond it files are used" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    { 0 }
};

enum {
    LINE_COUNT, ENCODING, SLIP, STRETCH, OVERLAP, DUPLICATE_PAIR, DUPLICATE_SOURCE, DUPLICATE_TARGET,
    INVISIBLE, MOJIBAKE, CONTROL, BY_FILTER
};

const struct check checks[] = {
    [LINE_COUNT] = { "line_count", "the sides have different numbers of lines", CHECK_ERROR },
    [ENCODING] = { "encoding", "lines that are not UTF-8", CHECK_ERROR },
    [SLIP] = { "slip", "lines without a partner: what follows is out of step", CHECK_ERROR },
    [STRETCH] = { "stretch", "lines whose lengths do not go together", CHECK_ERROR },
    [OVERLAP] = { "overlap", "sources that are in a held-out set", CHECK_ERROR },
    [DUPLICATE_PAIR] = { "duplicate_pair", "pairs that came before", CHECK_WARNING },
    [DUPLICATE_SOURCE] = { "duplicate_source", "sources that came before", CHECK_WARNING },
    [DUPLICATE_TARGET] = { "duplicate_target", "targets that came before", CHECK_WARNING },
    [INVISIBLE] = { "invisible", "characters of no width, or marks of direction", CHECK_WARNING },
    [MOJIBAKE] = { "mojibake", "characters that were encoded twice, as Ã¤ for ä", CHECK_WARNING },
    [CONTROL] = { "control", "control characters, U+FFFD, unassigned characters", CHECK_WARNING, "broken" },
    [BY_FILTER] =
    { "empty", "an empty side", CHECK_ERROR, "empty" },
    { "identical", "both sides are the same", CHECK_WARNING, "identical" },
    { "too_long", "a side above max-words", CHECK_WARNING, "too_long" },
    { "uneven", "one side above max-ratio times the other", CHECK_WARNING, "uneven" },
    { "long_word", "a word above max-word-length", CHECK_WARNING, "long_word" },
    { "script", "a side in another script than its language's", CHECK_WARNING, "script" },
    { "language", "a side in another language", CHECK_WARNING, "language" },
    { "numbers", "numbers of one side are not on the other", CHECK_WARNING, "numbers" },
    { "links", "addresses of one side are not on the other", CHECK_WARNING, "links" },
    { "markup", "tags or entities", CHECK_WARNING, "markup" },
    { "tokenized", "traces of a tokenizer", CHECK_WARNING, "tokenized" },
    { 0 }
};
static_assert(ARRAY_COUNT(checks) <= CHECK_MOST, "raise CHECK_MOST");

/* ---- the state of a run ---- */

struct item {
    size_t source, target, end;         /* in the block's text */
    bool has_source, has_target;
    uint32_t found;                     /* bits of `checks` */
    uint64_t keys[3];                   /* of pair, source, target */
};

struct block {
    int count;
    struct strbuf text;
    struct item items[BLOCK_PAIRS];
};

struct run {
    const struct check_config *config;
    struct check_report report;
    struct filter_config filter;
    int rows[CHECK_MOST];               /* of filters, by check; -1 */
    int threads;
    struct filter_tools *tools;         /* a thread each */
    struct lines source, target;        /* of line-aligned files; closed otherwise */
    struct import *in;                  /* of other formats */
    bool more[2];
    struct duplicates *seen[3];
    struct hash_set held_out;
    struct aligner *aligner;
    struct progress progress;
};

static void found(struct run *r, int check, int64_t line)
{
    struct finding *f = &r->report.found[check];
    if (f->count < CHECK_LINES)
        f->lines[f->count] = line;
    f->count++;
}

/* ---- opening ---- */

static void choose_filters(struct run *r)
{
    const struct check_config *c = r->config;
    r->filter = (struct filter_config){
        .drop_empty = true, .drop_identical = true, .max_words = c->max_words, .max_ratio = c->max_ratio,
        .max_word_length = c->max_word_length, .min_script = c->min_script,
        .min_numbers = c->min_numbers, .drop_links = true, .drop_broken = true, .drop_markup = true,
        .drop_tokenized = true, .identify_language = c->identify_language,
    };
    for (int i = 0; checks[i].name; i++)
        r->rows[i] = checks[i].filter ? filter_row(checks[i].filter) : -1;
}

static int open_tools(struct run *r, struct error *err)
{
    const struct import_config *c = &r->config->import;
    const char *languages[2] = { c->source_lang, c->target_lang };
    r->tools = xcalloc((size_t)r->threads, sizeof *r->tools);
    for (int i = 0; i < r->threads; i++) {
        r->tools[i].scripts[0] = language_scripts(languages[0]);
        r->tools[i].scripts[1] = language_scripts(languages[1]);
        if (r->config->identify_language &&
            !(r->tools[i].languages = language_id_new(languages, err)))
            return -1;
    }
    return 0;
}

static int load_held_out(struct run *r, struct error *err)
{
    for (size_t i = 0; i < r->config->against.count; i++) {
        struct lines in = { .utf8 = UTF8_KEEP };
        int more;
        if (lines_open(&in, r->config->against.items[i], err) < 0)
            return -1;
        while ((more = lines_next(&in, err)) > 0) {
            struct text line = text_trim((struct text){ in.text, in.length });
            if (line.length)
                hash_set_add(&r->held_out, text_key(line, 0));
        }
        lines_close(&in);
        if (more < 0)
            return -1;
    }
    return 0;
}

/* Files that are read line by line are gone through to both ends, whatever is wrong with them. */
static int open_input(struct run *r, const char *source, const char *target, struct error *err)
{
    struct import_config import = r->config->import;
    import.bad_utf8 = UTF8_REPLACE;
    r->report.paired = import_is_paired(&import, source, target);
    if (!import_is_text(&import, source, target)) {
        r->in = import_open(&import, source, target, err);
        return r->in ? 0 : -1;
    }
    r->source.utf8 = r->target.utf8 = UTF8_KEEP;
    if (lines_open(&r->source, source, err) < 0 ||
        (target && lines_open(&r->target, target, err) < 0))
        return -1;
    r->more[0] = true;
    r->more[1] = target != NULL;
    return 0;
}

static int open_run(struct run *r, const char *source, const char *target, struct error *err)
{
    int64_t memory = r->config->dedup_memory ? r->config->dedup_memory : INT64_C(1) << 30;
    r->threads = r->config->threads ? r->config->threads : cpu_count();
    choose_filters(r);
    for (int i = 0; i < 3; i++)
        r->seen[i] = duplicates_new(memory / 3, temporary_folder());
    r->aligner = aligner_new();
    if (open_tools(r, err) < 0 || load_held_out(r, err) < 0 || open_input(r, source, target, err) < 0)
        return -1;
    progress_start(&r->progress, "checking", "pairs", 0);
    return 0;
}

static void close_run(struct run *r)
{
    progress_end(&r->progress);
    for (int i = 0; r->tools && i < r->threads; i++)
        language_id_free(r->tools[i].languages);
    free(r->tools);
    for (int i = 0; i < 3; i++)
        duplicates_free(r->seen[i]);
    aligner_free(r->aligner);
    hash_set_release(&r->held_out);
    import_close(r->in);
    lines_close(&r->source);
    lines_close(&r->target);
    check_report_release(&r->report);
}

/* ---- reading ---- */

static void *block_new(void *arg)
{
    (void)arg;
    return xcalloc(1, sizeof(struct block));
}

static void block_free(void *arg, void *block)
{
    (void)arg;
    strbuf_release(&((struct block *)block)->text);
    free(block);
}

/* A line of each file that has not ended; 1, 0, -1. */
static int next_lines(struct run *r, struct text_pair *out, struct error *err)
{
    struct lines *sides[2] = { &r->source, &r->target };
    struct text text[2] = { { NULL, 0 }, { NULL, 0 } };
    for (int i = 0; i < 2; i++) {
        int more = r->more[i] ? lines_next(sides[i], err) : 0;
        if (more < 0)
            return -1;
        r->more[i] = more > 0;
        if (more)
            text[i] = (struct text){ sides[i]->text, sides[i]->length };
    }
    *out = (struct text_pair){ text[0], text[1] };
    return r->more[0] || r->more[1];
}

static int block_read(void *arg, void *block, struct error *err)
{
    struct run *r = arg;
    struct block *b = block;
    struct text_pair pair;
    int more = 1;
    if (interrupt_requested())
        return error_set(err, "interrupted");
    b->count = 0;
    strbuf_reset(&b->text);
    while (b->count < BLOCK_PAIRS && b->text.length < BLOCK_BYTES &&
           (more = r->in ? import_next(r->in, &pair, err) : next_lines(r, &pair, err)) > 0) {
        struct item *item = &b->items[b->count++];
        *item = (struct item){ .source = b->text.length, .has_source = pair.source.bytes,
                               .has_target = pair.target.bytes };
        if (pair.source.length)
            strbuf_add(&b->text, pair.source.bytes, pair.source.length);
        item->target = b->text.length;
        if (pair.target.length)
            strbuf_add(&b->text, pair.target.bytes, pair.target.length);
        item->end = b->text.length;
    }
    return more < 0 ? -1 : b->count > 0;
}

static struct text_pair pair_at(const struct block *b, const struct item *item)
{
    const char *text = b->text.text ? b->text.text : "";
    return (struct text_pair){
        { item->has_source ? text + item->source : NULL, item->target - item->source },
        { item->has_target ? text + item->target : NULL, item->end - item->target },
    };
}

/* ---- looking ---- */

static bool has_mojibake(const struct text_facts *f, struct text t)
{
    static const char *const signs[] = { "\u00C3\u00A4", "\u00C3\u00B6", "\u00C3\u00BC", "\u00C3\u0178",
                                         "\u00C3\u00A9", "\u00C3\u00A8", "\u00C3\u00AA", "\u00C3\u00A7",
                                         "\u00E2\u20AC\u2122", "\u00E2\u20AC\u0153", "\u00E2\u20AC\u201C",
                                         "\u00C3\u00B3", "\u00C3\u00AD", "\u00C3\u00A1", "\u00C3\u00B1" };
    const char *at = t.bytes, *end = t.bytes + t.length;
    if (f->counts.characters == (int64_t)t.length)
        return false;                   /* ASCII */
    while ((at = memchr(at, 0xC3, (size_t)(end - at)))) {   /* with which all of them begin */
        unsigned char next = end - at > 1 ? (unsigned char)at[1] : 0;
        for (size_t i = 0; (next == 0x83 || next == 0xA2) && i < ARRAY_COUNT(signs); i++)
            if ((size_t)(end - at) >= strlen(signs[i]) && !memcmp(at, signs[i], strlen(signs[i])))
                return true;
        at++;
    }
    return false;
}

static uint32_t look(const struct run *r, struct text_pair pair, const struct filter_tools *tools)
{
    struct pair_facts facts;
    uint32_t found = 0, control = UINT32_C(1) << CONTROL;
    pair_facts(&facts, pair, tools);
    const struct text_facts *a = &facts.side[0], *b = &facts.side[1];
    if (filters[r->rows[BY_FILTER]].drops(&facts, &r->filter))
        return UINT32_C(1) << BY_FILTER;        /* empty: nothing else can be said */
    for (int i = CONTROL; checks[i].name; i++)
        found |= (uint32_t)filters[r->rows[i]].drops(&facts, &r->filter) << i;
    if (a->of[CLASS_BAD] + b->of[CLASS_BAD])
        found = (found & ~control) | UINT32_C(1) << ENCODING;
    if (a->of[CLASS_INVISIBLE] + b->of[CLASS_INVISIBLE])
        found |= UINT32_C(1) << INVISIBLE;
    if (has_mojibake(a, pair.source) || has_mojibake(b, pair.target))
        found |= UINT32_C(1) << MOJIBAKE;
    return found;
}

static int block_work(void *arg, void *block, int worker, struct error *err)
{
    const struct run *r = arg;
    struct block *b = block;
    (void)err;
    for (int i = 0; i < b->count; i++) {
        struct item *item = &b->items[i];
        struct text_pair pair = pair_at(b, item);
        struct text source = text_trim(pair.source), target = text_trim(pair.target);
        if (!item->has_source || item->has_target != r->report.paired)
            continue;                   /* beyond the end of a side */
        item->found = look(r, pair, &r->tools[worker]);
        item->keys[1] = hash_bytes(source.bytes, source.length, 0);
        item->keys[2] = hash_bytes(target.bytes, target.length, 1);
        item->keys[0] = rng_mix(item->keys[1] ^ rng_mix(item->keys[2]));
        if (r->held_out.count && hash_set_has(&r->held_out, text_key(source, 0)))
            item->found |= UINT32_C(1) << OVERLAP;
    }
    return 0;
}

/* ---- in order ---- */

static int tell_duplicates(struct run *r, const struct item *item, int64_t line, struct error *err)
{
    for (int i = 0; i < (r->report.paired ? 3 : 1); i++) {
        int which, answer = duplicates_add(r->seen[i], &item->keys[i], 1, &which, err);
        if (answer < 0)
            return -1;
        if (answer == DEDUP_SEEN)
            found(r, DUPLICATE_PAIR + i, line);
    }
    return 0;
}

#define AHEAD 8

static int block_write(void *arg, void *block, struct error *err)
{
    struct run *r = arg;
    const struct block *b = block;
    for (int i = 0; i < b->count; i++) {
        const struct item *item = &b->items[i];
        for (int k = 0; k < 3 && i + AHEAD < b->count; k++)
            duplicates_prefetch(r->seen[k], b->items[i + AHEAD].keys[k]);
        r->report.lines[0] += item->has_source;
        r->report.lines[1] += item->has_target;
        if (!item->has_source || item->has_target != r->report.paired)
            continue;
        int64_t line = r->report.lines[0];
        for (uint32_t bits = item->found; bits; bits &= bits - 1)
            found(r, __builtin_ctz(bits), line);
        if (tell_duplicates(r, item, line, err) < 0)
            return -1;
        struct text_pair pair = pair_at(b, item);
        if (r->report.paired)
            aligner_add(r->aligner, pair.source, pair.target);
    }
    progress_add(&r->progress, b->count);
    return 0;
}

/* ---- the end ---- */

static void tell_slips(struct run *r)
{
    size_t count;
    struct strbuf detail = { 0 };
    const struct slip *slips = aligner_slips(r->aligner, &count);
    for (size_t i = 0; i < count; i++) {
        const struct slip *s = &slips[i];
        found(r, SLIP, s->line);
        if (i < CHECK_LINES)
            strbuf_printf(&detail, "%sfrom about line %lld of the %s on, %d line%s added there or lost from "
                          "the %s", i ? "; " : "", (long long)s->line, s->extra > 0 ? "target" : "source",
                          abs(s->extra), abs(s->extra) == 1 ? " was" : "s were",
                          s->extra > 0 ? "source" : "target");
    }
    r->report.found[SLIP].detail = count ? strbuf_detach(&detail) : NULL;
}

static void tell_stretches(struct run *r)
{
    size_t count;
    struct strbuf detail = { 0 };
    const struct stretch *stretches = aligner_stretches(r->aligner, &count);
    for (size_t i = 0; i < count; i++) {
        found(r, STRETCH, stretches[i].first);
        r->report.found[STRETCH].count += stretches[i].last - stretches[i].first;
        if (i < CHECK_LINES)
            strbuf_printf(&detail, "%slines %lld to %lld, correlation %.2f where that of the corpus is %.2f",
                          i ? "; " : "", (long long)stretches[i].first, (long long)stretches[i].last,
                          stretches[i].correlation, r->report.correlation);
    }
    r->report.found[STRETCH].detail = count ? strbuf_detach(&detail) : NULL;
}

static void tell_counts(struct run *r)
{
    int64_t difference = r->report.lines[0] - r->report.lines[1];
    struct finding *f = &r->report.found[LINE_COUNT];
    if (!r->report.paired || !difference)
        return;
    f->count = difference < 0 ? -difference : difference;
    f->detail = xasprintf("the source has %lld lines, the target %lld", (long long)r->report.lines[0],
                          (long long)r->report.lines[1]);
}

/* Pairs for whose duplicates there was no memory. */
static int tell_waiting(struct run *r, struct error *err)
{
    for (int i = 0; i < 3; i++) {
        int which;
        if (duplicates_finish(r->seen[i], err) < 0)
            return -1;
        for (size_t k = 0; k < duplicates_waiting(r->seen[i]); k++)
            if (duplicates_verdict(r->seen[i], k, &which) == DEDUP_SEEN)
                found(r, DUPLICATE_PAIR + i, 0);
    }
    return 0;
}

static void judge(struct run *r)
{
    struct check_report *report = &r->report;
    double lines = (double)(report->lines[0] > report->lines[1] ? report->lines[0] : report->lines[1]);
    for (int i = 0; checks[i].name; i++)
        if ((float)((double)report->found[i].count / lines) > r->config->tolerate &&
            (checks[i].level == CHECK_ERROR || r->config->strict))
            report->failed = true;
}

static int finish(struct run *r, const char *source, struct error *err)
{
    if (!r->report.lines[0] && !r->report.lines[1])
        return error_set(err, "empty corpus: '%s' holds no line", source);
    aligner_finish(r->aligner);
    r->report.correlation = aligner_correlation(r->aligner);
    tell_counts(r);
    tell_slips(r);
    tell_stretches(r);
    if (tell_waiting(r, err) < 0)
        return -1;
    judge(r);
    return 0;
}

int corpus_check(struct check_report *out, const char *source, const char *target,
                 const struct check_config *config, struct error *err)
{
    struct run run = { .config = config };
    int ret = open_run(&run, source, target, err);
    struct pipeline pipeline = {
        .threads = run.threads, .arg = &run, .block_new = block_new, .block_free = block_free,
        .read = block_read, .work = block_work, .write = block_write,
    };
    if (ret == 0 && (pipeline_run(&pipeline, err) < 0 || finish(&run, source, err) < 0))
        ret = -1;
    if (ret == 0) {
        *out = run.report;
        run.report = (struct check_report){ 0 };
    }
    close_run(&run);
    return ret;
}

void check_report_release(struct check_report *r)
{
    for (int i = 0; i < CHECK_MOST; i++)
        free(r->found[i].detail);
    *r = (struct check_report){ 0 };
}

static json_t *finding_json(const struct check *c, const struct finding *f, int64_t lines)
{
    json_t *first = json_array();
    for (int i = 0; i < CHECK_LINES && f->lines[i]; i++)
        json_array_append_new(first, json_integer(f->lines[i]));
    json_t *json = json_pack("{s:s, s:s, s:I, s:f, s:o}", "check", c->name,
                             "level", c->level == CHECK_ERROR ? "error" : "warning",
                             "count", (json_int_t)f->count,
                             "share", lines ? (double)f->count / (double)lines : 0.0, "lines", first);
    if (f->detail)
        json_object_set_new(json, "detail", json_string(f->detail));
    return json;
}

json_t *check_report_json(const struct check_report *r)
{
    json_t *findings = json_array();
    for (int i = 0; checks[i].name; i++)
        if (r->found[i].count)
            json_array_append_new(findings, finding_json(&checks[i], &r->found[i], r->lines[0]));
    return json_pack("{s:s, s:I, s:I, s:f, s:o}", "status", r->failed ? "failed" : "passed",
                     "source_lines", (json_int_t)r->lines[0], "target_lines", (json_int_t)r->lines[1],
                     "correlation", r->correlation, "findings", findings);
}
