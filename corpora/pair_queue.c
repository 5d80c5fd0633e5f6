/* A queue of pairs; its memory is used again when it has run empty. */
#include "corpora/pair_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static bool breaks(char c)
{
    return c >= '\t' && c <= '\r';
}

void text_add_line(struct strbuf *out, struct text t)
{
    t = text_trim(t);
    for (size_t at = 0; at < t.length;) {
        size_t end = at;
        while (end < t.length && !breaks(t.bytes[end]))
            end++;
        size_t last = end;
        while (end < t.length && last > at && t.bytes[last - 1] == ' ')
            last--;
        strbuf_add(out, t.bytes + at, last - at);
        if (end < t.length)
            strbuf_putc(out, ' ');
        while (end < t.length && (breaks(t.bytes[end]) || t.bytes[end] == ' '))
            end++;
        at = end;
    }
}

void pair_queue_add(struct pair_queue *q, struct text source, struct text target)
{
    if (q->next == q->count) {
        q->next = q->count = 0;
        strbuf_reset(&q->text);
    }
    ARRAY_GROW(q->pairs, q->room, q->count + 1);
    struct queued *at = &q->pairs[q->count++];
    at->source = q->text.length;
    text_add_line(&q->text, source);
    at->source_end = at->target = q->text.length;
    text_add_line(&q->text, target);
    at->target_end = q->text.length;
}

bool pair_queue_next(struct pair_queue *q, struct text_pair *out)
{
    if (q->next == q->count)
        return false;
    const struct queued *at = &q->pairs[q->next++];
    const char *text = q->text.text ? q->text.text : "";
    *out = (struct text_pair){ { text + at->source, at->source_end - at->source },
                               { text + at->target, at->target_end - at->target } };
    return true;
}

void pair_queue_release(struct pair_queue *q)
{
    strbuf_release(&q->text);
    free(q->pairs);
    *q = (struct pair_queue){ 0 };
}
