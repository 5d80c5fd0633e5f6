#ifndef DISTILL_CORPUS_FILES_H
#define DISTILL_CORPUS_FILES_H

#include <jansson.h>
#include <stdint.h>

struct error;

/* What a stage that makes a corpus leaves: line-aligned text files and corpus.json, which names
 * them.  Paths in the file are relative to its folder, so a pseudo-labelled corpus points at the
 * dev and test sets of the corpus that it was made from, and a run can be moved as a whole. */
#define CORPUS_FILE "corpus.json"

struct corpus_set {
    char *source, *target;      /* NULL: there is no such set */
    int64_t pairs, source_words, target_words;
};

struct corpus_files {
    char *source_lang, *target_lang;
    struct corpus_set train, dev, test;
    char *gold;                 /* pseudo-labelled: the folder of the corpus that was labelled … */
    char *nbest;                /* … and the lists of hypotheses (decode/nbest.h) … */
    char *soft;                 /* … and their soft targets (corpora/soft_targets.h); NULL: none … */
    char *lines;                /* … and the line, from 1, that each training pair comes from: of gold's
                                 * training set, or without gold of the text that was labelled … */
    char *weights;              /* … and how much each pair counts beside the others, a number a line … */
    json_t *teacher;            /* … and what labelled it, for lineage: an object, or a list of them */
};

int corpus_files_read(struct corpus_files *out, const char *folder, struct error *err);
void corpus_files_release(struct corpus_files *c);

/* What a corpus made of `from` shares with it: the languages, and the dev and test sets, which are
 * pointed at; stage: the name of the one that made `from`, as its gold. */
void corpus_files_derive(struct corpus_files *out, const struct corpus_files *from, const char *stage);

/* The set as a folder beside that of its own names it; the caller's. */
struct corpus_set corpus_set_sibling(const struct corpus_set *set);

/* Writes <folder>/corpus.json; paths are given relative to the folder. */
int corpus_files_write(const struct corpus_files *c, const char *folder, struct error *err);

/* Counts pairs and words of two files; differing line counts are an error. */
int corpus_set_count(struct corpus_set *set, const char *folder, struct error *err);

/* Empty lines, in the place of targets that nobody has: no one can learn from them before they are labelled. */
int corpus_empty_side(const char *path, int64_t lines, struct error *err);

/* "../stage/train.en" for the file or folder of another stage of the same run; the caller's. */
char *corpus_sibling(const char *path);

#endif
