/* Importing, mending, filtering, dropping duplicates.
 *
 * Blocks of pairs go through a pipeline: they are read in order, edited and filtered on all threads,
 * and judged for duplicates in order again. */
#include "corpora/clean.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/pipeline.h"
#include "base/thread.h"
#include "corpora/clean_sources.h"
#include "corpora/duplicates.h"
#include "corpora/language_id.h"
#include "corpora/language_tag.h"
#include "corpora/near.h"
#include "corpora/noise.h"
#include "corpora/spool.h"

#define BLOCK_PAIRS 1024
#define BLOCK_BYTES ((size_t)1 << 20)
#define AHEAD 8                         /* pairs whose keys are fetched before they are needed */
#define NOISE_PAIRS 200000              /* that the model of noise learns from */

static const char *const dedup_names[] = {
    [DEDUP_NONE] = "none", [DEDUP_PAIR] = "pair", [DEDUP_SOURCE] = "source",
    [DEDUP_TARGET] = "target", NULL
};
static const char *const near_names[] = {
    [NEAR_KEEP] = "keep", [NEAR_FORM] = "form", [NEAR_SIMILAR] = "similar", NULL
};

#define FIELD(member) offsetof(struct clean_config, member)
const struct option dedup_options[] = {
    { "dedup", OPTION_CHOICE, FIELD(dedup), "pair", 0, 0,
      "of equal pairs, sources or targets keep the first", dedup_names },
    { "near-duplicates", OPTION_CHOICE, FIELD(near), "keep", 0, 0,
      "also of pairs with the same letters and digits (form) or much the same ones (similar)",
      near_names },
    { "dedup-memory", OPTION_SIZE, FIELD(dedup_memory), "1G", 0, 0,
      "memory for telling duplicates; what comes after it is used up waits in files" },
    { 0 }
};

const struct option source_list_options[] = {
    { "sources", OPTION_STRING, FIELD(sources), NULL, 0, 0,
      "YAML list of corpora to be taken together: - { source: …, target: …, weight: …, tag: … }" },
    { 0 }
};

const struct option clean_run_options[] = {
    { "dropped", OPTION_STRING, FIELD(dropped), NULL, 0, 0,
      "file for what is dropped, a line each: number, reason, source, target" },
    { "temporary", OPTION_STRING, FIELD(temporary), NULL, 0, 0,
      "folder for pairs that wait; $TMPDIR or /tmp without it" },
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "threads; 0: one a core" },
    { 0 }
};

float pair_score_dual(struct pair_score s)
{
    return fabsf(s.forward - s.backward) + 0.5f * (s.forward + s.backward);
}

/* ---- the state of a run ---- */

enum { KEYS_MOST = 1 + NEAR_KEYS, KEPT = -1 };

/* Texts stand in the block's strbuf `text`, those that were mended in `edited`. */
struct place { size_t at, length; bool edited, absent; };

struct item {
    struct place source, target;
    uint32_t corpus;                    /* index of the source that it is of */
    int row;                            /* of filters, or KEPT */
    unsigned edits;
    uint64_t keys[KEYS_MOST];
};

struct block {
    int count;
    struct strbuf text, edited;
    struct item items[BLOCK_PAIRS];
};

struct run {
    const struct clean_config *config;
    const struct clean_sink *sink;
    struct corpus_sources sources;
    size_t corpus;                      /* the next to be opened is the one after `in`'s */
    struct import *in;
    bool ended;                         /* the last of them */
    struct clean_report report;
    struct progress progress;

    int threads, key_count;
    struct filter_tools *tools;         /* a thread each */
    struct noise_model *noise[2];
    struct duplicates *dedup;
    struct spool waiting;
    struct outfile dropped;

    /* Pairs that wait for the models' word. */
    struct strbuf queued_text;
    struct queued { size_t source, target, end; int64_t number; uint32_t corpus; bool paired; } *queued;
    size_t queued_count, queued_room;
};

/* ---- opening ---- */

static const char *waiting_folder(const struct clean_config *config)
{
    return config->temporary ? config->temporary : temporary_folder();
}

