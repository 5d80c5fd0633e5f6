#include "distill/teacher_temperature.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "distill/kd.h"
#include "distill/objectives.h"

#define LEAST 0.01
#define MOST 100.0

static bool to_fit(const char *text)
{
    return !strcmp(text, "fit");
}

/* Not a number, or out of range: 0. */
static float number(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    return end != text && !*end && value >= LEAST && value <= MOST ? (float)value : 0;
}

int teacher_temperature_check(const char *text, const struct objective_kind *kind, bool soft, struct error *err)
{
    bool fit = to_fit(text);
    float value = fit ? 1 : number(text);
    if (value <= 0)
        return error_set(err, "teacher-temperature: '%s' is neither fit nor a number from %g to %g", text, LEAST, MOST);
    if (!fit && value == 1)
        return 0;
    if (!kind->wants_teacher || kind->method->similarity)
        return error_set(err, "teacher-temperature: objective %s has no teacher's distributions; leave it out",
                         kind->name);
    if (fit && soft)
        return error_set(err, "teacher-temperature: only a teacher that runs along can be fitted; with soft-targets "
                         "give a number");
    return 0;
}

static int fit(struct teacher_fit *out, const struct objective_needs *needs, struct batch_source *dev, int threads,
               struct error *err)
{
    const struct teacher_config config = { needs->average, 1, needs->weights, needs->task };
    if (!dev)
        return error_set(err, "teacher-temperature: fit needs a dev set, and there is none; give one, or a number");
    if (kd_same_pieces(needs, err) < 0)
        return -1;
    struct teacher *t = teacher_new(needs->teachers, needs->teacher_count, &config, err);
    int ret = t ? teacher_fit(out, t, dev, threads, err) : -1;
    teacher_free(t);
    return ret;
}

int teacher_temperature_find(struct teacher_temperature *out, struct objective_needs *needs, const char *text,
                             struct batch_source *dev, int threads, struct error *err)
{
    struct teacher_temperature found = { .fitted = to_fit(text) };
    found.value = number(text);
    if (found.fitted) {
        if (fit(&found.fit, needs, dev, threads, err) < 0)
            return -1;
        found.value = found.fit.temperature;
        log_info("teacher temperature %.4g: its dev NLL is %.4f there, and %.4f at 1", (double)found.value,
                 found.fit.nll, found.fit.nll_unfitted);
    }
    needs->teacher_temperature = found.value;
    *out = found;
    return 0;
}
