/* YAML files as JSON values.
 *
 * libyaml composes a document of nodes with their positions; the nodes become jansson values,
 * and the line of every key and item is kept in a table beside the document, found again by
 * the root value and a path such as "stages/teacher/beam".  Anchors and aliases work (each use
 * is a copy); tags are refused. */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"

#define DEEPEST 64                      /* levels; also ends an alias that contains itself */
#define MOST_VALUES 1000000             /* ends aliases that multiply without bound */

/* ---- the lines of documents ---- */

struct place {
    char *pointer;
    int line;
};
struct line_map {
    const json_t *root;
    struct place *places;
    size_t count, room;
    struct line_map *next;
};

static struct line_map *maps;
static pthread_mutex_t maps_lock = PTHREAD_MUTEX_INITIALIZER;

static void map_free(struct line_map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->count; i++)
        free(map->places[i].pointer);
    free(map->places);
    free(map);
}

static void map_add(struct line_map *map, const char *pointer, int line)
{
    ARRAY_GROW(map->places, map->room, map->count + 1);
    map->places[map->count++] = (struct place){ xstrdup(pointer), line };
}

static int by_pointer(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->pointer, ((const struct place *)b)->pointer);
}

static struct line_map *unlink_map(const json_t *root)
{
    for (struct line_map **at = &maps; *at; at = &(*at)->next)
        if ((*at)->root == root) {
            struct line_map *found = *at;
            *at = found->next;
            return found;
        }
    return NULL;
}

/* The map of an earlier document that stood at the same address is dropped. */
static void map_keep(struct line_map *map, const json_t *root)
{
    if (map->count)
        qsort(map->places, map->count, sizeof *map->places, by_pointer);
    pthread_mutex_lock(&maps_lock);
    map_free(unlink_map(root));
    map->root = root;
    map->next = maps;
    maps = map;
    pthread_mutex_unlock(&maps_lock);
}

void yaml_forget(const json_t *root)
{
    pthread_mutex_lock(&maps_lock);
    map_free(unlink_map(root));
    pthread_mutex_unlock(&maps_lock);
}

int yaml_line(const json_t *root, const char *pointer)
{
    struct place key = { (char *)(uintptr_t)pointer, 0 }, *found = NULL;
    int line;

    pthread_mutex_lock(&maps_lock);
    for (struct line_map *map = maps; map; map = map->next)
        if (map->root == root && map->count)
            found = bsearch(&key, map->places, map->count, sizeof key, by_pointer);
    line = found ? found->line : 0;
    pthread_mutex_unlock(&maps_lock);
    return line;
}

/* ---- nodes to values ---- */

struct converter {
    const char *path;
    yaml_document_t *doc;
    struct line_map *map;
    struct strbuf pointer;
    size_t values;
    struct error *err;
};

static int line_of(const yaml_node_t *node)
{
    return (int)node->start_mark.line + 1;
}

static json_t *refuse(struct converter *c, const yaml_node_t *node, const char *why)
{
    error_set(c->err, "%s:%d: %s", c->path, line_of(node), why);
    return NULL;
}

/* One of several spellings, as the core schema lists them. */
static bool is_word(const char *text, const char *lower, const char *title, const char *upper)
{
    return !strcmp(text, lower) || !strcmp(text, title) || !strcmp(text, upper);
}

static bool all_of(const char *text, const char *allowed)
{
    return *text && text[strspn(text, allowed)] == '\0';
}

/* [-+]?[0-9]+, 0o[0-7]+ or 0x[0-9a-fA-F]+ */
static bool parse_integer(const char *text, json_int_t *out)
{
    const char *digits = text + (*text == '-' || *text == '+');
    int base = 10;
    char *end;

    if (!strncmp(text, "0o", 2) && all_of(text + 2, "01234567"))
        base = 8, text += 2;
    else if (!strncmp(text, "0x", 2) && all_of(text + 2, "0123456789abcdefABCDEF"))
        base = 16, text += 2;
    else if (!all_of(digits, "0123456789"))
        return false;
    errno = 0;
    *out = strtoll(text, &end, base);
    return errno == 0 && *end == '\0';
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_real(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');
    size_t whole = strspn(p, "0123456789"), part = 0;

    p += whole;
    if (*p == '.') {
        part = strspn(++p, "0123456789");
        p += part;
    }
    if (whole + part == 0)
        return false;
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '-' || *p == '+';
        if (!all_of(p, "0123456789"))
            return false;
        return true;
    }
    return *p == '\0';
}

