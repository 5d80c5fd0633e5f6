#ifndef CORPORA_STORE_FORMAT_H
#define CORPORA_STORE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* The file that store.c reads and store_writer.c writes; little-endian.
 *
 *   byte 0        +--------------------------------------------------------------+
 *                 | struct store_header                                  96 bytes |
 *   byte 96       +--------------------------------------------------------------+
 *                 | ids, int32: source of pair 0, target of pair 0,              |
 *                 |             source of pair 1, target of pair 1, …            |
 *                 | (4 zero bytes, if needed for alignment to 8)                 |
 *   bounds_at     +--------------------------------------------------------------+
 *                 | bounds, uint64 × (2 × pairs + 1): where each side starts,    |
 *                 |   counted in ids; the last one is the number of all ids.     |
 *                 |   pair i: source bounds[2i] … bounds[2i+1]-1,                |
 *                 |           target bounds[2i+1] … bounds[2i+2]-1               |
 *   end of file   +--------------------------------------------------------------+
 *
 * Everything behind the header is the body.  Its checksum is also the fingerprint of the ids
 * and their order: it depends on nothing else.  Ids stay 32 bits wide although 16 would do for
 * most vocabularies, so that a reader can hand out pointers into the mapped file.
 *
 * The bounds stand at the end because a writer that streams learns them last. */
#define STORE_MAGIC "cohoids\n"
#define STORE_VERSION 1

struct store_header {
    char magic[8];
    uint32_t version;
    uint32_t header_size;
    uint64_t pairs;
    uint64_t source_tokens, target_tokens;
    uint64_t source_vocab, target_vocab;    /* tokenizer_fingerprint of each side */
    uint64_t bounds_at;
    uint64_t body_checksum;
    uint64_t reserved[2];                   /* 0 */
    uint64_t header_checksum;               /* of all fields before it; the last field */
};

/* The checksum of a body: XXH3 of each block of this size, seeded with the checksum of the
 * block before, so that it can be computed while the body is being written. */
#define STORE_BLOCK ((size_t)1 << 20)

uint64_t store_header_checksum(const struct store_header *header);

#endif
