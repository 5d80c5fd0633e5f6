#ifndef DISTILL_MANIFEST_H
#define DISTILL_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct error;
struct stage_run;

/* What a stage was made from and what it left, in <stage>/manifest.json:
 *
 *     stage, kind, version, options, inputs, sources      what it was made from
 *     outputs        stamps of the files that it left, relative to its folder
 *     figures        what was measured
 *     seconds, program, finished
 *     fingerprint    of all that it was made from and of the outputs: what the stages that take
 *                    from it know it by
 *
 * While a stage is at work its folder holds begun.json with the first line of these alone. */
#define MANIFEST_FILE "manifest.json"
#define BEGUN_FILE "begun.json"

/* What the stage would be made from now; its inputs must be done.  `earlier` is a manifest whose
 * stamps may save reading large sources again, or NULL.  NULL: a source cannot be read. */
json_t *manifest_describe(const struct stage_run *run, const json_t *earlier, struct error *err);

/* Whether two descriptions are of the same thing; if not, `why` says what has changed. */
bool manifest_same(const json_t *now, const json_t *before, char *why, size_t room);

/* Whether all outputs are as they were left; if not, `why` names one. */
bool manifest_intact(const json_t *manifest, const char *folder, char *why, size_t room);

/* The finished manifest, from the description; NULL when an output cannot be read. */
json_t *manifest_finish(const struct stage_run *run, const json_t *description, double seconds,
                        struct error *err);

/* The manifest or begun file of a folder, or NULL when there is none that can be read. */
json_t *manifest_read(const char *folder, const char *file);

#endif
