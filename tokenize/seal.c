#include "tokenize/seal.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/strbuf.h"

static const unsigned char mark[] = { 0x82, 0xe8, 0x07, sizeof(uint64_t) };

#define SEAL_BYTES (sizeof mark + sizeof(uint64_t))

void seal_add(struct strbuf *model)
{
    uint64_t sum = hash_bytes(model->text, model->length, 0);
    strbuf_add(model, mark, sizeof mark);
    strbuf_add(model, &sum, sizeof sum);
}

int seal_check(const void *bytes, size_t length, const char *path, struct error *err)
{
    uint64_t stated;
    if (length < SEAL_BYTES)
        return 0;
    const unsigned char *seal = (const unsigned char *)bytes + length - SEAL_BYTES;
    memcpy(&stated, seal + sizeof mark, sizeof stated);
    bool marked = !memcmp(seal, mark, sizeof mark), right = stated == hash_bytes(bytes, length - SEAL_BYTES, 0);
    if (marked == right)                /* a right sum without the mark: that is where the damage is */
        return 0;
    return error_set(err, "SentencePiece model '%s' is damaged: its checksum does not match; copy or train it again",
                     path);
}
