/* The table of objectives. */
#include "distill/objectives.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "distill/word_kd.h"
#include "seq2seq/train.h"

struct cross_entropy_config {
    float label_smoothing;
};
static const struct option cross_entropy_options[] = {
    { "label-smoothing", OPTION_FLOAT, offsetof(struct cross_entropy_config, label_smoothing),
      "0.1", 0, 0.99, "share of the target spread evenly over the vocabulary" },
    { 0 }
};

static int make_cross_entropy(struct objective *out, const struct objective_needs *needs,
                              const void *config, struct error *err)
{
    const struct cross_entropy_config *c = config;
    (void)needs, (void)err;
    *out = objective_cross_entropy(c->label_smoothing);
    return 0;
}

static int make_word_kd(struct objective *out, const struct objective_needs *needs,
                        const void *config, struct error *err)
{
    return objective_word_kd(out, needs->student, needs->teacher, config, err);
}

const struct objective_kind objective_kinds[] = {
    { "cross-entropy", "label-smoothed cross-entropy to the corpus", cross_entropy_options,
      sizeof(struct cross_entropy_config), false, make_cross_entropy },
    { "word-kd", "word-level distillation from a teacher that runs along", word_kd_options,
      sizeof(struct word_kd_config), true, make_word_kd },
    { 0 }
};

const struct objective_kind *objective_find(const char *name, struct error *err)
{
    const char *names[64];
    size_t count = 0;
    for (const struct objective_kind *k = objective_kinds; k->name; k++) {
        if (!strcmp(k->name, name))
            return k;
        names[count++] = k->name;
    }
    const char *near = nearest_name(name, names, count);
    error_set(err, "unknown objective '%s'%s%s%s", name, near ? ", did you mean '" : "",
              near ? near : "", near ? "'?" : "");
    return NULL;
}
