#ifndef CLI_DECODING_H
#define CLI_DECODING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "decode/translate.h"

struct error;
struct model;
struct tokenizer;

/* What commands that decode do alike: an output that is standard output or a file that appears whole, and
 * figures for people and programs. */
extern const char *const utf8_policy_names[];   /* in the order of enum utf8_policy */

struct sink {
    FILE *stream;
    struct outfile file;
    const char *path;                   /* NULL: standard output */
};
int sink_open(struct sink *s, const char *path, struct error *err);
int sink_check(const struct sink *s, struct error *err);        /* fails once writing has failed */
int sink_commit(struct sink *s, struct error *err);
void sink_abort(struct sink *s);

/* For --json: null for what is not finite; a hypothesis' pieces, and each one's log-probability. */
json_t *json_finite(double x);
json_t *json_pieces(const struct tokenizer *target, const struct hypothesis *h);
json_t *json_token_logp(const struct hypothesis *h);

/* A matrix of attention, a row a target token and </s>, rounded to four digits. */
json_t *json_attention(const struct hypothesis *h);

/* How many lines a file has, found by reading it, where somebody watches a progress line; else 0,
 * and 0 for standard input. */
int64_t lines_ahead(const char *path);

/* "1,234" in one of a few buffers that take turns. */
const char *grouped(int64_t number);

/* Warns of sentences that the limits touched and of scores that make no sense. */
void warn_of_limits(const struct decode_stats *s);

#endif