/* JSON has no infinity and no NaN, so these stay refused rather than become strings. */
static bool is_not_finite(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');
    return is_word(p, ".inf", ".Inf", ".INF") || is_word(text, ".nan", ".NaN", ".NAN");
}

static json_t *plain_scalar(struct converter *c, const yaml_node_t *node, const char *text,
                            size_t length)
{
    json_int_t integer;

    if (strlen(text) != length)
        return json_stringn(text, length);
    if (!*text || !strcmp(text, "~") || is_word(text, "null", "Null", "NULL"))
        return json_null();
    if (is_word(text, "true", "True", "TRUE"))
        return json_true();
    if (is_word(text, "false", "False", "FALSE"))
        return json_false();
    if (parse_integer(text, &integer))
        return json_integer(integer);
    if (is_not_finite(text))
        return refuse(c, node, "infinity and NaN are not accepted; write a number");
    if (is_real(text)) {
        double value = strtod(text, NULL);
        return isfinite(value) ? json_real(value) : refuse(c, node, "the number is too large");
    }
    return json_stringn(text, length);
}

static json_t *scalar(struct converter *c, const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    size_t length = node->data.scalar.length;
    bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    json_t *value = plain ? plain_scalar(c, node, text, length) : json_stringn(text, length);
    if (!value && !plain)
        return refuse(c, node, "the text is not UTF-8");
    return value;
}

static json_t *convert(struct converter *c, int id, int depth);

/* Lengthens the pointer by one step; the returned length puts it back. */
static size_t enter(struct converter *c, const char *step)
{
    size_t before = c->pointer.length;
    if (before)
        strbuf_putc(&c->pointer, '/');
    strbuf_puts(&c->pointer, step);
    return before;
}

static void leave(struct converter *c, size_t length)
{
    c->pointer.length = length;
    c->pointer.text[length] = '\0';
}

