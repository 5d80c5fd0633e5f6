#ifndef DECODE_LABEL_SIZE_H
#define DECODE_LABEL_SIZE_H

#include <stdint.h>

struct error;
struct label_job;
struct label_plan;

/* Soft targets are large: how much of the disk they will take, beforehand. */

/* Refuses the job where the soft targets of so many lines of it take more than the folder has left; remedy
 * says what to do. */
int label_size_check(const struct label_job *job, const struct label_plan *plan, int64_t lines, const char *remedy,
                     struct error *err);

/* Tells how much it is. */
void label_size_tell(const struct label_job *job, const struct label_plan *plan, int64_t lines);

#endif