/* Learns what the corpus's characters are like from its first pairs. */
static int learn_noise(struct run *r, struct error *err)
{
    int ret = 0;
    r->noise[0] = noise_new();
    r->noise[1] = noise_new();
    for (size_t i = 0; i < r->sources.count && ret == 0; i++) {
        const struct corpus_source *s = &r->sources.items[i];
        if (!strcmp(s->source, "-") || (s->target && !strcmp(s->target, "-")))
            return error_set(err, "max-noise reads the corpus twice, which standard input does not "
                                  "allow; give files");
        struct import *in = import_open(&s->import, s->source, s->target, err);
        struct text_pair pair;
        int more = in ? 1 : -1;
        for (size_t n = 0; more > 0 && n < NOISE_PAIRS / r->sources.count &&
                           (more = import_next(in, &pair, err)) > 0; n++) {
            noise_learn(r->noise[0], pair.source);
            noise_learn(r->noise[1], pair.target);
        }
        import_close(in);
        ret = more < 0 ? -1 : 0;
    }
    noise_finish(r->noise[0]);
    noise_finish(r->noise[1]);
    return ret;
}

static int open_tools(struct run *r, struct error *err)
{
    const struct clean_config *c = r->config;
    const char *languages[2] = { c->import.source_lang, c->import.target_lang };
    if (c->filter.max_noise > 0 && learn_noise(r, err) < 0)
        return -1;
    r->tools = xcalloc((size_t)r->threads, sizeof *r->tools);
    for (int i = 0; i < r->threads; i++) {
        struct filter_tools *t = &r->tools[i];
        for (int side = 0; side < 2; side++) {
            t->scripts[side] = language_scripts(languages[side]);
            t->noise[side] = r->noise[side];
        }
        if (c->filter.identify_language && !(t->languages = language_id_new(languages, err)))
            return -1;
    }
    if (c->filter.min_script > 0 && !r->tools[0].scripts[0] && !r->tools[0].scripts[1])
        return error_set(err, "min-script needs to know the languages; name them with --source-lang "
                              "and --target-lang");
    return 0;
}

static int check_models(const struct clean_config *c, struct error *err)
{
    bool forward = c->scorer && c->scorer->forward, both = forward && c->scorer->backward;
    if (c->filter.max_cross_entropy > 0 && !forward)
        return error_set(err, "max-cross-entropy needs a model of target given source: --score-model");
    if (c->filter.max_dual > 0 && !both)
        return error_set(err, "max-dual-cross-entropy needs two models: --score-model and "
                              "--reverse-model");
    return 0;
}

static int open_run(struct run *r, const char *source, const char *target, struct error *err)
{
    const struct clean_config *c = r->config;
    bool paired;
    r->threads = c->threads ? c->threads : cpu_count();
    r->key_count = (c->dedup != DEDUP_NONE) +
                   (c->near == NEAR_FORM ? 1 : c->near == NEAR_SIMILAR ? NEAR_KEYS : 0);
    r->dedup = duplicates_new(c->dedup_memory ? c->dedup_memory : INT64_C(1) << 30, waiting_folder(c));
    if (check_models(c, err) < 0 || clean_sources_open(&r->sources, source, target, c, err) < 0 ||
        clean_sources_paired(&paired, &r->sources, err) < 0 || open_tools(r, err) < 0 ||
        clean_sources_spare(c->dropped, &r->sources, c, err) < 0 ||
        (c->dropped && outfile_open(&r->dropped, c->dropped, err) < 0))
        return -1;
    const struct corpus_source *first = &r->sources.items[0];
    r->in = import_open(&first->import, first->source, first->target, err);
    if (!r->in)
        return -1;
    progress_start(&r->progress, "reading", "pairs", 0);
    return 0;
}

static void close_run(struct run *r)
{
    if (r->in)
        progress_end(&r->progress);
    import_close(r->in);
    for (int i = 0; r->tools && i < r->threads; i++)
        language_id_free(r->tools[i].languages);
    free(r->tools);
    noise_free(r->noise[0]);
    noise_free(r->noise[1]);
    duplicates_free(r->dedup);
    spool_close(&r->waiting);
    outfile_abort(&r->dropped);
    strbuf_release(&r->queued_text);
    free(r->queued);
    sources_release(&r->sources);
}

/* ---- reading blocks ---- */

static void *block_new(void *arg)
{
    (void)arg;
    return xcalloc(1, sizeof(struct block));
}

static void block_free(void *arg, void *block)
{
    struct block *b = block;
    (void)arg;
    strbuf_release(&b->text);
    strbuf_release(&b->edited);
    free(b);
}

