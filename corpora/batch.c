/* Packed batches: appending pairs, and dividing a batch among workers. */
#include "corpora/batch.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* How many elements the arrays of a batch have room for. */
struct batch_room {
    size_t source, target, sentences;
};

static size_t grown(size_t room, size_t need)
{
    size_t doubled = room < 64 ? 64 : 2 * room;
    return doubled < need ? need : doubled;
}

static void room_for_sources(struct batch *b, size_t need)
{
    if (need <= b->room->source)
        return;
    size_t room = b->room->source = grown(b->room->source, need);
    b->source = xrealloc(b->source, room * sizeof *b->source);
}

static void room_for_targets(struct batch *b, size_t need)
{
    if (need <= b->room->target)
        return;
    size_t room = b->room->target = grown(b->room->target, need);
    b->input = xrealloc(b->input, room * sizeof *b->input);
    b->output = xrealloc(b->output, room * sizeof *b->output);
}

static void room_for_sentences(struct batch *b, size_t need)
{
    if (need <= b->room->sentences)
        return;
    size_t room = b->room->sentences = grown(b->room->sentences, need);
    b->source_start = xrealloc(b->source_start, (room + 1) * sizeof *b->source_start);
    b->target_start = xrealloc(b->target_start, (room + 1) * sizeof *b->target_start);
    b->index = xrealloc(b->index, room * sizeof *b->index);
    b->weight = xrealloc(b->weight, room * sizeof *b->weight);
}

/* Appends a sentence with so many tokens, </s> and <s> counted; the caller fills them in. */
static int append(struct batch *b, int source_tokens, int target_tokens, int64_t index,
                  float weight)
{
    if (!b->room)
        batch_reset(b);
    assert(source_tokens <= INT_MAX - b->source_tokens);
    assert(target_tokens <= INT_MAX - b->target_tokens);
    room_for_sources(b, (size_t)b->source_tokens + (size_t)source_tokens);
    room_for_targets(b, (size_t)b->target_tokens + (size_t)target_tokens);
    room_for_sentences(b, (size_t)b->B + 1);
    int at = b->B++;
    b->index[at] = index;
    b->weight[at] = weight;
    b->source_start[at + 1] = b->source_tokens += source_tokens;
    b->target_start[at + 1] = b->target_tokens += target_tokens;
    return at;
}

static void copy_ids(int32_t *to, const int32_t *from, int count)
{
    if (count)
        memcpy(to, from, (size_t)count * sizeof *to);
}

void batch_reset(struct batch *b)
{
    if (!b->room)
        b->room = xcalloc(1, sizeof *b->room);
    room_for_sentences(b, 1);
    b->B = b->source_tokens = b->target_tokens = b->task = 0;
    b->sampled = false;
    b->source_start[0] = b->target_start[0] = 0;
}

void batch_release(struct batch *b)
{
    free(b->source);
    free(b->source_start);
    free(b->input);
    free(b->output);
    free(b->target_start);
    free(b->index);
    free(b->weight);
    free(b->room);
    *b = (struct batch){ 0 };
}

void batch_add(struct batch *b, const int32_t *source, int source_count,
               const int32_t *target, int target_count, int32_t bos, int32_t eos,
               int64_t index, float weight)
{
    assert(source_count >= 0 && source_count < INT_MAX);
    assert(target_count >= 0 && target_count < INT_MAX);
    int at = append(b, source_count + 1, target_count + 1, index, weight);
    int32_t *source_b = b->source + b->source_start[at];
    int32_t *input_b = b->input + b->target_start[at];
    int32_t *output_b = b->output + b->target_start[at];
    copy_ids(source_b, source, source_count);
    source_b[source_count] = eos;
    input_b[0] = bos;
    copy_ids(input_b + 1, target, target_count);
    copy_ids(output_b, target, target_count);
    output_b[target_count] = eos;
}

void batch_add_labels(struct batch *b, const int32_t *source, int source_count, const int32_t *pairs,
                      int pair_count, int32_t eos, int64_t index, float weight)
{
    assert(source_count >= 0 && source_count < INT_MAX);
    int at = append(b, source_count + 1, pair_count, index, weight);
    int32_t *source_b = b->source + b->source_start[at];
    copy_ids(source_b, source, source_count);
    source_b[source_count] = eos;
    for (int i = 0; i < pair_count; i++) {
        b->output[b->target_start[at] + i] = pairs[2 * i];
        b->input[b->target_start[at] + i] = pairs[2 * i + 1];
    }
}

static void copy_sentence(struct batch *to, const struct batch *from, int b)
{
    int source_at = from->source_start[b], target_at = from->target_start[b];
    int source_tokens = from->source_start[b + 1] - source_at;
    int target_tokens = from->target_start[b + 1] - target_at;
    int at = append(to, source_tokens, target_tokens, from->index[b], from->weight[b]);
    copy_ids(to->source + to->source_start[at], from->source + source_at, source_tokens);
    copy_ids(to->input + to->target_start[at], from->input + target_at, target_tokens);
    copy_ids(to->output + to->target_start[at], from->output + target_at, target_tokens);
}

int loads_place(int64_t *loads, int count, int tokens)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (loads[i] < loads[best])
            best = i;
    loads[best] += tokens;
    return best;
}

static int sentence_tokens(const struct batch *b, int s)
{
    return b->source_start[s + 1] - b->source_start[s] + b->target_start[s + 1] - b->target_start[s];
}

/* Each sentence goes to the part that is lightest so far.  Batches that come longest first
 * (corpora/batching.h) end up balanced to within their shortest sentences. */
void batch_split(const struct batch *from, struct batch *parts, int count)
{
    for (int i = 0; i < count; i++) {
        batch_reset(&parts[i]);
        parts[i].task = from->task;
        parts[i].sampled = from->sampled;
    }
    int64_t *loads = xcalloc((size_t)count, sizeof *loads);
    for (int b = 0; b < from->B; b++)
        copy_sentence(&parts[loads_place(loads, count, sentence_tokens(from, b))], from, b);
    free(loads);
}

void batch_share(const struct batch *from, struct batch *to, int first, int count, int total)
{
    int64_t *loads = xcalloc((size_t)total, sizeof *loads);
    batch_reset(to);
    to->task = from->task;
    to->sampled = from->sampled;
    for (int b = 0; b < from->B; b++) {
        int part = loads_place(loads, total, sentence_tokens(from, b));
        if (part >= first && part < first + count)
            copy_sentence(to, from, b);
    }
    free(loads);
}
