/* Matrices as bits and values. */
#include "seq2seq/sparse.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "seq2seq/safetensors.h"

static bool is_zero(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits == 0;
}

static size_t bit_bytes(size_t n)
{
    return (n + 7) / 8;
}

size_t sparse_count(const float *w, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += !is_zero(w[i]);
    return count;
}

bool sparse_saves(const float *w, size_t n)
{
    size_t dense = n * sizeof(float), sparse = sparse_count(w, n) * sizeof(float) + bit_bytes(n);
    return sparse <= dense - dense / 8;
}

void sparse_split(float *values, uint8_t *bits, const float *w, size_t n)
{
    memset(bits, 0, bit_bytes(n));
    for (size_t i = 0; i < n; i++)
        if (!is_zero(w[i])) {
            bits[i / 8] |= (uint8_t)(1u << i % 8);
            *values++ = w[i];
        }
}

static char *bits_name(const char *name)
{
    return xasprintf("%s.bits", name);
}

bool sparse_is(const struct safetensors *st, const char *name)
{
    char *bits = bits_name(name);
    bool found = safetensors_has(st, bits);
    free(bits);
    return found;
}

/* How many values the bits announce; -1: a bit beyond the end. */
static int64_t announced(const uint8_t *bits, size_t n)
{
    int64_t count = 0;
    for (size_t i = 0; i < bit_bytes(n); i++)
        count += __builtin_popcount(bits[i]);
    return n % 8 && bits[n / 8] >> n % 8 ? -1 : count;
}

static void join(float *out, size_t n, const uint8_t *bits, const unsigned char *values)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = 0;
        if (bits[i / 8] >> i % 8 & 1) {
            memcpy(&out[i], values, sizeof *out);       /* as it lies in the file */
            values += sizeof *out;
        }
    }
}

int sparse_read(float *out, size_t n, const struct safetensors *st, const char *name, struct error *err)
{
    char *bits_of = bits_name(name), *values_of = xasprintf("%s.values", name);
    const uint8_t *bits = safetensors_find_as(st, DTYPE_U8, bits_of, 0, (int64_t)bit_bytes(n), err);
    const void *values = NULL;
    int64_t count = bits ? announced(bits, n) : 0;
    if (count < 0)
        error_set(err, "'%s' is damaged: tensor '%s' has bits beyond its %zu numbers", st->path, bits_of, n);
    else if (bits)
        values = safetensors_find(st, values_of, 0, count, err);
    if (values)
        join(out, n, bits, values);
    free(bits_of);
    free(values_of);
    return values ? 0 : -1;
}
