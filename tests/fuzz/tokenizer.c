/* Models of SentencePiece, first for our reader, then for the library. */
#include "tests/fuzz/fuzz.h"

#include "base/strbuf.h"
#include "tokenize/tokenizer.h"

int fuzz_tokenizer(const uint8_t *data, size_t size)
{
    static const char text[] = "A dog, 3 Hunde;\tein  Wörtchen ﬁ 東京 \xff.";
    struct tokenizer *t = tokenizer_from_bytes(data, size, "input", NULL);
    struct ids ids = { 0 };
    struct strbuf back = { 0 };
    struct rng rng;
    if (!t)
        return 0;
    rng_seed(&rng, 1, 0);
    tokenizer_encode(t, &ids, text, sizeof text - 1);
    tokenizer_sample(t, &ids, text, sizeof text - 1, 4, 0.1f, &rng);
    tokenizer_decode(t, &back, ids.items, ids.count);
    tokenizer_encode_pieces(t, &back, text, sizeof text - 1);
    ids_release(&ids);
    strbuf_release(&back);
    tokenizer_free(t);
    return 0;
}
