#ifndef CORPORA_PAIR_QUEUE_H
#define CORPORA_PAIR_QUEUE_H

#include "base/strbuf.h"
#include "corpora/text.h"

/* Pairs of a parser that finds several at a time, until somebody asks for them; {0} is an empty
 * queue.  Each text is set on one line: line ends and tabs, with the spaces around them, become
 * one space, and none stays at the ends. */
struct pair_queue {
    struct strbuf text;
    struct queued { size_t source, source_end, target, target_end; } *pairs;
    size_t count, room, next;
};

void pair_queue_add(struct pair_queue *q, struct text source, struct text target);
bool pair_queue_next(struct pair_queue *q, struct text_pair *out);      /* borrowed until the next add */
void pair_queue_release(struct pair_queue *q);

/* Appends the text, set on one line. */
void text_add_line(struct strbuf *out, struct text t);

#endif
