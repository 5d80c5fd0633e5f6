/* A shard whose header's checksum is right, since a wrong one would end the matter. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "corpora/soft_format.h"
#include "corpora/soft_targets.h"

#define SENTENCES_MOST 4096

int fuzz_soft_targets(const uint8_t *data, size_t size)
{
    struct soft_header header;
    struct soft_rows rows = { 0 };
    uint8_t *bytes = xmalloc(size + 1);
    memcpy(bytes, data, size);
    if (size >= sizeof header) {
        memcpy(&header, data, sizeof header);
        header.header_checksum = soft_header_checksum(&header);
        memcpy(bytes, &header, sizeof header);
    }
    struct soft_targets *s = soft_targets_open(fuzz_file(bytes, size), false, NULL);
    for (int64_t i = 0; s && i < soft_targets_info(s)->sentences && i < SENTENCES_MOST; i++)
        soft_rows_add(&rows, s, i, 3);
    soft_rows_release(&rows);
    soft_targets_close(s);
    free(bytes);
    return 0;
}
