#ifndef CORPORA_MUNGE_H
#define CORPORA_MUNGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"

struct error;

/* More unlabelled text than there is, for a teacher to label: MUNGE (Bucila 2006) for text.
 *
 * There, an example's attributes are, each with a probability, exchanged with those of its nearest
 * neighbour.  Here the attributes are words, and the neighbours of a word's place are the places
 * anywhere in the text that stand behind the same word: each word is, with a probability, replaced
 * by the one at such a place.  So lines stay as likely as the text is, word after word, and say
 * what nobody has said. */
struct munge_config {
    int copies;                 /* new lines made of each line */
    float replace;              /* the probability of a word */
    bool originals;             /* each line itself comes before its copies */
    int64_t seed;
};
extern const struct option munge_options[];

struct munge_report {
    int64_t lines, made;        /* read; written */
    int64_t words, replaced;    /* of the copies; of these, words that differ from what stood there */
};

/* Words are what spaces part.  What becomes of a line hangs on the text, the line's number and the seed.
 * The text is held in memory, with 24 bytes a word. */
int corpus_munge(struct munge_report *report, const char *out, const char *in, const struct munge_config *config,
                 struct error *err);

#endif
