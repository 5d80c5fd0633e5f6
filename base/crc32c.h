#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli), as TensorFlow's record files, iSCSI and ext4 use it.  `crc` is that of the
 * bytes before these, 0 at the start. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t length);

#endif
