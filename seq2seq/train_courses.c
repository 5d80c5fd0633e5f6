#include "seq2seq/train_courses.h"

#include <string.h>

#include "base/course.h"
#include "base/error.h"
#include "base/log.h"
#include "seq2seq/train.h"

/* ---- each of them ---- */

typedef int look(const char *name, const struct course *c, const struct train_config *config, bool dev, struct error *err);

static int each_option(const struct train_courses *t, look *at, bool dev, struct error *err)
{
    for (const struct option_group *g = t->groups; g->options; g++)
        for (const struct option *o = g->options; o->name; o++) {
            bool used = o->kind == OPTION_COURSE && !(t->unused && !strcmp(o->name, t->unused));
            if (used && at(o->name, (const void *)((const char *)g->target + o->offset), t->config, dev, err) < 0)
                return -1;
        }
    return 0;
}

static int each_course(const struct train_courses *t, look *at, bool dev, struct error *err)
{
    int ret = each_option(t, at, dev, err);
    for (size_t i = 0; ret == 0 && t->weights && i < t->weights->count; i++) {
        struct course c;
        ret = course_parse(&c, t->weights->items[i], 0, 0, err);
        if (ret == 0)
            ret = at("mixing-weights", &c, t->config, dev, err);
    }
    return ret;
}

/* ---- what is looked at ---- */

static int check(const char *name, const struct course *c, const struct train_config *config, bool dev, struct error *err)
{
    char text[COURSE_TEXT];
    course_text(text, c);
    if (course_watches(c) && !dev)
        return error_set(err, "%s: '%s' follows the dev loss, and there is no validation corpus; give one, or a course "
                         "of another shape", name, text);
    if (course_shares(c) && !config->max_updates && !config->max_epochs && !config->max_seconds)
        return error_set(err, "%s: '%s' goes with the share of the training that is done, and nothing but patience ends "
                         "this one; set max-updates, max-epochs or max-seconds", name, text);
    return 0;
}

static int warn(const char *name, const struct course *c, const struct train_config *config, bool dev, struct error *err)
{
    char text[COURSE_TEXT];
    (void)dev;
    (void)err;
    course_text(text, c);
    if (config->max_updates && course_stays(c) >= config->max_updates)
        log_warning("%s: '%s' stays as it is until update %lld, and the training ends with update %lld", name, text,
                    (long long)course_stays(c), (long long)config->max_updates);
    return 0;
}

int train_courses_check(const struct train_courses *t, bool dev, struct error *err)
{
    return each_course(t, check, dev, err);
}

void train_courses_warn(const struct train_courses *t)
{
    struct error ignored;
    each_course(t, warn, true, &ignored);
}
