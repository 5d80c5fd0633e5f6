/* Runs: what is done again and what is not, after changes, failures and interruptions. */
#include "tests/test.h"

#include <signal.h>

#include "distill/lock.h"
#include "distill/manifest.h"
#include "tests/distill/fake_kinds.h"

#define CHAIN "stages:\n" \
              "  a: { kind: note, text: A }\n" \
              "  b: { kind: note, text: B, after: a }\n" \
              "  c: { kind: note, text: C }\n" \
              "  d: { kind: note, text: D, after: [b, c] }\n"

static char *fresh_folder(void)
{
    static int number;
    char name[32];
    snprintf(name, sizeof name, "run%d", number++);
    return xstrdup(scratch_path(name));
}

static int execute(const char *text, const char *set, const char *folder, struct error *err)
{
    const char *path = scratch_path("recipe.yml");
    struct recipe recipe = { 0 };
    struct run run = { 0 };
    struct strings list = { 0 };
    struct error dummy;
    int ret;

    write_text(path, text);
    if (set)
        strings_add(&list, set);
    fake_runs = fake_resumes = 0;
    assert_int_equal(recipe_load(&recipe, path, fake_kinds, &list, &dummy), 0);
    run_open(&run, &recipe, folder, 1);
    ret = run_execute(&run, err);
    run_close(&run);
    recipe_release(&recipe);
    strings_release(&list);
    return ret;
}

