#ifndef TENSOR_TIMELINE_H
#define TENSOR_TIMELINE_H

#include <stdint.h>

struct arena;

/* Packed sentences in the order in which a recurrent layer walks them: the first token of every
 * sentence, then the second, …  Within a step the sentences stand by falling length (their place
 * there is their rank), so those that go on are always the first rows:
 *
 *     sentences      a0 a1    b0 b1 b2    c0
 *     timeline       b0 a0 c0   b1 a1   b2        start = { 0, 3, 5, 6 }, sentence = { b, a, c }
 */
struct timeline {
    int B, T, N;
    const int32_t *start;       /* (T+1) step t has the rows start[t] … start[t+1]-1 */
    const int32_t *sentence;    /* (B) which sentence each rank is */
    const int32_t *row;         /* (N) the packed row of each row of the timeline */
    const int32_t *place;       /* (N) and back: where each packed row stands in the timeline */
    const int32_t *first, *last;        /* (B) the timeline's rows of each sentence's ends */
    const int32_t *starts;      /* (B+1) of the packed sentences, as given */
};

/* In the arena; `starts` is kept.  Every sentence has a token. */
const struct timeline *timeline_new(struct arena *arena, const int32_t *starts, int B);

static inline int timeline_alive(const struct timeline *line, int t)
{
    return line->start[t + 1] - line->start[t];
}

#endif
