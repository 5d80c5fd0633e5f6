#ifndef EVAL_TESTSET_H
#define EVAL_TESTSET_H

#include "eval/segments.h"

/* References and the translations of one system or several, line by line.  {0} is empty. */
struct testset {
    size_t n;                           /* segments */
    int nrefs;
    struct text *refs;                  /* (nrefs, n) */
    struct testset_system {
        char *name;                     /* the path, or "System 1" for a column of standard input */
        const struct text *hyps;        /* (n) */
    } *systems;
    size_t systems_count;
    struct segments *files;             /* what texts point into */
    size_t files_count;
};

/* Reads the references, one a file, or `num_refs` columns of a single file; then the systems, a
 * file each; without files, the columns of standard input.  Differing line counts are an error
 * that names both files.  Warns of byte order marks.  threads 0: one a core. */
int testset_load(struct testset *set, const char *const *ref_paths, size_t ref_count, int num_refs,
                 char *const *system_paths, size_t system_count, struct encoding encoding, int threads,
                 struct error *err);
void testset_release(struct testset *set);

/* Warns, as sacreBLEU does, when 100 lines of a system end in " .": they were not detokenized. */
void testset_warn_of_tokens(const struct testset *set);

#endif
