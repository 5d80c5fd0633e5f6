#ifndef DECODE_SEARCH_H
#define DECODE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"
#include "decode/sample.h"
#include "decode/shortlist.h"
#include "seq2seq/stepper.h"

struct error;

/* Greedy and beam search, and sampling, over anything that can score the next token.
 *
 *     struct search *s = search_new(&stepper, &config);
 *     search_run(s, &feed);            // asks feed for sentences, hands their results to it
 *     search_free(s);
 *
 * Sentences run in one continuous batch: a finished one leaves at once and the next one of the
 * feed takes its place.  What a sentence gets depends on the scores of its own rows and on
 * nothing else in the batch.
 *
 * Beam k, at each step: of all continuations of the sentence's live prefixes the 2k likeliest are
 * looked at in order, ties going to the better prefix, then to the lower token.  A </s> among the
 * first k finishes its prefix; the first k others live on.  So k prefixes live until the end.  A
 * sentence is done when
 *
 *   - k hypotheses have finished, or
 *   - the n-best asked for have finished and no live prefix could still get a better score than
 *     the last of them, whatever followed it (this rule only saves time), or
 *   - the length limit is reached: there </s> is the only continuation.
 *
 * Hypotheses are ranked by score = logp / penalty(length) + reward × length, length counting
 * </s>; equal scores rank in the order of finishing.  To that comes the coverage of the source
 * (Wu 2016), coverage × Σ_i log(min(Σ_j attention of token j to source token i, 1)).  Beam 1 is greedy search and runs as such: the best token only.
 *
 * Penalties change what search prefers, never what a hypothesis' log-probabilities are:
 *
 *   - repetition (Keskar 2019) multiplies the log-probability of every token that the prefix has;
 *   - no_repeat n forbids a token that would end n tokens which the prefix has in this order.
 *
 * Diverse beam search (Vijayakumar 2018): the beam in groups that advance one after another, each by
 * the rules above with its part of the beam; a token loses `diversity` for every time an earlier
 * group chose it at this step.  That is forgotten at the next step.  Every group goes on until its
 * part has finished.  One group is plain beam search.
 *
 * Sampling draws n_best hypotheses of each sentence, each token by sample.h; beam plays no part.
 * They come in the order of their numbers, not of their scores, and may be equal to each other.
 * Sample i of a line is the same however many are drawn, and whatever the batch. */
enum length_penalty {
    PENALTY_NONE,               /* 1 */
    PENALTY_LENGTH,             /* length^alpha */
    PENALTY_GNMT                /* ((5 + length) / 6)^alpha  (Wu 2016) */
};
enum long_lines { LONG_TRUNCATE, LONG_REFUSE };

struct search_config {
    int beam;                   /* k */
    int n_best;                 /* hypotheses handed out; at most k, unless sampled */
    bool sampled;               /* drawn by `sampling` instead of searched for */
    struct sampling sampling;
    int64_t seed;               /* of what is drawn */
    int groups;                 /* of the beam, in diverse search */
    float diversity;
    int mbr;                    /* enum mbr_metric; for translate.h */
    int length_penalty;         /* enum length_penalty */
    float alpha;
    float reward;               /* added to the score per token */
    float coverage;             /* weight of source tokens looked at too little */
    float repetition;           /* factor of a repeated token's log-probability; 1: none */
    int no_repeat;              /* length of n-grams that come once only; 0: any */
    float max_length_factor;    /* limit = factor × source tokens + offset, neither with </s> */
    int max_length_offset;
    int max_length;             /* of the output whatever the source; 0: any */
    float min_length_factor;    /* tokens a source token before </s> is allowed … */
    int min_length;             /* … and tokens whatever the source; the larger one counts */
    bool allow_unk;             /* the stepper's special tokens may be chosen */
    int batch_sentences;        /* at most so many at once; 0: chosen by the beam */
    int batch_tokens;           /* … and so many source tokens × rows; one sentence always fits */
    int64_t memory;             /* bytes that decoding may take, for translate.h; 0: any */
    int64_t batch_bytes;        /* a thread's part of it, instead of batch_tokens; not an option */
    char *shortlist;            /* path, for translate.h; NULL: the whole vocabulary */
    struct shortlist_config shortlist_limits;
    const struct shortlist *tokens;     /* the file opened: not an option but its user's word */
    bool watched;               /* hypotheses come with their attention; not an option either */
    bool unscored;              /* greedy: nobody asks for log-probabilities, which are then without
                                   meaning; not an option but a caller's word */
    /* For translate.h, not for the engine: */
    bool whole;                 /* a signal does not end a call half-way; a caller's word, too */
    int max_source;             /* tokens of a source; longer ones are … */
    int long_lines;             /* enum long_lines */
    int window;                 /* lines of a stream that are sorted by length together */
};
extern const struct option search_options[];

/* Whether the options agree with each other (n-best within the beam, …). */
int search_check(const struct search_config *config, struct error *err);

/* Rows that a sentence may take in the batch. */
int search_rows(const struct search_config *config);

/* The ranking score of a hypothesis of `length` tokens, </s> included. */
double search_score(const struct search_config *config, double logp, int length);

/* What coverage adds to it: cover[i] (count) is the attention that source token i got in all. */
double search_coverage(const struct search_config *config, const double *cover, int count);

/* The most tokens, </s> not counted, that a source of that many (without </s>) may give; at
 * least 1. */
int search_limit(const struct search_config *config, int source_tokens);

/* The fewest tokens, </s> not counted, that it must give; the limit goes before. */
int search_least(const struct search_config *config, int source_tokens);

struct sentence {
    int64_t index;              /* the feed's own number for it */
    const int32_t *source;      /* with </s>; read before the next call of feed->next */
    int source_count;
    /* Tokens that every hypothesis must begin with; they may end with </s>, and then the search
     * only scores them.  Must stay until `done`.  NULL: none. */
    const int32_t *prefix;
    int prefix_count;
    int64_t line;               /* whose random numbers it draws; see sample_stream */
};

struct hypothesis {
    const int32_t *ids;         /* without </s> */
    int count;
    const float *token_logp;    /* count + 1 values: each token's, then that of </s> */
    double logp;                /* their sum: exp(logp) is the probability of the whole sentence */
    double score;               /* what it was ranked by */
    const float *attention;     /* (count + 1, source_count) when watched: each token's, that of </s>
                                   last, to the source's tokens and its </s>; NULL otherwise */
    int source_count;
    bool cut;                   /* ended by the length limit, not by the model's choice; or the
                                   model gave no usable scores: then logp is -infinity */
};

/* Where sentences come from and where their hypotheses go.  `next` returns false when there are
 * no more.  `done` gets the n-best, best first, at least one, or all samples; borrowed until it
 * returns.  The order of `done` is the order of finishing. */
struct search_feed {
    void *arg;
    bool (*next)(void *arg, struct sentence *out);
    void (*done)(void *arg, int64_t index, const struct hypothesis *best, int count);
};

struct search_stats {
    int64_t sentences, steps, rows;     /* rows: summed over steps */
    int64_t tokens;                     /* of the best hypotheses, </s> included */
};

/* The stepper is borrowed and must outlive the search; config is copied. */
struct search *search_new(const struct stepper *model, const struct search_config *config);
void search_free(struct search *s);
void search_run(struct search *s, const struct search_feed *feed);
const struct search_stats *search_stats(const struct search *s);        /* of all runs so far */

#endif
