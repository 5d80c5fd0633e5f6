/* Sentences by falling length, stably, by counting; then their rows step by step. */
#include "tensor/timeline.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"

static int32_t *numbers(struct arena *arena, int count)
{
    return arena_zeroed(arena, ((size_t)count + 1) * sizeof(int32_t));
}

/* after[n]: how many sentences are longer than n tokens, which is how many are alive at step n. */
static int32_t *count_longer(struct arena *arena, const int32_t *starts, int B, int T)
{
    int32_t *longer = numbers(arena, T + 1);
    for (int b = 0; b < B; b++)
        longer[starts[b + 1] - starts[b] - 1]++;
    for (int n = T - 1; n > 0; n--)
        longer[n - 1] += longer[n];
    return longer;
}

static int longest(const int32_t *starts, int B)
{
    int T = 0;
    for (int b = 0; b < B; b++) {
        int length = starts[b + 1] - starts[b];
        assert(length > 0);
        T = length > T ? length : T;
    }
    return T;
}

const struct timeline *timeline_new(struct arena *arena, const int32_t *starts, int B)
{
    int T = longest(starts, B), N = starts[B];
    struct timeline *line = arena_take(arena, sizeof *line);
    int32_t *start = numbers(arena, T), *sentence = numbers(arena, B);
    int32_t *first = numbers(arena, B), *last = numbers(arena, B);
    int32_t *row = numbers(arena, N), *place = numbers(arena, N);
    int32_t *alive = count_longer(arena, starts, B, T), *next = numbers(arena, T);

    for (int t = 0; t < T; t++) {
        start[t + 1] = start[t] + alive[t];
        next[t] = t + 1 < T ? alive[t + 1] : 0;        /* the first rank that ends at step t */
    }
    for (int b = 0; b < B; b++) {
        int length = starts[b + 1] - starts[b], rank = next[length - 1]++;
        sentence[rank] = b;
        first[b] = rank;
        last[b] = start[length - 1] + rank;
        for (int t = 0; t < length; t++) {
            row[start[t] + rank] = starts[b] + t;
            place[starts[b] + t] = start[t] + rank;
        }
    }
    *line = (struct timeline){ B, T, N, start, sentence, row, place, first, last, starts };
    return line;
}
