#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct error;

/* XXH3 fingerprints; a text form is 16 hexadecimal digits. */
#define HASH_TEXT 17

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed);
int hash_file(uint64_t *out, const char *path, struct error *err);
void hash_text(char text[HASH_TEXT], uint64_t hash);

#endif
