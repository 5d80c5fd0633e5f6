/* Batches from a store: the plan of an epoch, and a position within it.
 *
 * A plan is a permutation of the kept sentences, `order`, cut into batches by `start`, and an
 * order in which the batches are handed out.  For epoch e of seed s:
 *
 *   1. shuffle the sentences by (s, e);
 *   2. cut them into windows of about WINDOW_BATCHES batches and sort each by target length,
 *      equals staying as shuffled; every second window rises where the others fall, so that
 *      lengths meet at the seams;
 *   3. fill batches from the front as long as the budget lasts;
 *   4. sort within each batch (longest target first), and shuffle the batches.
 *
 * With a shuffle window the sentences of step 1 are those of a part of the epoch: of blocks of
 * neighbours, which are shuffled by (s, e) and dealt out to the parts.
 *
 * A plan depends on the store, the options, the seed, the epoch and the part alone, so a position is
 * three numbers.  Windows keep batches from being made of the same sentences in every epoch, as a
 * sort of the whole corpus by length would. */
#include "corpora/batching.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "corpora/store.h"

#define WINDOW_BATCHES 32
#define BLOCKS_A_PART 64
#define WINDOW_MOST ((size_t)1 << 20)       /* sentences: bounds the scratch of a sort */

#define FIELD(member) offsetof(struct batching_config, member)
const struct option batching_options[] = {
    { "batch-tokens", OPTION_INT, FIELD(batch_tokens), "0", 0, 1e8,
      "target tokens a batch at most; 0: 4000, or as many as --memory holds" },
    { "batch-source-tokens", OPTION_INT, FIELD(batch_source_tokens), "0", 0, 1e8,
      "source tokens a batch at most; 0: 1.5 times batch-tokens" },
    { "batch-sentences", OPTION_INT, FIELD(batch_sentences), "0", 0, 1e8,
      "sentences a batch at most; 0: any number" },
    { "max-length", OPTION_INT, FIELD(max_length), "256", 1, 1e6,
      "pairs with a side of more tokens are skipped and counted" },
    { "shuffle-window", OPTION_LONG, FIELD(shuffle_window), "0", 0, 0,
      "pairs that are shuffled together, taken in blocks from all over the corpus, for corpora larger "
      "than memory; 0: all" },
    { "shuffle", OPTION_FLAG, FIELD(shuffle), "true", 0, 0,
      "batches of like length in a new order each epoch, not the order of the corpus" },
    { 0 }
};

struct batching {
    const struct store *store;
    struct batching_config config;
    int64_t source_budget;
    int32_t bos, eos;
    int64_t kept, target_tokens;            /* an epoch's sentences and tokens */
    int share_first, share_count, share_total;      /* the parts of a batch that are wanted */
    int64_t *loads;                         /* of all parts; NULL: the whole batch is wanted */

    int64_t parts, part_blocks, block_pairs, block_count;   /* of an epoch; of a part; of a block */
    int64_t epoch, part, next;              /* the position: `next` batches of the part are behind us */
    int64_t planned, planned_part;          /* the epoch and part of the plan below; -1: none */
    int64_t *blocks;                        /* their order in the epoch `blocks_of`; NULL: one part */
    int64_t blocks_of;
    int64_t listed;                         /* sentences of the part */
    int64_t *order;                         /* kept sentences in the order of their batches */
    int64_t *start;                         /* batch i: order[start[i]] … order[start[i+1]-1] */
    uint32_t *turn;                         /* the i-th batch handed out is number turn[i] */
    size_t batches, start_room, turn_room;
};

/* Tokens with </s>. */
static int source_length(const struct batching *b, int64_t index)
{
    int count;
    store_source(b->store, index, &count);
    return count + 1;
}

static int target_length(const struct batching *b, int64_t index)
{
    int count;
    store_target(b->store, index, &count);
    return b->config.labels ? count / 2 : count + 1;
}

/* What bucketing goes by. */
static int sort_length(const struct batching *b, int64_t index)
{
    return b->config.labels ? source_length(b, index) : target_length(b, index);
}

static bool is_kept(const struct batching *b, int64_t index)
{
    int source = source_length(b, index) - 1, target = target_length(b, index) - !b->config.labels;
    return source && target && source <= b->config.max_length && target <= b->config.max_length;
}

static void list_block(struct batching *b, int64_t from, int64_t end)
{
    for (int64_t i = from; i < end; i++)
        if (is_kept(b, i))
            b->order[b->listed++] = i;
}

