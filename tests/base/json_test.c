#include "tests/test.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

static void json_comes_back_as_written(void **state)
{
    struct error err = { 0 };
    const char *path = scratch_path("value.json");
    json_t *value = json_pack("{s:i, s:[f, n, b], s:s}", "b", 1, "a", 0.1, 1, "c", "ä\n"), *back;
    assert_int_equal(json_write(value, path, &err), 0);
    back = json_read(path, &err);
    assert_non_null(back);
    assert_true(json_equal(value, back));
    assert_string_equal(json_object_iter_key(json_object_iter(back)), "b");
    json_decref(value);
    json_decref(back);
}

static void numbers_are_written_as_they_were_meant(void **state)
{
    struct error err = { 0 };
    const char *path = scratch_path("numbers.json");
    char *text;
    json_t *value = json_pack("[f, f, f, f]", 0.1, 1e-9, 0.98, 1234567.25);
    assert_int_equal(json_write(value, path, &err), 0);
    assert_int_equal(file_read(&text, NULL, path, &err), 0);
    assert_string_equal(text, "[\n  0.1,\n  1e-9,\n  0.98,\n  1234567.25\n]\n");
    free(text);
    json_decref(value);
}

static void failed_write_leaves_the_old_file(void **state)
{
    struct error err = { 0 };
    const char *path = scratch_path("kept.json");
    json_t *outer = json_array(), *inner = json_array();
    write_text(path, "[7]\n");
    json_array_append(outer, inner);
    json_array_append(inner, outer);    /* a circle cannot be written */
    assert_int_equal(json_write(outer, path, &err), -1);
    assert_non_null(strstr(err.text, path));
    json_t *back = json_read(path, &err);
    assert_int_equal(json_integer_value(json_array_get(back, 0)), 7);
    json_array_clear(inner);
    json_decref(back);
    json_decref(inner);
    json_decref(outer);
}

static void full_disk_is_told(void **state)
{
    struct error err = { 0 };
    json_t *value = json_object();
    NEED_FILE("/dev/full");
    assert_int_equal(json_write(value, "/dev/full", &err), -1);
    assert_non_null(strstr(err.text, "No space left"));
    json_decref(value);
}

