#ifndef SEQ2SEQ_KEPT_MODELS_H
#define SEQ2SEQ_KEPT_MODELS_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct model;

/* The models of a training's validations that stay when it is over, whole and in folders of their own:
 * <folder>/validated/update-<n>.  A teacher of an earlier hour can be chosen among them (Cho & Hariharan
 * 2019, section 3). */

/* Adds one, and removes those behind the newest `keep`. */
int kept_model_save(const char *folder, const struct model *m, int64_t update, int keep, struct error *err);

/* Their updates, the newest first, the caller's; returns how many. */
size_t kept_models_find(int64_t **updates, const char *folder);
char *kept_model_folder(const char *folder, int64_t update);    /* the caller's */
int kept_models_remove(const char *folder, struct error *err);

#endif