static json_t *sequence(struct converter *c, const yaml_node_t *node, int depth)
{
    json_t *array = json_array();
    const yaml_node_item_t *first = node->data.sequence.items.start;

    for (const yaml_node_item_t *item = first; item < node->data.sequence.items.top; item++) {
        char index[24];
        snprintf(index, sizeof index, "%td", item - first);
        size_t before = enter(c, index);
        map_add(c->map, c->pointer.text, line_of(yaml_document_get_node(c->doc, *item)));
        json_t *value = convert(c, *item, depth + 1);
        leave(c, before);
        if (!value || json_array_append_new(array, value)) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* Before the map is sorted. */
static int noted_line(const struct line_map *map, const char *pointer)
{
    for (size_t i = 0; i < map->count; i++)
        if (!strcmp(map->places[i].pointer, pointer))
            return map->places[i].line;
    return 0;
}

static int add_pair(struct converter *c, json_t *object, const yaml_node_pair_t *pair, int depth)
{
    const yaml_node_t *key = yaml_document_get_node(c->doc, pair->key);
    const char *name = (const char *)key->data.scalar.value;

    if (key->type != YAML_SCALAR_NODE)
        return error_set(c->err, "%s:%d: a key must be a word", c->path, line_of(key));
    if (strlen(name) != key->data.scalar.length)
        return error_set(c->err, "%s:%d: a key holds a zero byte", c->path, line_of(key));
    size_t before = enter(c, name);
    if (json_object_get(object, name))
        return error_set(c->err, "%s:%d: duplicate key '%s', already in line %d; remove one",
                         c->path, line_of(key), name, noted_line(c->map, c->pointer.text));
    map_add(c->map, c->pointer.text, line_of(key));
    json_t *value = convert(c, pair->value, depth + 1);
    leave(c, before);
    if (!value)
        return -1;
    return json_object_set_new(object, name, value)
        ? error_set(c->err, "%s:%d: the key is not UTF-8", c->path, line_of(key)) : 0;
}

static json_t *mapping(struct converter *c, const yaml_node_t *node, int depth)
{
    json_t *object = json_object();
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++)
        if (add_pair(c, object, pair, depth) < 0) {
            json_decref(object);
            return NULL;
        }
    return object;
}

static json_t *convert(struct converter *c, int id, int depth)
{
    const yaml_node_t *node = yaml_document_get_node(c->doc, id);

    if (depth > DEEPEST)
        return refuse(c, node, "nested too deeply, or an alias that contains itself");
    if (++c->values > MOST_VALUES)
        return refuse(c, node, "too many values; aliases multiply them");
    if (node->tag && !is_word((const char *)node->tag, YAML_STR_TAG, YAML_SEQ_TAG, YAML_MAP_TAG))
        return refuse(c, node, "tags are not accepted; quote what shall be text");
    switch (node->type) {
    case YAML_SCALAR_NODE: return scalar(c, node);
    case YAML_SEQUENCE_NODE: return sequence(c, node, depth);
    case YAML_MAPPING_NODE: return mapping(c, node, depth);
    default: return refuse(c, node, "empty value");
    }
}

/* ---- documents ---- */

static json_t *convert_document(yaml_document_t *doc, const char *path, struct error *err)
{
    struct converter c = { .path = path, .doc = doc, .err = err };
    json_t *root;

    c.map = xcalloc(1, sizeof *c.map);
    root = yaml_document_get_root_node(doc) ? convert(&c, 1, 0) : json_object();
    if (root)
        map_keep(c.map, root);
    else
        map_free(c.map);
    strbuf_release(&c.pointer);
    return root;
}

static json_t *parse_failed(const yaml_parser_t *parser, const char *path, struct error *err)
{
    bool reading = parser->error == YAML_READER_ERROR;
    const char *why = parser->problem ? parser->problem : "damaged";
    if (reading)
        error_set(err, "%s: not valid YAML: %s at byte %zu", path, why, parser->problem_offset);
    else
        error_set(err, "%s:%zu: not valid YAML: %s%s%s", path, parser->problem_mark.line + 1, why,
                  parser->context ? " " : "", parser->context ? parser->context : "");
    return NULL;
}

/* Refuses a second document: it would be ignored. */
static bool more_documents(yaml_parser_t *parser, const char *path, struct error *err)
{
    yaml_document_t next;
    const yaml_node_t *root;
    bool more;

    if (!yaml_parser_load(parser, &next)) {
        parse_failed(parser, path, err);
        return true;
    }
    root = yaml_document_get_root_node(&next);
    more = root != NULL;
    if (more)
        error_set(err, "%s:%d: a second document; one file holds one", path, line_of(root));
    yaml_document_delete(&next);
    return more;
}

static json_t *parse(yaml_parser_t *parser, const char *path, struct error *err)
{
    yaml_document_t doc;
    json_t *root;

    if (!yaml_parser_load(parser, &doc))
        return parse_failed(parser, path, err);
    root = convert_document(&doc, path, err);
    if (root && yaml_document_get_root_node(&doc) && more_documents(parser, path, err)) {
        yaml_forget(root);
        json_decref(root);
        root = NULL;
    }
    yaml_document_delete(&doc);
    return root;
}

json_t *yaml_read(const char *path, struct error *err)
{
    yaml_parser_t parser;
    char *text;
    size_t length;
    json_t *root;

    if (file_read(&text, &length, path, err) < 0)
        return NULL;
    if (!yaml_parser_initialize(&parser))
        xmalloc(SIZE_MAX);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    root = parse(&parser, path, err);
    yaml_parser_delete(&parser);
    free(text);
    return root;
}
