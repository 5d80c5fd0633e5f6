#include "seq2seq/train_courses.h"

#include <stdlib.h>
#include <string.h>

#include "base/course.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
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

/* ---- weights of a mixture ---- */

static bool all_zero(const struct course *courses, size_t count, const struct moment *when)
{
    for (size_t i = 0; i < count; i++)
        if (course_at(&courses[i], when) > 0)
            return false;
    return true;
}

/* Update by update, of long trainings at a million of them.  Where the end hangs on more than the number of
 * updates, or a weight on the dev loss, only the first is known. */
static int check_drawn(const struct course *courses, size_t count, const struct train_config *config, bool known,
                       struct error *err)
{
    int64_t end = known && !config->max_epochs && !config->max_seconds && config->max_updates > 0 ? config->max_updates : 1;
    int64_t step = 1 + end / 1000000;
    for (int64_t update = 0; update < end; update += step) {
        const struct moment when = { .update = update, .progress = (double)update / (double)end };
        if (all_zero(courses, count, &when))
            return error_set(err, "mixing-weights: no corpus has a weight above 0 at update %lld; give one a weight that "
                             "is never 0", (long long)update);
    }
    return 0;
}

static int check_weights(const struct train_courses *t, struct error *err)
{
    size_t count = t->weights ? t->weights->count : 0;
    struct course *courses = xcalloc(count + 1, sizeof *courses);
    bool known = true;
    int ret = 0;
    for (size_t i = 0; i < count && ret == 0; i++) {
        ret = course_parse(&courses[i], t->weights->items[i], 0, 0, err);
        known &= !course_watches(&courses[i]);
    }
    if (ret == 0 && count)
        ret = check_drawn(courses, count, t->config, known, err);
    free(courses);
    return ret;
}

/* ---- all of it ---- */

int train_courses_check(const struct train_courses *t, bool dev, struct error *err)
{
    return each_course(t, check, dev, err) < 0 ? -1 : check_weights(t, err);
}

void train_courses_warn(const struct train_courses *t)
{
    struct error ignored;
    each_course(t, warn, true, &ignored);
}