static struct place add_text(struct strbuf *to, struct text t, bool edited)
{
    struct place place = { to->length, t.length, edited, !t.bytes };
    if (t.length)
        strbuf_add(to, t.bytes, t.length);
    return place;
}

static struct text text_at(const struct block *b, struct place p)
{
    const struct strbuf *from = p.edited ? &b->edited : &b->text;
    return (struct text){ p.absent ? NULL : from->text ? from->text + p.at : "", p.length };
}

static struct text_pair pair_at(const struct block *b, int i)
{
    return (struct text_pair){ text_at(b, b->items[i].source), text_at(b, b->items[i].target) };
}

/* The next pair of all sources; 1, 0, -1. */
static int next_pair(struct run *r, struct text_pair *pair, struct error *err)
{
    for (;;) {
        int more = import_next(r->in, pair, err);
        if (more != 0)
            return more;
        if (r->ended)
            return 0;
        r->report.repaired += import_repaired(r->in);
        r->ended = r->corpus + 1 == r->sources.count;
        if (r->ended)
            return 0;
        const struct corpus_source *s = &r->sources.items[++r->corpus];
        struct import *in = import_open(&s->import, s->source, s->target, err);
        if (!in)
            return -1;
        import_close(r->in);
        r->in = in;
    }
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
    strbuf_reset(&b->edited);
    while (b->count < BLOCK_PAIRS && b->text.length < BLOCK_BYTES &&
           (more = next_pair(r, &pair, err)) > 0) {
        struct item *item = &b->items[b->count++];
        item->source = add_text(&b->text, pair.source, false);
        item->target = add_text(&b->text, pair.target, false);
        item->corpus = (uint32_t)r->corpus;
    }
    return more < 0 ? -1 : b->count > 0;
}

/* ---- working on them ---- */

static uint64_t dedup_key(struct text_pair pair, enum dedup by)
{
    struct text source = text_trim(pair.source), target = text_trim(pair.target);
    uint64_t key = 0;
    if (by != DEDUP_TARGET)
        key = hash_bytes(source.bytes, source.length, key);
    if (by != DEDUP_SOURCE)
        key = hash_bytes(target.bytes, target.length, key);
    return key;
}

static void make_keys(const struct run *r, struct item *item, struct text_pair pair)
{
    uint64_t *key = item->keys;
    if (r->config->dedup != DEDUP_NONE)
        *key++ = dedup_key(pair, (enum dedup)r->config->dedup);
    if (r->config->near == NEAR_FORM)
        *key = text_key(pair.target, text_key(pair.source, 1));
    else if (r->config->near == NEAR_SIMILAR)
        near_keys(key, pair);
}

static unsigned edit_side(struct block *b, struct place *place, struct strbuf scratch[2],
                          const struct edit_config *config)
{
    struct text after;
    unsigned changed = place->absent ? 0 : edits_apply(&after, scratch, text_at(b, *place), config);
    if (changed)
        *place = add_text(&b->edited, after, true);
    return changed;
}

static int block_work(void *arg, void *block, int worker, struct error *err)
{
    const struct run *r = arg;
    const struct clean_config *c = r->config;
    struct block *b = block;
    struct strbuf scratch[2] = { { 0 } };
    bool edit = edits_wanted(&c->edit);
    (void)err;
    for (int i = 0; i < b->count; i++) {
        struct item *item = &b->items[i];
        item->edits = edit ? edit_side(b, &item->source, scratch, &c->edit) |
                             edit_side(b, &item->target, scratch, &c->edit) : 0;
        struct text_pair pair = pair_at(b, i);
        item->row = filter_find(&c->filter, &r->tools[worker], pair);
        if (item->row == KEPT)
            make_keys(r, item, pair);
    }
    strbuf_release(&scratch[0]);
    strbuf_release(&scratch[1]);
    return 0;
}

/* ---- handing out ---- */

/* Tabs and line ends would break the line. */
static void write_cell(FILE *out, struct text t)
{
    for (size_t at = 0; at < t.length;) {
        size_t end = at;
        while (end < t.length && !(t.bytes[end] >= '\t' && t.bytes[end] <= '\r'))
            end++;
        fwrite(t.bytes + at, 1, end - at, out);
        if (end < t.length)
            putc(' ', out);
        at = end + 1;
    }
}

