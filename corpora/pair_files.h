#ifndef CORPORA_PAIR_FILES_H
#define CORPORA_PAIR_FILES_H

#include "base/file.h"
#include "corpora/text.h"

struct error;

/* Two line-aligned text files being written; both appear whole at the commit or not at all.
 * {0} is a valid closed pair; abort is harmless after a commit.  A name of NULL stands for a side
 * that is not wanted: monolingual text is one file. */
struct pair_files {
    struct outfile source, target;
};

/* An error where the two would be one file. */
int pair_files_differ(const char *source_out, const char *target_out, struct error *err);
int pair_files_open(struct pair_files *f, const char *source, const char *target,
                    struct error *err);
int pair_files_write(struct pair_files *f, struct text_pair pair, struct error *err);
/* Hands all bytes to the system, so that a full disk is noticed before anything is renamed; the
 * commit does it too. */
int pair_files_flush(struct pair_files *f, struct error *err);
int pair_files_commit(struct pair_files *f, struct error *err);
void pair_files_abort(struct pair_files *f);

#endif
