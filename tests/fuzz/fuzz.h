#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* A target takes any bytes as the file that its parser reads; what the parser says does not matter, that
 * it neither crashes, nor leaks, nor runs on for ever does. */
#define TARGET(name) int fuzz_##name(const uint8_t *data, size_t size);
#include "tests/fuzz/targets.h"
#undef TARGET

/* The bytes as a file in memory, by its path; the same path each time. */
const char *fuzz_file(const void *data, size_t size);

/* Keeps the compiler from leaving out the reading of what nobody needs. */
void fuzz_use(size_t value);

/* Reads all pairs that an import of a format gives.  Options as "name=value name=value". */
int fuzz_import(const char *format, const char *options, const uint8_t *data, size_t size);

#endif