static void drop(struct run *r, int row, int64_t number, struct text_pair pair)
{
    FILE *out = r->dropped.stream;
    r->report.dropped[row]++;
    if (!out)
        return;
    fprintf(out, "%lld\t%s\t", (long long)number, filters[row].name);
    write_cell(out, pair.source);
    putc('\t', out);
    write_cell(out, pair.target);
    putc('\n', out);
}

static int copies_of(const struct corpus_source *s, struct text_pair pair)
{
    int whole = (int)s->weight;
    float rest = s->weight - (float)whole;
    if (rest <= 0)
        return whole;
    uint64_t hash = text_key(pair.target, text_key(pair.source, 99));
    return whole + ((double)(hash >> 11) * 0x1p-53 < rest);
}

static int give(struct run *r, struct text_pair pair, uint32_t corpus, int64_t number, struct error *err)
{
    const struct corpus_source *s = &r->sources.items[corpus];
    struct cleaned out = { pair, pair.source, s, copies_of(s, pair), number };
    struct strbuf tagged = { 0 };
    if (s->tag) {
        strbuf_printf(&tagged, "%s ", s->tag);
        strbuf_add(&tagged, pair.source.bytes, pair.source.length);
        out.pair.source = (struct text){ tagged.text, tagged.length };
    }
    r->report.kept++;
    int ret = r->sink->take(r->sink->arg, &out, err);
    strbuf_release(&tagged);
    return ret;
}

/* The row by which models drop a pair, or KEPT. */
static int judge_score(const struct run *r, struct pair_score s)
{
    const struct filter_config *f = &r->config->filter;
    if (f->max_cross_entropy > 0 && !(s.forward <= f->max_cross_entropy))
        return filter_row("cross_entropy");
    if (f->max_dual > 0 && !(pair_score_dual(s) <= f->max_dual))
        return filter_row("dual_cross_entropy");
    return KEPT;
}

static int score_queued(struct run *r, struct error *err)
{
    struct text_pair *pairs = xcalloc(r->queued_count + 1, sizeof *pairs);
    struct pair_score *scores = xcalloc(r->queued_count + 1, sizeof *scores);
    const char *text = r->queued_text.text;
    for (size_t i = 0; i < r->queued_count; i++) {
        const struct queued *q = &r->queued[i];
        pairs[i] = (struct text_pair){ { text + q->source, q->target - q->source },
                                       { q->paired ? text + q->target : NULL, q->end - q->target } };
    }
    int ret = r->queued_count ? r->config->scorer->score(r->config->scorer->state, scores, pairs,
                                                         r->queued_count, err) : 0;
    for (size_t i = 0; ret == 0 && i < r->queued_count; i++) {
        int row = judge_score(r, scores[i]);
        if (row == KEPT)
            ret = give(r, pairs[i], r->queued[i].corpus, r->queued[i].number, err);
        else
            drop(r, row, r->queued[i].number, pairs[i]);
    }
    free(pairs);
    free(scores);
    r->queued_count = 0;
    strbuf_reset(&r->queued_text);
    return ret;
}

static bool asks_models(const struct run *r)
{
    return r->config->filter.max_cross_entropy > 0 || r->config->filter.max_dual > 0;
}

/* A pair that is no duplicate: to the models, if they are asked, or out. */
static int pass(struct run *r, struct text_pair pair, uint32_t corpus, int64_t number,
                struct error *err)
{
    if (!asks_models(r))
        return give(r, pair, corpus, number, err);
    ARRAY_GROW(r->queued, r->queued_room, r->queued_count + 1);
    struct queued *q = &r->queued[r->queued_count++];
    *q = (struct queued){ .source = r->queued_text.length, .number = number, .corpus = corpus,
                          .paired = pair.target.bytes };
    strbuf_add(&r->queued_text, pair.source.bytes, pair.source.length);
    q->target = r->queued_text.length;
    strbuf_add(&r->queued_text, pair.target.bytes ? pair.target.bytes : "", pair.target.length);
    q->end = r->queued_text.length;
    return r->queued_count == BLOCK_PAIRS ? score_queued(r, err) : 0;
}

/* `which` key of a pair was seen: that of equal pairs comes first, if there is one. */
static int duplicate_row(const struct run *r, int which)
{
    return filter_row(which == 0 && r->config->dedup != DEDUP_NONE ? "duplicates" : "near_duplicates");
}

