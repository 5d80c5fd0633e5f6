#ifndef CORPORA_SOFT_FORMAT_H
#define CORPORA_SOFT_FORMAT_H

#include <stdint.h>

/* The file that soft_targets.c reads and soft_writer.c writes; little-endian.
 *
 *   byte 0        +--------------------------------------------------------------+
 *                 | struct soft_header                                 136 bytes |
 *   byte 136      +--------------------------------------------------------------+
 *                 | what made it, as JSON (about_size bytes)                     |
 *   entries_at    +--------------------------------------------------------------+
 *                 | row by row: ids, uint16 or uint32 (id_size) × n;             |
 *                 |             log-probabilities, half precision × n            |
 *                 | (zero bytes, as needed for alignment to 8)                   |
 *   rows_at       +--------------------------------------------------------------+
 *                 | struct soft_row × rows                                       |
 *                 | (zero bytes, as needed for alignment to 8)                   |
 *   sentences_at  +--------------------------------------------------------------+
 *                 | struct soft_sentence × (sentences + 1); the last one's       |
 *                 |   `row` and `entry` are the numbers of all, its hash 0       |
 *   end of file   +--------------------------------------------------------------+
 *
 * Logarithms, since half precision then gives every probability to within half a percent, and
 * the large ones, whose logarithm is near 0, to within much less.
 *
 * Everything behind the header is the body, checksummed as one. */
#define SOFT_MAGIC "cohosoft"
#define SOFT_VERSION 1

struct soft_header {
    char magic[8];
    uint32_t version, header_size;
    uint64_t first, sentences, rows, entries, missing;
    uint32_t vocab, id_size;
    uint32_t k;
    float mass, temperature;
    uint32_t about_size;
    uint64_t source_vocab, target_vocab, teacher;
    uint64_t rows_at, sentences_at;
    uint64_t body_checksum;
    uint64_t header_checksum;               /* of all fields before it; the last field */
};

struct soft_row {
    uint16_t entries;
    uint16_t tail, gold;                    /* logarithms at half precision */
};

struct soft_sentence {
    uint64_t row, entry;                    /* where it starts, counted from the file's first */
    uint64_t hash;                          /* soft_hash of the pair */
};

/* The fingerprint of a pair's ids. */
uint64_t soft_hash(const int32_t *source, int source_count, const int32_t *target, int target_count);

uint64_t soft_header_checksum(const struct soft_header *header);

#endif
