#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

struct error;

/* JSON through jansson; files are read whole and written aside, fsynced and renamed.
 * Real numbers are written with 15 digits.  Returned references are the caller's (json_decref). */
json_t *json_read(const char *path, struct error *err);                 /* NULL: failed */
int json_write(const json_t *value, const char *path, struct error *err);
/* An object with a checksum of its other members among them, which is taken out again and compared;
 * a file without one is taken as it is. */
json_t *json_read_sealed(const char *path, struct error *err);
int json_write_sealed(const json_t *object, const char *path, struct error *err);

/* YAML as JSON (libyaml): mappings keep their order; plain scalars become null, booleans,
 * numbers or strings by the YAML 1.2 core schema.  Duplicate keys are refused with their line. */
json_t *yaml_read(const char *path, struct error *err);

/* The line in the YAML file where the mapping key or list item at `pointer` stands
 * ("stages/teacher/beam", items by index), or 0 when unknown.  `root` is what yaml_read gave. */
int yaml_line(const json_t *root, const char *pointer);
void yaml_forget(const json_t *root);   /* frees the lines kept for a document */

#endif
