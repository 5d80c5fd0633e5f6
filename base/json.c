/* JSON files through jansson. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"

json_t *json_read(const char *path, struct error *err)
{
    char *text;
    size_t length;
    json_error_t why;
    json_t *value;

    if (file_read(&text, &length, path, err) < 0)
        return NULL;
    value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!value)
        error_set(err, "%s:%d: not valid JSON: %s", path, why.line > 0 ? why.line : 1, why.text);
    free(text);
    return value;
}

int json_write(const json_t *value, const char *path, struct error *err)
{
    struct outfile out = { 0 };

    if (outfile_open(&out, path, err) < 0)
        return -1;
    /* 15 digits say what was meant: 0.1, and not the 0.10000000000000001 that it is nearest to.
     * A refusal here is either a number that JSON cannot hold, or a full disk, which the commit
     * tells; both leave the old file alone. */
    if (json_dumpf(value, out.stream, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) && !ferror(out.stream)) {
        outfile_abort(&out);
        return error_set(err, "cannot write %s: a value in it cannot be said in JSON", path);
    }
    putc('\n', out.stream);
    return outfile_commit(&out, err);
}

/* ---- sealed objects ---- */

#define SEAL "checksum"
#define SAID (JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15))      /* the numbers as json_write gives them */

static void seal_text(char seal[HASH_TEXT], const json_t *object)
{
    char *text = json_dumps(object, SAID);
    hash_text(seal, text ? hash_bytes(text, strlen(text), 0) : 0);
    free(text);
}

json_t *json_read_sealed(const char *path, struct error *err)
{
    char found[HASH_TEXT];
    json_t *object = json_read(path, err), *stated = json_incref(json_object_get(object, SEAL));
    json_object_del(object, SEAL);
    seal_text(found, object);
    if (stated && (!json_is_string(stated) || strcmp(json_string_value(stated), found))) {
        error_set(err, "'%s' is damaged: its checksum is %s, and another in it", path, found);
        json_decref(object);
        object = NULL;
    }
    json_decref(stated);
    return object;
}

int json_write_sealed(const json_t *object, const char *path, struct error *err)
{
    char seal[HASH_TEXT];
    json_t *sealed = json_copy((json_t *)(uintptr_t)object);
    json_object_del(sealed, SEAL);
    seal_text(seal, sealed);
    json_object_set_new(sealed, SEAL, json_string(seal));
    int ret = json_write(sealed, path, err);
    json_decref(sealed);
    return ret;
}
