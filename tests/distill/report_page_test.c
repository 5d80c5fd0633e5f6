/* The page of a run: well-formed, escaped, complete; and the table as text and JSON. */
#include "tests/test.h"
#include "tests/xml.h"

#include "base/error.h"
#include "base/file.h"
#include "base/html.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/plot.h"
#include "distill/report.h"
#include "distill/results.h"
#include "tests/distill/page.h"

static const char *const rows[] = { "teacher", "baseline", "word_kd", "seq_kd", "seq_inter" };

static void write_log(const char *folder, int row)
{
    char *path = path_join(folder, "log.jsonl");
    FILE *f = fopen(path, "w");
    for (int i = 1; i <= 12; i++) {
        int update = i * 250;
        double seconds = update * (row ? 0.03 : 0.1);
        fprintf(f, "{\"update\":%d,\"epoch\":1,\"seconds\":%g,\"loss\":3.2,\"nll\":3.1,\"rate\":0.001}\n",
                update - 10, seconds - 1);
        fprintf(f, "{\"update\":%d,\"epoch\":1,\"seconds\":%g,\"valid_nll\":%g,\"valid_bleu\":%g,\"valid_chrf\":50}\n",
                update, seconds, 1.2 + 0.1 * row + 3.0 / i, 40 - 2 * row - 30.0 / i);
    }
    fprintf(f, "{\"update\":3000,\"seconds\":91,\"valid_nll\":99,\"weights\":\"the average\"}\n");
    fprintf(f, "{\"update\":3010,\"val");               /* cut off by a crash */
    fclose(f);
    free(path);
}

/* A run's folder as the stage `table` leaves it; first: the name of the first row. */
static char *synthetic_run(const char *first, const char *title)
{
    static int number;
    char name[32];
    struct error err;
    snprintf(name, sizeof name, "run%d", number++);
    char *folder = xstrdup(scratch_path(name));
    json_t *table = json_object(), *list = json_array();
    for (int i = 0; i < 5; i++) {
        const char *row = i ? rows[i] : first;
        char *model = path_join(folder, rows[i]);
        assert_int_equal(dir_make(model, &err), 0);
        write_log(model, i);
        free(model);
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", row, "model", rows[i]));
        json_object_set_new(table, row, json_pack("{s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f}",
            "parameters", i ? 450000.0 : 3400000.0, "bleu_greedy", 38.12 - 2 * i, "bleu_beam5", 39.5 - 2 * i,
            "chrf_greedy", 61.2 - i, "chrf_beam5", 62.1 - i, "perplexity", 6.1 + i, "mode_share",
            0.012 * (i + 1), "words_per_s_greedy", i ? 21000.0 + 400 * i : 4100.0,
            "words_per_s_beam5", i ? 6200.0 + 100 * i : 900.0, "train_seconds", i ? 71.0 + i : 300.0));
    }
    json_t *report = json_pack("{s:s, s:s, s:o}", "title", title, "about",
                               "2024-05-01, A <fast> machine & more, 2 threads", "rows", list);
    char *table_path = path_join(folder, TABLE_FILE), *report_path = path_join(folder, REPORT_FILE);
    assert_int_equal(json_write(table, table_path, &err), 0);
    assert_int_equal(json_write(report, report_path, &err), 0);
    json_decref(table);
    json_decref(report);
    free(table_path);
    free(report_path);
    return folder;
}

static char *page_of(const char *folder)
{
    struct error err = { 0 };
    char *path = NULL, *text = NULL;
    if (report_write(&path, folder, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(file_read(&text, NULL, path, &err), 0);
    free(path);
    return text;
}

static void the_page_is_well_formed_and_stands_alone(void **state)
{
    char *folder = synthetic_run("teacher", "quickstart en-de"), *page = page_of(folder);
    const char *keep = getenv("KEEP_PAGE");
    if (keep)
        write_text(keep, page);
    assert_stands_alone(page);
    free(page);
    free(folder);
}

static void the_page_holds_table_curves_and_speed(void **state)
{
    char *folder = synthetic_run("teacher", "t"), *page = page_of(folder);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char *cell = xasprintf("<td>%s</td>", rows[i]);
        assert_non_null(strstr(page, cell));
        free(cell);
    }
    assert_non_null(strstr(page, "38.12"));
    assert_non_null(strstr(page, "3,400,000"));
    assert_non_null(strstr(page, "5:00"));
    assert_int_equal(occurrences(page, "role=\"img\""), 5);
    assert_int_equal(occurrences(page, "<polyline"), 25);
    assert_non_null(strstr(page, "Dev NLL over time"));
    assert_non_null(strstr(page, "Dev BLEU, greedy, over updates"));
    assert_non_null(strstr(page, "Quality against speed"));
    assert_null(strstr(page, ">99<"));                  /* the average is no point of a curve */
    free(page);
    free(folder);
}

static void names_are_escaped_everywhere(void **state)
{
    char *folder = synthetic_run("a<b>&\"c'", "x</title><script>alert(1)</script>");
    char *page = page_of(folder);
    assert_well_formed(page);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "a<b>"));
    assert_null(strstr(page, "<fast>"));
    assert_non_null(strstr(page, "a&lt;b&gt;&amp;&quot;c&#39;"));
    free(page);
    free(folder);
}