/* The order of blocks in an epoch. */
static void order_blocks(struct batching *b, int64_t epoch)
{
    struct rng rng;
    if (b->blocks_of == epoch)
        return;
    for (int64_t i = 0; i < b->block_count; i++)
        b->blocks[i] = i;
    rng_seed(&rng, rng_stream((uint64_t)b->config.seed, "blocks"), (uint64_t)epoch);
    if (b->config.shuffle)
        rng_shuffle(&rng, b->blocks, (size_t)b->block_count, sizeof *b->blocks);
    b->blocks_of = epoch;
}

/* The kept sentences of a part of the epoch. */
static void list_kept(struct batching *b, int64_t epoch, int64_t part)
{
    int64_t count = store_count(b->store);
    b->listed = 0;
    if (b->parts == 1) {
        list_block(b, 0, count);
        return;
    }
    order_blocks(b, epoch);
    for (int64_t i = part * b->part_blocks; i < b->block_count && i < (part + 1) * b->part_blocks; i++) {
        int64_t from = b->blocks[i] * b->block_pairs, end = from + b->block_pairs;
        list_block(b, from, end < count ? end : count);
    }
}

/* Step 2: windows of like length. */

static int descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

struct window_scratch {
    uint64_t *keys;
    int64_t *order;
    size_t key_room, order_room;
};

/* Sentences from `first` on that fill a window. */
static size_t window_count(const struct batching *b, int64_t first)
{
    int64_t budget = (int64_t)WINDOW_BATCHES * b->config.batch_tokens, tokens = 0;
    size_t count = 0;
    while (first + (int64_t)count < b->listed && count < WINDOW_MOST && tokens < budget)
        tokens += sort_length(b, b->order[first + (int64_t)count++]);
    return count;
}

/* A key holds the length above the place in the window, so no two are equal. */
static void window_sort(const struct batching *b, int64_t *order, size_t count, bool rising,
                        struct window_scratch *s)
{
    ARRAY_GROW(s->keys, s->key_room, count);
    ARRAY_GROW(s->order, s->order_room, count);
    memcpy(s->order, order, count * sizeof *order);
    for (size_t i = 0; i < count; i++)
        s->keys[i] = (uint64_t)sort_length(b, order[i]) << 32 | i;
    qsort(s->keys, count, sizeof *s->keys, descending);
    for (size_t i = 0; i < count; i++)
        order[rising ? count - 1 - i : i] = s->order[s->keys[i] & UINT32_MAX];
}

static void sort_windows(struct batching *b)
{
    struct window_scratch scratch = { 0 };
    bool rising = false;
    size_t count;
    for (int64_t first = 0; first < b->listed; first += (int64_t)count, rising = !rising) {
        count = window_count(b, first);
        window_sort(b, b->order + first, count, rising, &scratch);
    }
    free(scratch.keys);
    free(scratch.order);
}

/* Step 3: batches under the budget. */

/* Where the batch that starts at `first` ends; it has one sentence at least. */
static int64_t batch_end(const struct batching *b, int64_t first)
{
    int64_t source = 0, target = 0, i = first;
    for (; i < b->listed; i++) {
        source += source_length(b, b->order[i]);
        target += target_length(b, b->order[i]);
        bool over = target > b->config.batch_tokens || source > b->source_budget;
        bool full = b->config.batch_sentences && i - first == b->config.batch_sentences;
        if (i > first && (over || full))
            break;
    }
    return i;
}

static void cut_batches(struct batching *b)
{
    b->batches = 0;
    ARRAY_GROW(b->start, b->start_room, 1);
    for (int64_t first = 0; first < b->listed; first = batch_end(b, first)) {
        ARRAY_GROW(b->start, b->start_room, b->batches + 2);
        ARRAY_GROW(b->turn, b->turn_room, b->batches + 1);
        b->start[b->batches] = first;
        b->turn[b->batches] = (uint32_t)b->batches;
        b->batches++;
    }
    b->start[b->batches] = b->listed;
}

/* Step 4: longest target first within a batch. */

static int longest_first(const void *x, const void *y, void *arg)
{
    int64_t i = *(const int64_t *)x, k = *(const int64_t *)y;
    int target = target_length(arg, k) - target_length(arg, i);
    int source = source_length(arg, k) - source_length(arg, i);
    return target ? target : source ? source : (i > k) - (i < k);
}

static void sort_batches(struct batching *b)
{
    for (size_t i = 0; i < b->batches; i++)
        qsort_r(b->order + b->start[i], (size_t)(b->start[i + 1] - b->start[i]),
                sizeof *b->order, longest_first, b);
}

