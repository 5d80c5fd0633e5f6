/* The line of keys from 0 to 2^64 is cut into test, dev, train and what is left out. */
#include "corpora/split.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define FIELD(member) offsetof(struct split_config, member)
const struct option split_options[] = {
    { "test", OPTION_STRING, FIELD(test), "2000", 0, 0,
      "size of the test set: pairs (2000) or a share (1%)" },
    { "dev", OPTION_STRING, FIELD(dev), "2000", 0, 0,
      "size of the development set: pairs or a share" },
    { "train", OPTION_STRING, FIELD(train), "rest", 0, 0,
      "size of the training set: pairs, a share, or rest" },
    { "split-seed", OPTION_LONG, FIELD(seed), "1", 0, 0,
      "seed of the hash that divides the sources" },
    { 0 }
};

const char *const split_names[SPLIT_SETS] = {
    [SPLIT_TEST] = "test", [SPLIT_DEV] = "dev", [SPLIT_TRAIN] = "train"
};

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

struct size {
    bool rest;
    double pairs, share;        /* the one that was not given is 0 */
};

static int size_parse(struct size *out, const char *name, const char *text, struct error *err)
{
    static const struct { const char *sign; double factor; } shares[] = {
        { "%", 0.01 }, { "‰", 0.001 }
    };
    char *end;
    *out = (struct size){ .rest = !strcmp(text, "rest") };
    if (out->rest)
        return 0;
    double number = strtod(text, &end);
    bool good = end != text && number >= 0;
    if (good && !*end && number < 1e18 && number == (double)(int64_t)number) {
        out->pairs = number;
        return 0;
    }
    for (size_t i = 0; good && i < sizeof shares / sizeof *shares; i++)
        if (!strcmp(end, shares[i].sign) && number * shares[i].factor <= 1) {
            out->share = number * shares[i].factor;
            return 0;
        }
    return error_set(err, "size '%s' of the %s set is neither a number of pairs (2000) nor a "
                          "share (1%%, 5‰) nor 'rest'", text, name);
}

static size_t first_at_least(const uint64_t *keys, size_t count, uint64_t limit)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (keys[middle] < limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The limit above `from` below which so many more keys lie. */
static int limit_of_pairs(uint64_t *limit, const char *name, size_t wanted, uint64_t from,
                          const uint64_t *keys, size_t count, struct error *err)
{
    size_t taken = first_at_least(keys, count, from);
    if (wanted > count - taken)
        return error_set(err, "cannot take %zu pairs for the %s set: only %zu of %zu are left; "
                              "ask for less", wanted, name, count - taken, count);
    if (!wanted)
        *limit = from;
    else
        *limit = keys[taken + wanted - 1] == UINT64_MAX ? UINT64_MAX
                                                        : keys[taken + wanted - 1] + 1;
    return 0;
}

static uint64_t limit_of_share(double share, uint64_t from)
{
    double limit = (double)from + share * 0x1p64;
    return limit >= 0x1p64 ? UINT64_MAX : (uint64_t)limit;
}

int split_plan(struct split_plan *out, uint64_t *keys, size_t count,
               const struct split_config *config, struct error *err)
{
    const char *sizes[SPLIT_SETS] = { config->test, config->dev, config->train };
    struct split_plan plan = { 0 };
    uint64_t from = 0;
    qsort(keys, count, sizeof *keys, ascending);
    for (int set = 0; set < SPLIT_SETS; set++) {
        struct size size;
        if (size_parse(&size, split_names[set], sizes[set], err) < 0)
            return -1;
        if (size.rest)
            plan.limit[set] = UINT64_MAX;
        else if (size.share > 0)
            plan.limit[set] = limit_of_share(size.share, from);
        else if (limit_of_pairs(&plan.limit[set], split_names[set], (size_t)size.pairs, from,
                                keys, count, err) < 0)
            return -1;
        from = plan.limit[set];
    }
    if (first_at_least(keys, count, plan.limit[SPLIT_DEV]) == count)
        return error_set(err, "nothing is left for the training set: test %s and dev %s take all "
                              "%zu pairs; ask for less", config->test, config->dev, count);
    *out = plan;
    return 0;
}

int split_find(const struct split_plan *plan, uint64_t key)
{
    for (int set = 0; set < SPLIT_SETS; set++)
        if (key < plan->limit[set] ||
            (key == UINT64_MAX && plan->limit[set] == UINT64_MAX))
            return set;
    return SPLIT_LEFT_OUT;
}