static void a_model_alone_gives_its_curves(void **state)
{
    char *folder = xstrdup(scratch_path("model"));
    struct error err;
    assert_int_equal(dir_make(folder, &err), 0);
    write_log(folder, 0);
    char *page = page_of(folder);
    assert_well_formed(page);
    assert_int_equal(occurrences(page, "role=\"img\""), 4);
    assert_null(strstr(page, "<table"));
    free(page);
    free(folder);
}

static void missing_figures_leave_a_dash(void **state)
{
    char *folder = synthetic_run("teacher", "t"), *path = path_join(folder, TABLE_FILE);
    struct error err;
    json_t *table = json_read(path, &err);
    json_object_set_new(json_object_get(table, "teacher"), "bleu_greedy", json_null());
    json_object_del(json_object_get(table, "baseline"), "words_per_s_beam5");
    assert_int_equal(json_write(table, path, &err), 0);
    char *page = page_of(folder);
    assert_well_formed(page);
    assert_non_null(strstr(page, "<td>–</td>"));
    assert_null(strstr(page, "nan"));
    json_decref(table);
    free(page);
    free(path);
    free(folder);
}

static void a_folder_without_a_run_is_refused(void **state)
{
    struct error err = { 0 };
    assert_int_equal(report_write(NULL, "/nowhere", &err), -1);
    assert_non_null(strstr(err.text, "/nowhere holds no finished run"));
    char *folder = synthetic_run("teacher", "t"), *path = path_join(folder, TABLE_FILE);
    write_text(path, "{ damaged");
    assert_int_equal(report_write(NULL, folder, &err), -1);
    assert_non_null(strstr(err.text, "table.json:"));
    free(path);
    free(folder);
}

static void control_bytes_and_bad_utf8_are_replaced(void **state)
{
    struct strbuf out = { 0 };
    html_text(&out, "a\x01z\xFF!");
    assert_string_equal(out.text, "a\xEF\xBF\xBDz\xEF\xBF\xBD!");
    strbuf_release(&out);
}

/* low, high, logarithmic, the ticks */
static const struct { double low, high; bool log; const char *ticks; } scales[] = {
    { 0, 10, false, "0 2 4 6 8 10" },
    { 31.2, 38.9, false, "30 32 34 36 38 40" },
    { 0.1, 0.15, false, "0.1 0.11 0.12 0.13 0.14 0.15" },
    { -3, 4, false, "-4 -2 0 2 4" },
    { 5, 5, false, "4.4 4.6 4.8 5 5.2 5.4 5.6" },
    { 0, 0, false, "0 0.2 0.4 0.6 0.8 1" },
    { 900, 21000, true, "500 1000 2000 5000 10000 20000 50000" },
    { 1, 100000, true, "1 10 100 1000 10000 100000" },
    { 3, 3, true, "2 5 10 20 50" },
};

static void ticks_are_round_and_span_the_data(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(scales); i++) {
        struct strbuf text = { 0 };
        double ticks[16];
        int count = plot_ticks(ticks, scales[i].low, scales[i].high, scales[i].log);
        for (int k = 0; k < count; k++)
            strbuf_printf(&text, "%s%.6g", k ? " " : "", fabs(ticks[k]) < 1e-12 ? 0 : ticks[k]);
        if (strcmp(text.text, scales[i].ticks))
            fail_msg("%g to %g: %s", scales[i].low, scales[i].high, text.text);
        strbuf_release(&text);
    }
}

static void figures_read_well(void **state)
{
    static const struct { const char *key; double value; const char *text; } cases[] = {
        { "parameters", 7, "7" }, { "parameters", 123, "123" }, { "parameters", 1234, "1,234" },
        { "parameters", 3400000, "3,400,000" }, { "bleu_greedy", 38.125, "38.12" },
        { "bleu_greedy", NAN, "–" }, { "train_seconds", 303, "5:03" }, { "mode_share", 0.0123, "0.0123" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        for (const struct column *c = columns; c->key; c++)
            if (!strcmp(c->key, cases[i].key)) {
                char text[32];
                column_text(text, sizeof text, c, cases[i].value);
                assert_string_equal(text, cases[i].text);
            }
}

static void the_table_has_a_line_a_model(void **state)
{
    char *folder = synthetic_run("teacher", "t"), *path = path_join(folder, TABLE_FILE), *text;
    size_t size;
    struct error err;
    json_t *table = json_read(path, &err);
    FILE *stream = open_memstream(&text, &size);
    results_print(table, stream);
    fclose(stream);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_non_null(strstr(text, rows[i]));
    assert_non_null(strstr(text, "BLEU b5"));
    json_decref(table);
    free(text);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_well_formed_and_stands_alone),
        cmocka_unit_test(the_page_holds_table_curves_and_speed),
        cmocka_unit_test(names_are_escaped_everywhere),
        cmocka_unit_test(a_model_alone_gives_its_curves),
        cmocka_unit_test(missing_figures_leave_a_dash),
        cmocka_unit_test(a_folder_without_a_run_is_refused),
        cmocka_unit_test(control_bytes_and_bad_utf8_are_replaced),
        cmocka_unit_test(ticks_are_round_and_span_the_data),
        cmocka_unit_test(figures_read_well),
        cmocka_unit_test(the_table_has_a_line_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
