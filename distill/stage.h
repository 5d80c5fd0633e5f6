#ifndef DISTILL_STAGE_H
#define DISTILL_STAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"
#include "base/strbuf.h"

struct error;
struct stage;
struct stage_cost;
struct stage_facts;
struct stage_run;
struct stage_view;

/* A recipe is a graph of stages; a stage is of a kind, and a kind is one row of a table.
 *
 * What a kind needs to know of the recipe is declared: its options (the tables of the structs
 * that it hands to the library) and its inputs (keys whose values name other stages). */
struct stage_options {
    const struct option *options;
    size_t offset;              /* of the struct that the table fills, in the kind's config */
};

struct stage_input {
    const char *name;           /* the key in the recipe */
    const char *wants;          /* what the stage named there must make: "corpus", "model", … */
    bool required;
    bool many;                  /* takes a list of stages, or a mapping from labels to stages */
};

struct stage_kind {
    const char *name;           /* the recipe's `kind:` */
    const char *summary;        /* one line */
    const char *makes;          /* what other stages may take it for */
    int version;                /* raised when the same options give other output than before */
    bool varies;                /* its outcome hangs on its seed: run once a seed (seeds.h) … */
    bool gathers;               /* … and taken together here; inputs are mappings from labels */
    size_t config_size;
    const struct stage_options *options;        /* { NULL } at the end; NULL: none */
    const struct stage_input *inputs;           /* { NULL } at the end; NULL: none */

    /* Options that depend on others, such as those of the objective that `given` names: a table
     * and the size of its struct, which becomes stage->variant.  NULL: none. */
    int (*variant)(const json_t *given, const struct option **options, size_t *size,
                   struct error *err);
    /* What single ranges cannot say: of the stage alone, and beside those that it takes from, whose
     * facts are known by then.  NULL: nothing to check. */
    int (*check)(struct stage_view *v, struct error *err);
    /* What stages after it may count on (facts.h); of one that `check` has passed.  NULL: nothing is told. */
    void (*facts)(struct stage_facts *out, const struct stage_view *v);
    /* Files and folders outside the run that the stage reads; they count as inputs, by content. */
    void (*reads)(const struct stage *s, struct strings *paths);
    /* Does the work in run->folder, which exists.  With run->resumed, it holds what an
     * interrupted run of exactly this stage left behind; otherwise it is empty.  Names what it
     * leaves through stage_output.  Returns STAGE_STOPPED when a signal ended it. */
    int (*run)(struct stage_run *run, struct error *err);
    /* Fills what can be told beforehand; what cannot stays unknown.  NULL: nothing can.  Inputs
     * may not have run yet: their own estimates stand in run->costs.  Asked of done stages, too,
     * for the sake of those after them. */
    void (*estimate)(const struct stage_run *run, struct stage_cost *cost);
};
enum { STAGE_STOPPED = 1 };

struct stage_link {
    const struct stage_input *input;
    char *label;                /* the mapping's key, or the name of the stage */
    size_t stage;               /* an index into the recipe's stages */
};

#define STAGE_TABLES 8

struct stage {
    char *name;
    const struct stage_kind *kind;
    void *config;               /* the kind's struct */
    void *variant;              /* the struct of the tables that `variant` chose */
    struct option_group groups[STAGE_TABLES + 2];
    struct stage_link *links;
    size_t link_count, link_room;
    char *origin;               /* "recipe.yml:12", for messages */
};

/* A stage in its recipe, before anything has run. */
struct stage_view {
    const struct stage *stage;
    const struct stage *stages;         /* of the whole recipe, each after all that it takes from … */
    const struct stage_facts *facts;    /* … and what is known of those before this one */
    const char *key;            /* from `check`: the key at fault, whose line the message gets; NULL: the one that
                                 * the message begins with, if any */
};

/* What a stage takes, and how large that is which later stages take from it; below zero: unknown. */
struct stage_cost {
    double seconds, bytes;
    double train_words, eval_words;     /* of a corpus: source words to learn from, and of the
                                         * larger of its dev and test sets */
    double weights;                     /* of a model */
};

/* One stage at work. */
struct stage_run {
    const struct stage *stage;
    const char *recipe;         /* the recipe's name and its file's fingerprint, for lineage */
    const char *recipe_hash;
    const char *root;           /* the run's folder; stages have folders in it */
    char *folder;               /* this stage's */
    bool resumed;
    int threads;
    const json_t *previous;     /* the manifest that it left with other options or inputs, or NULL */
    json_t *figures;            /* what was measured; the stage adds to it */
    struct strings outputs;     /* files it leaves, relative to folder */
    const struct stage *stages; /* of the whole recipe … */
    json_t *const *manifests;   /* … with their manifests; NULL for those that are not done */
    const struct stage_cost *costs;     /* in `estimate`: of the stages before this one */
};

void stage_output(struct stage_run *run, const char *path);     /* relative to run->folder */
char *stage_path(const struct stage_run *run, const char *name);        /* the caller's */

/* Removes a file or folder of the stage's that has served, if it is there. */
int stage_remove(const struct stage_run *run, const char *name, struct error *err);

/* The single stage given for an input, or NULL. */
const struct stage_link *stage_link(const struct stage *s, const char *input);
bool stage_link_is(const struct stage_link *link, const char *input);   /* given for that input */
int stage_link_count(const struct stage *s, const char *input);           /* stages given for it */
bool stage_has(const struct stage_run *run, const char *input);
char *stage_input_folder(const struct stage_run *run, const char *input);       /* the caller's */
char *stage_link_folder(const struct stage_run *run, const struct stage_link *link);
const json_t *stage_input_manifest(const struct stage_run *run, const char *input);
const json_t *stage_link_manifest(const struct stage_run *run, const struct stage_link *link);
const json_t *stage_own_manifest(const struct stage_run *run);  /* NULL: not done */
/* The estimate of the stage given for an input, or one that knows nothing. */
const struct stage_cost *stage_input_cost(const struct stage_run *run, const char *input);
extern const struct stage_cost stage_cost_unknown;
/* A figure of a manifest, or NAN. */
double manifest_figure(const json_t *manifest, const char *name);

/* The options as JSON, each once, without those that do not change the result (threads, resume). */
json_t *stage_options_json(const struct stage *s);

/* Makes a message speak of the stage's options as keys, "beam" for "--beam": libraries call them as the command line
 * does.  What `coho distill` takes itself, such as --threads, keeps its dashes. */
void stage_say_keys(const struct stage *s, struct error *err);
/* The key that a message begins with, as "max-length 200: …" does; NULL: none of the stage's options. */
const char *stage_leading_key(const struct stage *s, const char *message);

const struct stage_kind *stage_kind_find(const struct stage_kind *const *kinds, const char *name);
void stage_release(struct stage *s);

#endif