static void run_well(const char *text, const char *set, const char *folder, int runs)
{
    struct error err = { 0 };
    if (execute(text, set, folder, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(fake_runs, runs);
}

static void assert_text(const char *folder, const char *name, const char *want)
{
    char *path = path_join(folder, name), *text = NULL;
    struct error err;
    assert_int_equal(file_read(&text, NULL, path, &err), 0);
    assert_string_equal(text, want);
    free(text);
    free(path);
}

static void a_finished_recipe_does_nothing(void **state)
{
    char *folder = fresh_folder();
    run_well(CHAIN, NULL, folder, 4);
    assert_text(folder, "d/out.txt", "D 1\nB 1\nA 1\nC 1\n");
    run_well(CHAIN, NULL, folder, 0);
    free(folder);
}

static void a_changed_option_reruns_what_depends_on_it(void **state)
{
    char *folder = fresh_folder();
    run_well(CHAIN, NULL, folder, 4);
    run_well(CHAIN, "b.text=BB", folder, 2);            /* b and d */
    assert_text(folder, "d/out.txt", "D 1\nBB 1\nA 1\nC 1\n");
    run_well(CHAIN, "b.text=BB", folder, 0);
    run_well(CHAIN, NULL, folder, 2);
    assert_text(folder, "d/out.txt", "D 1\nB 1\nA 1\nC 1\n");
    free(folder);
}

static void threads_are_no_reason_to_run_again(void **state)
{
    char *folder = fresh_folder();
    run_well(CHAIN, NULL, folder, 4);
    run_well(CHAIN, "a.threads=7", folder, 0);
    free(folder);
}

static void a_changed_source_file_reruns_its_readers(void **state)
{
    char *folder = fresh_folder(), *path = xstrdup(scratch_path("source.txt"));
    char *text = xasprintf("stages:\n  a: { kind: note, file: %s }\n  b: { kind: note, after: a }\n"
                           "  c: { kind: note }\n", path);
    write_text(path, "one\n");
    run_well(text, NULL, folder, 3);
    write_text(path, "one\n");                          /* touched only */
    run_well(text, NULL, folder, 0);
    write_text(path, "two\n");
    run_well(text, NULL, folder, 2);
    assert_text(folder, "b/out.txt", " 1\n 1\ntwo\n");
    free(text);
    free(path);
    free(folder);
}

static void a_missing_source_file_is_told_with_its_stage(void **state)
{
    char *folder = fresh_folder();
    struct error err = { 0 };
    assert_int_equal(execute("stages:\n  a: { kind: note, file: /nowhere/x }\n", NULL, folder, &err), -1);
    assert_non_null(strstr(err.text, "recipe.yml:2: stage 'a': cannot read /nowhere/x"));
    free(folder);
}

static void a_damaged_output_is_made_again(void **state)
{
    char *folder = fresh_folder(), *path = path_join(folder, "b/out.txt");
    run_well(CHAIN, NULL, folder, 4);
    write_text(path, "damaged\n");
    run_well(CHAIN, NULL, folder, 1);                   /* the same comes out: d stands */
    unlink(path);
    run_well(CHAIN, NULL, folder, 1);
    assert_text(folder, "b/out.txt", "B 1\nA 1\n");
    free(path);
    free(folder);
}

static void a_failure_keeps_what_was_done_before(void **state)
{
    char *folder = fresh_folder();
    struct error err = { 0 };
    assert_int_equal(execute(CHAIN, "c.fail=true", folder, &err), -1);
    assert_non_null(strstr(err.text, "recipe.yml:4: stage 'c': the note fails"));
    assert_int_equal(fake_runs, 3);
    run_well(CHAIN, NULL, folder, 2);                   /* c, with the option changed, and d */
    assert_int_equal(fake_resumes, 0);
    free(folder);
}

static void an_interrupted_stage_goes_on_with_what_it_left(void **state)
{
    char *folder = fresh_folder();
    struct error err = { 0 };
    fake_crash = true;
    assert_int_equal(execute(CHAIN, NULL, folder, &err), -1);
    assert_int_equal(fake_runs, 1);
    run_well(CHAIN, NULL, folder, 4);
    assert_int_equal(fake_resumes, 1);
    assert_text(folder, "d/out.txt", "D 1\nB 1\nA 1\nC 1\n");
    free(folder);
}

static void leftovers_of_other_options_are_thrown_away(void **state)
{
    char *folder = fresh_folder();
    struct error err = { 0 };
    fake_crash = true;
    assert_int_equal(execute(CHAIN, "a.count=2", folder, &err), -1);
    run_well(CHAIN, NULL, folder, 4);                   /* the stage asserts that no half is there */
    assert_int_equal(fake_resumes, 0);
    free(folder);
}

static void a_foreign_folder_is_never_removed(void **state)
{
    char *folder = fresh_folder(), *mine = path_join(folder, "a"), *file = path_join(mine, "thesis.txt");
    struct error err = { 0 };
    assert_int_equal(dir_make(mine, &err), 0);
    write_text(file, "years of work");
    assert_int_equal(execute(CHAIN, NULL, folder, &err), -1);
    assert_non_null(strstr(err.text, "is in the way"));
    assert_true(file_exists(file));
    free(file);
    free(mine);
    free(folder);
}

static void a_folder_at_work_is_refused(void **state)
{
    char *folder = fresh_folder();
    struct error err = { 0 };
    assert_int_equal(dir_make(folder, &err), 0);
    int lock = lock_take(folder, &err);
    assert_true(lock >= 0);
    assert_int_equal(execute(CHAIN, NULL, folder, &err), -1);
    assert_non_null(strstr(err.text, "is in use by another run, process"));
    lock_release(lock);
    run_well(CHAIN, NULL, folder, 4);
    free(folder);
}

static void a_signal_stops_between_stages(void **state)
{
    char *folder = fresh_folder();
    struct error err = { 0 };
    interrupt_install();
    raise(SIGTERM);
    assert_int_equal(execute(CHAIN, NULL, folder, &err), RUN_STOPPED);
    assert_int_equal(fake_runs, 0);
    interrupt_install();                                /* forgets the signal */
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    run_well(CHAIN, NULL, folder, 4);
    free(folder);
}

static void a_manifest_tells_what_was_done(void **state)
{
    char *folder = fresh_folder(), *b = path_join(folder, "b");
    run_well(CHAIN, NULL, folder, 4);
    json_t *m = manifest_read(b, MANIFEST_FILE);
    assert_non_null(m);
    assert_string_equal(json_string_value(json_object_get(m, "kind")), "note");
    assert_string_equal(json_string_value(json_object_get(json_object_get(m, "options"), "text")), "B");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(m, "figures"), "length")), 8);
    assert_true(manifest_figure(m, "length") == 8);
    assert_true(isnan(manifest_figure(m, "height")));
    assert_int_equal(json_array_size(json_object_get(json_object_get(m, "inputs"), "after")), 1);
    assert_int_equal(json_array_size(json_object_get(m, "outputs")), 1);
    assert_non_null(json_object_get(m, "program"));
    assert_non_null(json_object_get(m, "finished"));
    json_decref(m);
    free(b);
    free(folder);
}

