/* Facts, edits and filters of any bytes: a line is a side, pairs are lines 1 and 2, 3 and 4 … */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "corpora/edit.h"
#include "corpora/filter.h"
#include "corpora/moses.h"
#include "corpora/near.h"
#include "corpora/noise.h"

static void look(struct text_pair pair, const struct filter_tools *tools)
{
    static const struct edit_config edit = { true, true, true };
    static const struct filter_config config = {
        .drop_identical = true, .max_words = 1000, .max_ratio = 1000, .max_character_ratio = 1000,
        .min_script = 0.01f, .min_letters = 0.001f, .max_punctuation = 0.999f, .min_numbers = 0.1f,
        .drop_links = true, .drop_markup = true, .drop_tokenized = true, .max_noise = 1000,
    };
    struct strbuf scratch[2] = { { 0 } };
    uint64_t keys[NEAR_KEYS];
    struct text after;
    filter_find(&config, tools, pair);
    near_keys(keys, pair);
    edits_apply(&after, scratch, pair.source, &edit);
    if (after.length && utf8_valid_prefix(after.bytes, after.length) != after.length)
        abort();                        /* mended text is UTF-8 */
    strbuf_reset(&scratch[0]);
    moses_unescape(&scratch[0], pair.target);
    if (scratch[0].length > pair.target.length)
        abort();                        /* signs are shorter than their escapes */
    strbuf_release(&scratch[0]);
    strbuf_release(&scratch[1]);
}

int fuzz_clean(const uint8_t *data, size_t size)
{
    static struct noise_model *noise;
    struct text rest = { (const char *)data, size }, sides[2];
    int side = 0;
    if (!noise) {                       /* learnt once: it is large */
        noise = noise_new();
        noise_learn(noise, text_of("Some text to learn what text is like."));
        noise_finish(noise);
    }
    struct filter_tools tools = { .scripts = { language_scripts("de"), language_scripts("ja") },
                                  .noise = { noise, noise } };
    while (rest.length) {
        const char *end = memchr(rest.bytes, '\n', rest.length);
        size_t length = end ? (size_t)(end - rest.bytes) : rest.length;
        sides[side] = (struct text){ rest.bytes, length };
        if (side)
            look((struct text_pair){ sides[0], sides[1] }, &tools);
        side = !side;
        length += end != NULL;
        rest = (struct text){ rest.bytes + length, rest.length - length };
    }
    return 0;
}
