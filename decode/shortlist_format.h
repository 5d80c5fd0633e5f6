#ifndef DECODE_SHORTLIST_FORMAT_H
#define DECODE_SHORTLIST_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* The file that shortlist.c reads and shortlist_build.c writes; little-endian.
 *
 *   byte 0        +--------------------------------------------------------------+
 *                 | struct shortlist_header                              96 bytes |
 *   byte 96       +--------------------------------------------------------------+
 *                 | bounds, uint64 × (source pieces + 1): where each piece's     |
 *                 |   translations begin, counted in entries                     |
 *                 +--------------------------------------------------------------+
 *                 | target ids, int32 × entries: of each source piece in turn,   |
 *                 |   likeliest first                                            |
 *                 +--------------------------------------------------------------+
 *                 | p(target | source), float × entries                          |
 *                 +--------------------------------------------------------------+
 *                 | target ids, int32 × frequent: the pieces seen most often,    |
 *                 |   most frequent first                                        |
 *   end of file   +--------------------------------------------------------------+
 *
 * body_checksum is XXH3 of all that follows the header. */
#define SHORTLIST_MAGIC "cohosl\n"      /* and its zero */
#define SHORTLIST_VERSION 1

struct shortlist_header {
    char magic[8];
    uint32_t version;
    uint32_t header_size;
    uint64_t source_vocab, target_vocab;        /* tokenizer_fingerprint of each side */
    uint64_t source_pieces, target_pieces;
    uint64_t entries, frequent;
    uint64_t corpus;                            /* store_fingerprint of what it was learnt from */
    uint64_t reserved;                          /* 0 */
    uint64_t body_checksum;
    uint64_t header_checksum;                   /* of all fields before it; the last field */
};

#endif
