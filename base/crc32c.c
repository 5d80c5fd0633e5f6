#include "base/crc32c.h"

#define POLYNOMIAL UINT32_C(0x82f63b78)         /* its bits from the lowest power up */

uint32_t crc32c(uint32_t crc, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    crc = ~crc;
    while (length--) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    }
    return ~crc;
}