static char *plan_text(const char *text, const char *set, const char *folder)
{
    const char *path = scratch_path("plan.yml");
    struct recipe recipe = { 0 };
    struct run run = { 0 };
    struct strings list = { 0 };
    struct error err;
    char *out = NULL;
    size_t size;
    FILE *stream = open_memstream(&out, &size);

    write_text(path, text);
    if (set)
        strings_add(&list, set);
    assert_int_equal(recipe_load(&recipe, path, fake_kinds, &list, &err), 0);
    run_open(&run, &recipe, folder, 1);
    assert_int_equal(run_plan(&run, &err), 0);
    run_print_plan(&run, stream);
    fclose(stream);
    run_close(&run);
    recipe_release(&recipe);
    strings_release(&list);
    return out;
}

static void assert_line(const char *text, const char *first, const char *second)
{
    const char *line = strstr(text, first);
    if (!line || !strstr(line, second) || strstr(line, second) > strchr(line + 1, '\n'))
        fail_msg("no line with '%s' and '%s' in:\n%s", first, second, text);
}

static void a_dry_run_tells_what_would_run_and_touches_nothing(void **state)
{
    char *folder = fresh_folder(), *text = plan_text(CHAIN, NULL, folder);
    assert_line(text, "\na ", "run");
    assert_line(text, "\nb ", "after a");
    assert_line(text, "\nb ", "unknown");
    assert_non_null(strstr(text, "4 of 4 stages to run"));
    assert_false(file_exists(folder));
    free(text);

    run_well(CHAIN, NULL, folder, 4);
    text = plan_text(CHAIN, NULL, folder);
    assert_line(text, "\nd ", "done");
    assert_non_null(strstr(text, "all 4 stages are done"));
    free(text);

    text = plan_text(CHAIN, "b.count=5", folder);
    assert_line(text, "\na ", "done");
    assert_line(text, "\nb ", "count: 5, was 1");
    assert_line(text, "\nb ", "~8 B");
    assert_line(text, "\nc ", "done");
    assert_line(text, "\nd ", "after b");
    assert_non_null(strstr(text, "2 of 4 stages to run: about"));
    free(text);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finished_recipe_does_nothing),
        cmocka_unit_test(a_changed_option_reruns_what_depends_on_it),
        cmocka_unit_test(threads_are_no_reason_to_run_again),
        cmocka_unit_test(a_changed_source_file_reruns_its_readers),
        cmocka_unit_test(a_missing_source_file_is_told_with_its_stage),
        cmocka_unit_test(a_damaged_output_is_made_again),
        cmocka_unit_test(a_failure_keeps_what_was_done_before),
        cmocka_unit_test(an_interrupted_stage_goes_on_with_what_it_left),
        cmocka_unit_test(leftovers_of_other_options_are_thrown_away),
        cmocka_unit_test(a_foreign_folder_is_never_removed),
        cmocka_unit_test(a_folder_at_work_is_refused),
        cmocka_unit_test(a_signal_stops_between_stages),
        cmocka_unit_test(a_manifest_tells_what_was_done),
        cmocka_unit_test(a_dry_run_tells_what_would_run_and_touches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
