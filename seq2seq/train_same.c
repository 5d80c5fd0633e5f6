/* Whether a training that goes on is the one that was begun.  What the best weights so far were
 * measured by must be the same, or they could not be compared; of other things that change, it is
 * told that the weights will not be those of an undisturbed run. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/thread.h"
#include "seq2seq/train_loop.h"

/* Options that say when to stop, what to write and how to work, but not what is learnt. */
static bool changes_nothing(const char *option)
{
    static const char *const names[] = {
        "threads", "seed", "max-updates", "max-epochs", "max-seconds", "patience", "save-every", "log-every", "metric",
        "validate-decode", "keep-checkpoints", "keep-models", "bad-updates", "tensorboard", "memory", "resume",
    };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (!strcmp(names[i], option))
            return true;
    return false;
}

static const char *metric_of(const struct loop *l)
{
    return l->config->metric ? l->config->metric : "nll";
}

/* The validation corpus, by content; null where there is none. */
static json_t *dev_json(const struct loop *l)
{
    char text[HASH_TEXT];
    const struct batch_source *dev = l->data->dev;
    if (!dev || !dev->fingerprint)
        return json_null();
    hash_text(text, dev->fingerprint(dev->state));
    return json_string(text);
}

/* Of each teacher its weights, wherever it lies. */
static json_t *teachers_json(const struct loop *l)
{
    json_t *all = json_array(), *teacher;
    size_t i;
    json_array_foreach(json_object_get(l->m->lineage, "teachers"), i, teacher) {
        json_t *fingerprint = json_object_get(teacher, "fingerprint");
        json_array_append(all, fingerprint ? fingerprint : json_object_get(teacher, "folder"));
    }
    return all;
}

static json_t *options_json(const struct loop *l)
{
    struct train_config config = *l->config;
    json_t *options = options_to_json((struct option_group[]){ { NULL, train_options, &config }, { 0 } });
    const json_t *objective = json_object_get(l->m->lineage, "objective");
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(options, next, name, value)
        if (changes_nothing(name))
            json_object_del(options, name);
    json_object_set_new(options, "objective", objective ? json_deep_copy(objective) : json_string(l->objective->name));
    json_object_set_new(options, "teachers", teachers_json(l));
    json_object_set_new(options, "workers", json_integer(l->data->team ? l->all_workers : pool_threads(l->pool)));
    return options;
}

json_t *loop_identity(const struct loop *l)
{
    return json_pack("{s:s, s:o, s:o}", "metric", metric_of(l), "dev", dev_json(l), "options", options_json(l));
}

/* ---- what must be the same ---- */

static int same_measure(const struct loop *l, const json_t *then, bool measured, struct error *err)
{
    const char *metric = json_string_value(json_object_get(then, "metric"));
    const json_t *dev = json_object_get(then, "dev");
    json_t *now = dev_json(l);
    bool same = !dev || json_equal(dev, now), none = json_is_null(now);
    json_decref(now);
    if (metric && strcmp(metric, metric_of(l)) && measured)
        return error_set(err, "cannot resume: metric was %s and is %s now, and the best weights so far cannot be "
                         "compared by it; resume with the old value or start again in another folder", metric,
                         metric_of(l));
    if (!same && measured)
        return error_set(err, "cannot resume: the validation corpus %s, and the best weights so far were chosen by "
                         "the old one; resume with that or start again in another folder",
                         none ? "is missing now" : "is another one now");
    return 0;
}

/* ---- what is told ---- */

static void tell_change(struct strbuf *out, const char *name, json_t *was, json_t *is)
{
    char *then = json_dumps(was, JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
    char *now = json_dumps(is, JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
    if (json_is_array(is))
        strbuf_printf(out, "%sother %s", out->length ? ", " : "", name);
    else
        strbuf_printf(out, "%s%s %s (was %s)", out->length ? ", " : "", name, now, then);
    free(then);
    free(now);
}

static void tell_changes(const struct loop *l, const json_t *then)
{
    json_t *now = options_json(l), *value;
    struct strbuf changes = { 0 };
    const char *name;
    json_object_foreach(now, name, value) {
        json_t *was = json_object_get(then, name);
        if (was && !json_equal(was, value))
            tell_change(&changes, name, was, value);
    }
    if (changes.length && loop_leads(l))
        log_warning("going on with %s: not what an undisturbed run would give", changes.text);
    strbuf_release(&changes);
    json_decref(now);
}

int loop_identity_check(const struct loop *l, const json_t *then, bool measured, struct error *err)
{
    if (!then)                          /* a checkpoint of an older program */
        return 0;
    if (same_measure(l, then, measured, err) < 0)
        return -1;
    tell_changes(l, json_object_get(then, "options"));
    return 0;
}
