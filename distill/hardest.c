/* A ring of losses and its quantiles. */
#include "distill/hardest.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

void hardest_init(struct hardest *h, int room)
{
    *h = (struct hardest){ .room = room };
    h->nll = xcalloc((size_t)room, sizeof *h->nll);
    h->scratch = xcalloc((size_t)room, sizeof *h->scratch);
}

void hardest_release(struct hardest *h)
{
    free(h->nll);
    free(h->scratch);
    *h = (struct hardest){ 0 };
}

void hardest_add(struct hardest *h, float nll)
{
    h->nll[h->next] = nll;
    h->next = (h->next + 1) % h->room;
    if (h->count < h->room)
        h->count++;
}

void hardest_clear(struct hardest *h)
{
    h->count = h->next = 0;
}

static void swap(float *a, float *b)
{
    float t = *a;
    *a = *b;
    *b = t;
}

/* The kth largest (from 0) of n, which are moved about (Hoare 1961). */
static float kth_largest(float *x, int n, int k)
{
    int low = 0, high = n - 1;
    while (low < high) {
        float pivot = x[low + (high - low) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (x[i] > pivot)
                i++;
            while (x[j] < pivot)
                j--;
            if (i <= j)
                swap(&x[i++], &x[j--]);
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return x[k];
}

float hardest_threshold(struct hardest *h, float share)
{
    int wanted = (int)lrintf(share * (float)h->count);
    if (share <= 0)
        return INFINITY;
    if (share >= 1 || h->count == 0)
        return -INFINITY;
    if (wanted < 1)
        wanted = 1;
    memcpy(h->scratch, h->nll, (size_t)h->count * sizeof *h->nll);
    return kth_largest(h->scratch, h->count, wanted - 1);
}

/* The floats bit by bit: eight hexadecimal digits each, the oldest first. */
json_t *hardest_save(const struct hardest *h)
{
    char *text = xmalloc((size_t)h->count * 8 + 1);
    for (int i = 0; i < h->count; i++) {
        int at = h->count < h->room ? i : (h->next + i) % h->room;
        uint32_t bits;
        memcpy(&bits, &h->nll[at], sizeof bits);
        snprintf(text + 8 * (size_t)i, 9, "%08x", bits);
    }
    text[(size_t)h->count * 8] = '\0';
    json_t *it = json_string(text);
    free(text);
    return it;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int damaged(struct error *err)
{
    return error_set(err, "the queue of losses in the checkpoint is damaged");
}

int hardest_restore(struct hardest *h, const json_t *state, struct error *err)
{
    const char *text = json_string_value(state);
    size_t length = text ? strlen(text) : 1;
    hardest_clear(h);
    if (length % 8)
        return damaged(err);
    for (; *text; text += 8) {
        uint32_t bits = 0;
        float nll;
        for (int i = 0; i < 8; i++) {
            if (digit(text[i]) < 0)
                return damaged(err);
            bits = bits << 4 | (uint32_t)digit(text[i]);
        }
        memcpy(&nll, &bits, sizeof nll);
        hardest_add(h, nll);
    }
    return 0;
}