static int let_wait(struct run *r, struct text_pair pair, uint32_t corpus, int64_t number,
                    struct error *err)
{
    if (!r->waiting.file && spool_open(&r->waiting, waiting_folder(r->config), err) < 0)
        return -1;
    return spool_add(&r->waiting, &(struct spooled){ pair, (uint64_t)number, corpus }, err);
}

static int judge(struct run *r, const struct item *item, struct text_pair pair, int64_t number,
                 struct error *err)
{
    int which = 0, answer = DEDUP_FRESH;
    if (item->row != KEPT) {
        drop(r, item->row, number, pair);
        return 0;
    }
    if (r->key_count)
        answer = duplicates_add(r->dedup, item->keys, r->key_count, &which, err);
    if (answer == DEDUP_FRESH)
        return pass(r, pair, item->corpus, number, err);
    if (answer == DEDUP_WAITS)
        return let_wait(r, pair, item->corpus, number, err);
    if (answer == DEDUP_SEEN)
        drop(r, duplicate_row(r, which), number, pair);
    return answer < 0 ? -1 : 0;
}

static int block_write(void *arg, void *block, struct error *err)
{
    struct run *r = arg;
    const struct block *b = block;
    for (int i = 0; i < b->count; i++) {
        for (int k = 0; k < r->key_count && i + AHEAD < b->count; k++)
            duplicates_prefetch(r->dedup, b->items[i + AHEAD].keys[k]);
        for (int e = 0; b->items[i].edits >> e; e++)
            r->report.edited[e] += b->items[i].edits >> e & 1;
        if (judge(r, &b->items[i], pair_at(b, i), ++r->report.read, err) < 0)
            return -1;
    }
    progress_add(&r->progress, b->count);
    return 0;
}

/* The pairs that came when the memory for duplicates was used up. */
static int judge_waiting(struct run *r, struct error *err)
{
    struct spooled item;
    int more;
    if (!r->waiting.file)
        return 0;
    if (duplicates_finish(r->dedup, err) < 0 || spool_rewind(&r->waiting, err) < 0)
        return -1;
    for (size_t i = 0; (more = spool_next(&r->waiting, &item, err)) > 0; i++) {
        int which;
        if (interrupt_requested())
            return error_set(err, "interrupted");
        if (duplicates_verdict(r->dedup, i, &which) == DEDUP_SEEN)
            drop(r, duplicate_row(r, which), (int64_t)item.key, item.pair);
        else if (pass(r, item.pair, item.mark, (int64_t)item.key, err) < 0)
            return -1;
    }
    return more;
}

static int nothing_left(const struct run *r, struct error *err)
{
    const struct corpus_source *s = &r->sources.items[0];
    const char *what = r->config->sources ? r->config->sources : s->source;
    bool two = !r->config->sources && s->target;
    if (!r->report.read)
        return error_set(err, "empty corpus: '%s'%s%s%s hold%s no %s", what, two ? " and '" : "",
                         two ? s->target : "", two ? "'" : "", two ? "" : "s",
                         two ? "pair of sentences" : "sentence");
    return error_set(err, "no pair is left of the %lld in '%s'%s%s%s: the filters dropped all "
                          "of them; loosen them or look at the corpus", (long long)r->report.read,
                     what, two ? " and '" : "", two ? s->target : "", two ? "'" : "");
}

int clean_run(struct clean_report *report, const char *source, const char *target,
              const struct clean_config *config, const struct clean_sink *sink, struct error *err)
{
    struct run run = { .config = config, .sink = sink };
    int ret = open_run(&run, source, target, err);
    struct pipeline pipeline = {
        .threads = run.threads, .arg = &run, .block_new = block_new, .block_free = block_free,
        .read = block_read, .work = block_work, .write = block_write,
    };
    if (ret == 0 && (pipeline_run(&pipeline, err) < 0 || judge_waiting(&run, err) < 0 ||
                     (asks_models(&run) && score_queued(&run, err) < 0)))
        ret = -1;
    if (ret == 0 && run.dropped.stream)         /* most wanted where nothing is left */
        ret = outfile_commit(&run.dropped, err);
    if (ret == 0 && !run.report.kept)
        ret = nothing_left(&run, err);
    if (ret == 0)
        *report = run.report;
    close_run(&run);
    return ret;
}
