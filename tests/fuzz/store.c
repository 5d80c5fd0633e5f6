/* A store whose header's checksum is right, since a wrong one would end the matter. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "corpora/store.h"
#include "corpora/store_format.h"

int fuzz_store(const uint8_t *data, size_t size)
{
    struct store_header header;
    uint8_t *bytes = xmalloc(size + 1);
    int32_t sum = 0;
    memcpy(bytes, data, size);
    if (size >= sizeof header) {
        memcpy(&header, data, sizeof header);
        header.header_checksum = store_header_checksum(&header);
        memcpy(bytes, &header, sizeof header);
    }
    struct store *s = store_open(fuzz_file(bytes, size), false, NULL);
    for (int64_t i = 0; s && i < store_count(s); i++) {
        int count;
        const int32_t *ids = store_source(s, i, &count);
        for (int k = 0; k < count; k++)
            sum ^= ids[k];
        ids = store_target(s, i, &count);
        for (int k = 0; k < count; k++)
            sum ^= ids[k];
    }
    store_close(s);
    free(bytes);
    fuzz_use((size_t)(uint32_t)sum);
    return 0;
}