static void plan(struct batching *b, int64_t epoch, int64_t part)
{
    struct rng rng;
    if (b->planned == epoch && b->planned_part == part)
        return;
    rng_seed(&rng, rng_stream((uint64_t)b->config.seed, "order"), (uint64_t)epoch);
    if (part)
        rng_seed(&rng, rng_stream((uint64_t)b->config.seed, "part"), rng_mix((uint64_t)epoch) ^ (uint64_t)part);
    list_kept(b, epoch, part);
    if (b->config.shuffle) {
        rng_shuffle(&rng, b->order, (size_t)b->listed, sizeof *b->order);
        sort_windows(b);
    }
    cut_batches(b);
    if (b->config.shuffle) {
        sort_batches(b);
        rng_shuffle(&rng, b->turn, b->batches, sizeof *b->turn);
    }
    b->planned = epoch;
    b->planned_part = part;
}

static void fill_one(const struct batching *b, struct batch *out, int64_t index)
{
    int source_count, target_count;
    const int32_t *source = store_source(b->store, index, &source_count);
    const int32_t *target = store_target(b->store, index, &target_count);
    float weight = b->config.weights ? b->config.weights[index] : 1;
    if (b->config.labels)
        batch_add_labels(out, source, source_count, target, target_count / 2, b->eos, index, weight);
    else
        batch_add(out, source, source_count, target, target_count, b->bos, b->eos, index, weight);
}

static void fill(const struct batching *b, struct batch *out, size_t batch)
{
    batch_reset(out);
    for (int64_t i = b->start[batch]; i < b->start[batch + 1]; i++)
        fill_one(b, out, b->order[i]);
}

/* Only the sentences of our share are read. */
static void fill_share(const struct batching *b, struct batch *out, size_t batch)
{
    batch_reset(out);
    memset(b->loads, 0, (size_t)b->share_total * sizeof *b->loads);
    for (int64_t i = b->start[batch]; i < b->start[batch + 1]; i++) {
        int64_t index = b->order[i];
        int part = loads_place(b->loads, b->share_total, source_length(b, index) + target_length(b, index));
        if (part >= b->share_first && part < b->share_first + b->share_count)
            fill_one(b, out, index);
    }
}

/* The batch source. */

static int batching_next(void *state, struct batch *out, struct error *err)
{
    struct batching *b = state;
    (void)err;
    plan(b, b->epoch, b->part);
    while (b->next == (int64_t)b->batches && b->part + 1 < b->parts) {
        b->next = 0;
        plan(b, b->epoch, ++b->part);
    }
    if (b->next < (int64_t)b->batches) {
        (b->loads ? fill_share : fill)(b, out, b->turn[b->next++]);
        return 1;
    }
    batch_reset(out);
    b->epoch++;
    b->part = b->next = 0;
    return 0;
}

static int batching_share(void *state, int first, int count, int total)
{
    struct batching *b = state;
    b->share_first = first;
    b->share_count = count;
    b->share_total = total;
    free(b->loads);
    b->loads = xcalloc((size_t)total, sizeof *b->loads);
    return 0;
}

static json_t *options_of(struct batching *b)
{
    return options_to_json((struct option_group[]){ { NULL, batching_options, &b->config },
                                                    { NULL, NULL, NULL } });
}

static json_t *batching_save(void *state)
{
    struct batching *b = state;
    char corpus[HASH_TEXT];
    hash_text(corpus, store_fingerprint(b->store));
    return json_pack("{s:I, s:I, s:I, s:I, s:s, s:o}", "epoch", (json_int_t)b->epoch,
                     "part", (json_int_t)b->part, "batch", (json_int_t)b->next, "seed", (json_int_t)b->config.seed,
                     "corpus", corpus, "options", options_of(b));
}

/* The first option that differs ends the matter. */
static int check_options(struct batching *b, json_t *saved, struct error *err)
{
    json_t *now = options_of(b), *value;
    const char *name;
    int ret = 0;
    json_object_foreach(now, name, value) {
        json_t *then = json_object_get(saved, name);
        if (json_equal(value, then))
            continue;
        char *was = then ? json_dumps(then, JSON_ENCODE_ANY) : NULL;
        char *is = json_dumps(value, JSON_ENCODE_ANY);
        ret = error_set(err, "cannot resume: %s was %s and is %s now; resume with the old value "
                             "or start again", name, was ? was : "not set", is);
        free(was);
        free(is);
        break;
    }
    json_decref(now);
    return ret;
}

static int check_corpus(const struct batching *b, const char *saved, struct error *err)
{
    char now[HASH_TEXT];
    hash_text(now, store_fingerprint(b->store));
    if (!strcmp(now, saved))
        return 0;
    return error_set(err, "cannot resume: the position belongs to corpus %s and store '%s' holds "
                          "corpus %s; resume with the old corpus or start again",
                     saved, store_path(b->store), now);
}

