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

/* The same, of bytes that come piece by piece: the digest is that of all so far, equal to what
 * hash_file gives for a file of them. */
struct hash_stream;
struct hash_stream *hash_stream_new(void);
void hash_stream_add(struct hash_stream *s, const void *bytes, size_t length);
uint64_t hash_stream_digest(const struct hash_stream *s);
void hash_stream_reset(struct hash_stream *s);
void hash_stream_free(struct hash_stream *s);

#endif
