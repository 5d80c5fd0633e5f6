#ifndef DECODE_LABEL_DIFFERS_H
#define DECODE_LABEL_DIFFERS_H

struct error;
struct label_plan;

/* Says in what a job differs from the one that the folder holds: models by name and fingerprint, the first
 * option with both values, the files, or the shard of lines that are not what they were.  Returns -1. */
int label_differs(const struct label_plan *there, const struct label_plan *here, const char *folder, struct error *err);

#endif