static int batching_restore(void *state, const json_t *position, struct error *err)
{
    struct batching *b = state;
    json_int_t epoch, part = 0, next, seed;
    const char *corpus;
    json_t *options;
    if (json_is_array(json_object_get(position, "parts")))
        return error_set(err, "cannot resume: the training was of %zu corpora, and is of one now; resume with all of "
                              "them or start again", json_array_size(json_object_get(position, "parts")));
    if (json_unpack((json_t *)position, "{s:I, s?I, s:I, s:I, s:s, s:o}", "epoch", &epoch, "part", &part, "batch", &next,
                    "seed", &seed, "corpus", &corpus, "options", &options) < 0)
        return error_set(err, "cannot resume: the saved position in corpus '%s' is incomplete; "
                              "start again", store_path(b->store));
    if (check_corpus(b, corpus, err) < 0 || check_options(b, options, err) < 0)
        return -1;
    if (seed != b->config.seed)
        return error_set(err, "cannot resume: seed was %lld and is %lld now; resume with the old value "
                              "or start again", (long long)seed, (long long)b->config.seed);
    bool exists = epoch >= 0 && part >= 0 && part < b->parts;
    if (exists)
        plan(b, epoch, part);
    if (!exists || next < 0 || next > (json_int_t)b->batches)
        return error_set(err, "cannot resume: the saved position in corpus '%s' (epoch %lld, "
                              "batch %lld) does not exist; start again",
                         store_path(b->store), (long long)epoch, (long long)next);
    b->epoch = epoch;
    b->part = part;
    b->next = next;
    return 0;
}

static int64_t batching_sentences(void *state)
{
    return ((struct batching *)state)->kept;
}

static int64_t batching_tokens(void *state)
{
    return ((struct batching *)state)->target_tokens;
}

static uint64_t batching_fingerprint(void *state)
{
    return store_fingerprint(((struct batching *)state)->store);
}

static void batching_free(void *state)
{
    struct batching *b = state;
    if (!b)
        return;
    free(b->order);
    free(b->blocks);
    free(b->start);
    free(b->turn);
    free(b->loads);
    free(b);
}

static void count_kept(struct batching *b)
{
    int64_t count = store_count(b->store);
    for (int64_t i = 0; i < count; i++)
        if (is_kept(b, i)) {
            b->kept++;
            b->target_tokens += target_length(b, i);
        }
}

/* Into parts of BLOCKS_A_PART blocks, when the corpus is larger than the window. */
static void divide(struct batching *b)
{
    int64_t count = store_count(b->store), window = b->config.shuffle_window;
    b->parts = 1;
    b->blocks_of = -1;
    if (window > 0 && window < count) {
        b->block_pairs = (window + BLOCKS_A_PART - 1) / BLOCKS_A_PART;
        b->part_blocks = window / b->block_pairs;
        b->block_count = (count + b->block_pairs - 1) / b->block_pairs;
        b->parts = (b->block_count + b->part_blocks - 1) / b->part_blocks;
        b->blocks = xmalloc((size_t)b->block_count * sizeof *b->blocks);
    }
    b->order = xmalloc((size_t)(b->parts > 1 ? b->part_blocks * b->block_pairs : b->kept) * sizeof *b->order);
}

int batching_open(struct batch_source *out, const struct store *store, int32_t bos, int32_t eos,
                  const struct batching_config *config, int64_t *skipped, struct error *err)
{
    struct batching *b = xcalloc(1, sizeof *b);
    *b = (struct batching){ .store = store, .config = *config, .bos = bos, .eos = eos,
                            .planned = -1 };
    if (!b->config.batch_tokens)
        b->config.batch_tokens = BATCH_TOKENS;
    b->source_budget = config->batch_source_tokens ? config->batch_source_tokens
                                                   : b->config.batch_tokens * 3LL / 2;
    count_kept(b);
    if (!b->kept) {
        batching_free(b);
        return error_set(err, "no sentence to use in '%s': each of its %" PRId64 " pairs has an "
                              "empty side or one of more than %d tokens; raise max-length or "
                              "look at the corpus", store_path(store), store_count(store),
                         config->max_length);
    }
    divide(b);
    if (skipped)
        *skipped = store_count(store) - b->kept;
    *out = (struct batch_source){
        .state = b, .next = batching_next, .share = batching_share, .save = batching_save, .restore = batching_restore,
        .sentences = batching_sentences, .tokens = batching_tokens,
        .fingerprint = batching_fingerprint, .free = batching_free,
    };
    return 0;
}
