#ifndef DECODE_LABEL_H
#define DECODE_LABEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/lines.h"
#include "base/option.h"
#include "base/strbuf.h"
#include "decode/search.h"
#include "decode/translator.h"

struct error;
struct teacher;

/* Pseudo-labelling as a job that cannot go wrong: a model's outputs for every line of any number
 * of lines, as a folder that may be killed, gone on with, shared among machines and checked.
 *
 *     struct label_job job = { .inputs = &files, .folder = "labels", .translator = &t, … };
 *     struct label_report report;
 *     if (label_run(&job, &report, err) < 0) …
 *
 * The input is divided into shards of so many lines.  A shard's files are written aside and
 * renamed, its manifest last; the manifest holds counts and hashes, and a shard without one, or
 * whose files are not what it says, is labelled again.  What a line gives depends on nothing but
 * the line, its number, the models and the options, so neither threads nor kills nor shares
 * change a byte; nor does memory, since the longest line that the first process has room for is
 * the longest for all.  Once all shards are there they are joined, and every count and hash is
 * compared with the input's.  Of a job that is done, soft targets that were damaged since are made again.
 *
 *     job.json            what the job is: inputs with counts and hashes, models, options; a later
 *                         process that is told otherwise is refused
 *     shards/N.tsv        n-best lists (nbest.h): each line of the input has one, in order
 *     shards/N.json       the shard's manifest
 *     soft/N.soft         soft targets (corpora/soft_targets.h), where asked for
 *     nbest.tsv           all lists, joined; the shards then go, unless they are to be kept
 *     best.txt            a line for each line of the input: the best hypothesis, or nothing
 *     labels.json         the proof: counts, marks, hashes, rate */
#define LABEL_NBEST "nbest.tsv"
#define LABEL_BEST "best.txt"
#define LABEL_SOFT "soft"
#define LABEL_PROOF "labels.json"

enum soft_kind { SOFT_NONE, SOFT_TOP_K, SOFT_TOP_P };
enum bad_text { BAD_TEXT_MARK, BAD_TEXT_REFUSE, BAD_TEXT_REPLACE };

struct label_config {
    int64_t shard_lines;
    int soft;                   /* enum soft_kind */
    int soft_k;                 /* entries a token, at most */
    float soft_p;               /* top-p: entries until they have this mass */
    int soft_samples;           /* entries drawn of the other pieces */
    int bad_text;               /* enum bad_text: lines that are not UTF-8 or hold a zero byte */
    bool keep_shards;
};
extern const struct option label_options[];
int label_config_check(const struct label_config *c, struct error *err);    /* whether the options go together */
int label_soft_entries(const struct label_config *c);                       /* a token, at most */

/* How lines are read under a policy: enum utf8_policy for enum bad_text. */
enum utf8_policy label_utf8(int bad_text);

struct label_job {
    const struct strings *inputs;       /* files (plain, gzip, zstd, xz), one after the other */
    const char *target;                 /* given translations, which are scored, and get the soft
                                         * targets, instead of a search; NULL: none */
    const char *folder;
    const struct translator *translator;
    const struct teacher *teacher;      /* for soft targets and given translations; else NULL */
    const json_t *models;               /* what labels: goes into every manifest, and is compared */
    const struct label_config *config;
    const struct search_config *search;
    int threads;                        /* 0: one a core */
    int share, shares;                  /* this process does the share-th (from 0) of so many parts */
};

/* Of the whole job, as far as this process knows. */
struct label_report {
    int64_t lines, hypotheses, source_words;
    int64_t marks[8];           /* lines whose best hypothesis has mark 1 << i (nbest.h) */
    int64_t shards, labelled, redone;   /* all; by this process; of these, found damaged */
    int64_t waiting;            /* shards that other processes have still to do */
    double seconds;             /* of labelling, summed over processes and resumes */
    bool joined;
};

/* Whether the options make sense together. */
int label_check_options(const struct label_job *job, struct error *err);

/* Returns LABEL_STOPPED when a signal ended it; the same call goes on. */
enum { LABEL_STOPPED = 1 };
int label_run(const struct label_job *job, struct label_report *report, struct error *err);

/* The final check of a folder on its own: everything is there, unchanged, and belongs to the
 * inputs as they are now. */
int label_verify(const char *folder, struct label_report *report, struct error *err);

#endif