static void bad_json_names_file_and_line(void **state)
{
    static const struct { const char *text; int line; const char *part; } cases[] = {
        { "{\n\"a\": 1,\n}", 3, "string or '}' expected" },
        { "{\"a\": 1,\n \"a\": 2}", 2, "duplicate object key" },
        { "", 1, "" }, { "{} {}", 1, "end of file expected" }, { "[1,\n2,\n\"\xFF\"]", 3, "unable to decode byte 0xff" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error err = { 0 };
        const char *path = scratch_path("bad.json");
        char *start = xasprintf("%s:%d: not valid JSON: ", path, cases[i].line);
        write_text(path, cases[i].text);
        assert_null(json_read(path, &err));
        if (strncmp(err.text, start, strlen(start)) || !strstr(err.text, cases[i].part))
            fail_msg("%s", err.text);
        free(start);
    }
}

static void missing_file_is_named(void **state)
{
    struct error err = { 0 };
    assert_null(json_read("/no/such.json", &err));
    assert_string_equal(err.text, "cannot read /no/such.json: No such file or directory");
    assert_null(yaml_read("/no/such.yml", &err));
    assert_string_equal(err.text, "cannot read /no/such.yml: No such file or directory");
}

/* ---- YAML ---- */

static json_t *yaml(const char *text, struct error *err)
{
    const char *path = scratch_path("file.yml");
    write_text(path, text);
    return yaml_read(path, err);
}

static void yaml_is_read_as_json(void **state)
{
    static const struct { const char *yaml, *json; } cases[] = {
        { "", "{}" }, { "# nothing\n", "{}" },
        { "b: 1\na: 2\n", "{\"b\":1,\"a\":2}" },
        { "- 1\n- two\n", "[1,\"two\"]" },
        { "[null, ~, Null, NULL]", "[null,null,null,null]" },
        { "a:\nb: ''\n", "{\"a\":null,\"b\":\"\"}" },
        { "[true, True, TRUE, false, False, FALSE]", "[true,true,true,false,false,false]" },
        { "[yes, no, on, off, y, n, tRUE]", "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\",\"tRUE\"]" },
        { "[0, -1, +2, 007, 0o17, 0xfF]", "[0,-1,2,7,15,255]" },
        { "[1.5, .5, 5., 1e3, -1.5E-3, 1e]", "[1.5,0.5,5.0,1000.0,-0.0015,\"1e\"]" },
        { "['1', \"true\", 'null', '1.5']", "[\"1\",\"true\",\"null\",\"1.5\"]" },
        { "[1_000, 1.2.3, 0x, -, ., 1-2, 12:30:45, 0o9]",
          "[\"1_000\",\"1.2.3\",\"0x\",\"-\",\".\",\"1-2\",\"12:30:45\",\"0o9\"]" },
        { "99999999999999999999", "1e20" },
        { "a: |\n  two\n  lines\n", "{\"a\":\"two\\nlines\\n\"}" },
        { "a: {b: [1, {c: d}]}", "{\"a\":{\"b\":[1,{\"c\":\"d\"}]}}" },
        { "x: &x {n: 1}\ny: *x\n", "{\"x\":{\"n\":1},\"y\":{\"n\":1}}" },
        { "---\na: 1\n...\n", "{\"a\":1}" },
        { "ü: ä€😀", "{\"ü\":\"ä€😀\"}" },
        { "1: one", "{\"1\":\"one\"}" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error err = { 0 };
        json_t *got = yaml(cases[i].yaml, &err);
        if (!got)
            fail_msg("%s: %s", cases[i].yaml, err.text);
        json_t *expected = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
        char *text = json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY);
        if (!json_equal(got, expected))
            fail_msg("%s: %s", cases[i].yaml, text);
        free(text);
        yaml_forget(got);
        json_decref(got);
        json_decref(expected);
    }
}

static void yaml_keeps_the_order_of_keys(void **state)
{
    struct error err = { 0 };
    json_t *got = yaml("z: 1\na: 2\nm: 3\n", &err);
    char *text = json_dumps(got, JSON_COMPACT);
    assert_string_equal(text, "{\"z\":1,\"a\":2,\"m\":3}");
    free(text);
    yaml_forget(got);
    json_decref(got);
}

static void bad_yaml_names_file_and_line(void **state)
{
    static const struct { const char *text; int line; const char *part; } cases[] = {
        { "a: 1\nb: 2\na: 3\n", 3, "duplicate key 'a', already in line 1; remove one" },
        { "s:\n  x: 1\n  x: 2\n", 3, "duplicate key 'x', already in line 2" },
        { "a: [1, 2\nb: 3\n", 2, "not valid YAML" },
        { "a: 1\n\tb: 2\n", 2, "not valid YAML" },
        { "a: 1\nb: *nowhere\n", 2, "undefined alias" },
        { "a: 1\n? [x]\n: 2\n", 2, "a key must be a word" },
        { "a: .nan\n", 1, "infinity and NaN" }, { "a:\n - -.inf\n", 2, "infinity and NaN" },
        { "a: 1e999\n", 1, "too large" },
        { "a: 1\nb: !!int 7\n", 2, "tags are not accepted" },
        { "a: &a [*a]\n", 1, "nested too deeply" },
        { "a: 1\n---\nb: 2\n", 3, "a second document" },
        { "a: 1\n---\nb: [\n", 4, "not valid YAML" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error err = { 0 };
        json_t *got = yaml(cases[i].text, &err);
        if (got)
            fail_msg("%s was read", cases[i].text);
        char *place = xasprintf("file.yml:%d: ", cases[i].line);
        if (!strstr(err.text, place) || !strstr(err.text, cases[i].part))
            fail_msg("%s: %s", cases[i].text, err.text);
        free(place);
    }
}

static void yaml_that_is_not_utf8_is_told(void **state)
{
    struct error err = { 0 };
    assert_null(yaml("a: \xFF\n", &err));
    assert_non_null(strstr(err.text, "file.yml"));
    assert_non_null(strstr(err.text, "UTF-8"));
}

static void aliases_cannot_explode(void **state)
{
    struct error err = { 0 };
    assert_null(yaml("a: &a [1,1,1,1,1,1,1,1,1,1]\n"
                     "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                     "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                     "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                     "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                     "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n", &err));
    assert_non_null(strstr(err.text, "too many values"));
}

static void lines_of_keys_and_items_are_known(void **state)
{
    static const struct { const char *pointer; int line; } cases[] = {
        { "name", 2 }, { "stages", 3 }, { "stages/teacher", 4 }, { "stages/teacher/beam", 5 },
        { "list", 6 }, { "list/0", 7 }, { "list/1", 8 }, { "list/1/x", 8 }, { "list/2", 0 },
        { "stages/student", 0 }, { "", 0 }, { "beam", 0 },
    };
    struct error err = { 0 };
    json_t *root = yaml("# recipe\nname: x\nstages:\n  teacher:\n    beam: 5\nlist:\n- 1\n- x: 2\n", &err);
    assert_non_null(root);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_int_equal(yaml_line(root, cases[i].pointer), cases[i].line);
    yaml_forget(root);
    assert_int_equal(yaml_line(root, "name"), 0);
    yaml_forget(root);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_comes_back_as_written),
        cmocka_unit_test(numbers_are_written_as_they_were_meant),
        cmocka_unit_test(failed_write_leaves_the_old_file),
        cmocka_unit_test(full_disk_is_told),
        cmocka_unit_test(bad_json_names_file_and_line),
        cmocka_unit_test(missing_file_is_named),
        cmocka_unit_test(yaml_is_read_as_json),
        cmocka_unit_test(yaml_keeps_the_order_of_keys),
        cmocka_unit_test(bad_yaml_names_file_and_line),
        cmocka_unit_test(yaml_that_is_not_utf8_is_told),
        cmocka_unit_test(aliases_cannot_explode),
        cmocka_unit_test(lines_of_keys_and_items_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
