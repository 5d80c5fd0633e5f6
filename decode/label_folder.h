#ifndef DECODE_LABEL_FOLDER_H
#define DECODE_LABEL_FOLDER_H

#include <stdint.h>

struct error;

/* The folder of a labelling job among processes, on one machine or several: which of them may do
 * what.  Locks are record locks (fcntl) on <folder>/.lock: byte s stands for shard s, so that
 * overlapping shares meet whatever they were cut into, and two bytes far behind stand for the
 * steps that only one process may do at a time.  They end with the process, however it ends. */
struct label_folder {
    const char *path;                   /* borrowed */
    int lock;                           /* a file; -1: not open */
};
int label_folder_open(struct label_folder *f, const char *path, struct error *err);     /* makes it */
void label_folder_close(struct label_folder *f);

/* These shards are this process's from now on; refused, naming the other process, when one of
 * them is somebody's. */
int label_folder_claim(struct label_folder *f, int64_t first, int64_t end, struct error *err);

/* Waits for its turn at planning, or at joining. */
enum label_turn { TURN_PLAN, TURN_JOIN };
int label_folder_take(struct label_folder *f, enum label_turn turn, struct error *err);
void label_folder_give(struct label_folder *f, enum label_turn turn);

/* Removes what killed processes left half written of these shards, which are ours; all: anywhere in
 * the folder, once nobody is at work in it. */
void label_sweep(const struct label_folder *f, int64_t first, int64_t end);
void label_sweep_all(const struct label_folder *f);

/* "<folder>/shards/000012.tsv", the caller's */
char *label_shard_path(const struct label_folder *f, const char *inner, int64_t shard, const char *ending);
char *label_path(const struct label_folder *f, const char *name);

#endif
