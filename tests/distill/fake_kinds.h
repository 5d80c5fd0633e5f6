#ifndef TESTS_FAKE_KINDS_H
#define TESTS_FAKE_KINDS_H

/* Stages that take no time: `note` writes its text and those of its inputs into out.txt, and
 * counts in fake_runs how often it ran.  They go through the same table as the real ones. */
#include <assert.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/lines.h"
#include "base/memory.h"
#include "distill/recipe.h"
#include "distill/run.h"

struct note_config {
    char *text, *file;
    int64_t seed;
    int count, threads, mode;
    float rate;
    bool fail;
    int stop_after;             /* steps of a resumable note before it stops as if by a signal */
};
static const char *const note_modes[] = { "plain", "loud", NULL };

#define FIELD(member) offsetof(struct note_config, member)
static const struct option note_options[] = {
    { "text", OPTION_STRING, FIELD(text), "", .help = "what to write" },
    { "file", OPTION_STRING, FIELD(file), .help = "a file to read" },
    { "seed", OPTION_LONG, FIELD(seed), "0", .help = "seed" },
    { "count", OPTION_INT, FIELD(count), "1", 1, 100, "how many times" },
    { "threads", OPTION_INT, FIELD(threads), "0", .help = "threads" },
    { "mode", OPTION_CHOICE, FIELD(mode), "plain", .help = "mode", .choices = note_modes },
    { "rate", OPTION_FLOAT, FIELD(rate), "0.5", 0, 1, "rate" },
    { "fail", OPTION_FLAG, FIELD(fail), .help = "fails" },
    { 0 }
};
#undef FIELD

static int fake_runs, fake_resumes;
static bool fake_crash;         /* the next note fails after half of its work */

static void note_reads(const struct stage *s, struct strings *paths)
{
    const struct note_config *c = s->config;
    if (c->file)
        strings_add(paths, c->file);
}

static void append(struct strbuf *out, const char *folder, const char *name)
{
    char *path = path_join(folder, name), *text = NULL;
    if (file_read(&text, NULL, path, NULL) == 0)
        strbuf_puts(out, text);
    free(text);
    free(path);
}

static int note_run(struct stage_run *run, struct error *err)
{
    const struct note_config *c = run->stage->config;
    struct strbuf out = { 0 };
    char *path = stage_path(run, "out.txt"), *half = stage_path(run, "half");
    int ret;

    fake_runs++;
    fake_resumes += run->resumed;
    if (c->fail || fake_crash) {
        ret = file_write(half, "half", 4, err);
        error_set(err, "the note fails");
        fake_crash = false;
        ret = -1;
        goto done;
    }
    assert_int_equal(run->resumed, file_exists(half));
    strbuf_printf(&out, "%s %d\n", c->text, c->count);
    for (size_t i = 0; i < run->stage->link_count; i++) {
        char *folder = stage_link_folder(run, &run->stage->links[i]);
        append(&out, folder, "out.txt");
        free(folder);
    }
    if (c->file)
        append(&out, "", c->file);
    ret = file_write(path, out.text, out.length, err);
    stage_output(run, "out.txt");
    json_object_set_new(run->figures, "length", json_integer((json_int_t)out.length));
done:
    strbuf_release(&out);
    free(path);
    free(half);
    return ret;
}

static const struct stage_options note_tables[] = { { note_options, 0 }, { NULL } };
static const struct stage_input note_inputs[] = {
    { "after", "note", false, true },
    { "base", "note", false, false },
    { NULL }
};
static const struct stage_kind note_kind = {
    .name = "note", .summary = "writing a note", .makes = "note", .version = 1,
    .config_size = sizeof(struct note_config), .options = note_tables, .inputs = note_inputs,
    .reads = note_reads, .run = note_run,
};
static const struct stage_kind other_kind = {
    .name = "other", .summary = "doing nothing", .makes = "nothing", .version = 1,
    .config_size = 1, .run = note_run,
};
/* As notes, but of chance; and one that takes such notes together. */
static const struct stage_kind dice_kind = {
    .name = "dice", .summary = "writing a note of chance", .makes = "note", .version = 1, .varies = true,
    .config_size = sizeof(struct note_config), .options = note_tables, .inputs = note_inputs,
    .run = note_run,
};
static const struct stage_input album_inputs[] = { { "rows", "note", true, true }, { NULL } };
static const struct stage_kind album_kind = {
    .name = "album", .summary = "taking notes together", .makes = "album", .version = 1, .gathers = true,
    .config_size = sizeof(struct note_config), .options = note_tables, .inputs = album_inputs,
    .run = note_run,
};
static const struct stage_kind *const fake_kinds[] = {
    &note_kind, &other_kind, &dice_kind, &album_kind, NULL
};

#endif
