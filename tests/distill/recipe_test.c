/* Recipes: what is read, in which order, and how mistakes are told. */
#include "tests/test.h"

#include "tests/distill/fake_kinds.h"

static const char *recipe_file(const char *text)
{
    const char *path = scratch_path("recipe.yml");
    write_text(path, text);
    return path;
}

static void load(struct recipe *r, const char *text)
{
    struct error err = { 0 };
    if (recipe_load(r, recipe_file(text), fake_kinds, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static const struct note_config *config_of(const struct recipe *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (!strcmp(r->stages[i].name, name))
            return r->stages[i].config;
    fail_msg("no stage %s", name);
    return NULL;
}

static size_t place_of(const struct recipe *r, const char *name)
{
    size_t i = 0;
    while (i < r->count && strcmp(r->stages[i].name, name))
        i++;
    return i;
}

static void options_are_read_by_their_table(void **state)
{
    struct recipe r = { 0 };
    load(&r, "stages:\n  a:\n    kind: note\n    text: hello\n    count: 7\n    mode: loud\n    rate: 0.25\n");
    const struct note_config *c = config_of(&r, "a");
    assert_string_equal(c->text, "hello");
    assert_int_equal(c->count, 7);
    assert_int_equal(c->mode, 1);
    assert_true(c->rate == 0.25f);
    assert_string_equal(r.name, "recipe");
    recipe_release(&r);
}

static void stages_come_after_what_they_need(void **state)
{
    struct recipe r = { 0 };
    load(&r, "stages:\n"
             "  last: { kind: note, after: { x: middle, y: first } }\n"
             "  middle: { kind: note, after: [first] }\n"
             "  first: { kind: note }\n");
    assert_true(place_of(&r, "first") < place_of(&r, "middle"));
    assert_true(place_of(&r, "middle") < place_of(&r, "last"));
    const struct stage *last = &r.stages[2];
    assert_int_equal(last->link_count, 2);
    assert_string_equal(last->links[0].label, "x");
    assert_string_equal(r.stages[last->links[0].stage].name, "middle");
    assert_string_equal(r.stages[1].links[0].label, "first");
    recipe_release(&r);
}

static void a_stage_like_another_takes_its_keys(void **state)
{
    struct recipe r = { 0 };
    load(&r, "stages:\n"
             "  a: { kind: note, text: a, count: 3, rate: 0.75 }\n"
             "  b: { like: a, text: b }\n"
             "  c: { like: b, rate: null }\n");
    assert_string_equal(config_of(&r, "c")->text, "b");
    assert_int_equal(config_of(&r, "c")->count, 3);
    assert_true(config_of(&r, "c")->rate == 0.5f);
    assert_true(config_of(&r, "b")->rate == 0.75f);
    recipe_release(&r);
}

static void variables_are_put_in(void **state)
{
    struct recipe r = { 0 };
    load(&r, "variables:\n  lang: de\n  n: 4\n  name: x-${lang}\n"
             "stages:\n  a: { kind: note, text: \"${name} costs $$5\", count: \"${n}\" }\n");
    assert_string_equal(config_of(&r, "a")->text, "x-de costs $5");
    assert_int_equal(config_of(&r, "a")->count, 4);
    recipe_release(&r);
}

static void the_command_line_overrides(void **state)
{
    struct recipe r = { 0 };
    struct strings set = { 0 };
    struct error err = { 0 };
    strings_add(&set, "lang=fr");
    strings_add(&set, "a.count=9");
    assert_int_equal(recipe_load(&r, recipe_file("variables: { lang: de }\n"
        "stages:\n  a: { kind: note, text: \"${lang}\", count: 2 }\n  b: { like: a }\n"),
        fake_kinds, &set, &err), 0);
    assert_string_equal(config_of(&r, "a")->text, "fr");
    assert_int_equal(config_of(&r, "b")->count, 9);
    strings_release(&set);
    recipe_release(&r);
}

static void the_recipes_seed_serves_where_a_stage_has_none(void **state)
{
    struct recipe r = { 0 };
    load(&r, "seed: 11\nstages:\n  a: { kind: note }\n  b: { kind: note, seed: 5 }\n");
    assert_int_equal(config_of(&r, "a")->seed, 11);
    assert_int_equal(config_of(&r, "b")->seed, 5);
    recipe_release(&r);
}

static void seeds_run_what_varies_once_each(void **state)
{
    struct recipe r = { 0 };
    load(&r, "seeds: [3, 5]\nstages:\n"
             "  plain: { kind: note }\n"
             "  fixed: { kind: dice, seed: 9 }\n"
             "  roll: { kind: dice, base: fixed }\n"
             "  told: { kind: note, after: { x: roll, y: plain } }\n"
             "  album: { kind: album, rows: { a: told, b: plain } }\n");
    assert_int_equal(r.count, 7);
    assert_int_equal(config_of(&r, "fixed")->seed, 9);
    assert_int_equal(config_of(&r, "roll@3")->seed, 3);
    assert_int_equal(config_of(&r, "roll@5")->seed, 5);
    assert_int_equal(config_of(&r, "told@5")->seed, 0);
    const struct stage *told = &r.stages[place_of(&r, "told@5")];
    assert_string_equal(r.stages[told->links[0].stage].name, "roll@5");
    assert_string_equal(r.stages[told->links[1].stage].name, "plain");
    const struct stage *album = &r.stages[place_of(&r, "album")];
    assert_int_equal(album->link_count, 3);
    assert_string_equal(album->links[1].label, "a");
    assert_string_equal(r.stages[album->links[1].stage].name, "told@5");
    assert_string_equal(album->links[2].label, "b");
    recipe_release(&r);
}

static void narrowing_keeps_a_stage_and_its_needs(void **state)
{
    struct recipe r = { 0 };
    struct error err = { 0 };
    load(&r, "stages:\n  a: { kind: note }\n  b: { kind: note }\n  c: { kind: note, after: b }\n");
    assert_int_equal(recipe_narrow(&r, "c", &err), 0);
    assert_int_equal(r.count, 2);
    assert_string_equal(r.stages[0].name, "b");
    assert_int_equal(recipe_narrow(&r, "d", &err), -1);
    recipe_release(&r);
}

/* recipe, --set or NULL, what the message must hold (place and nearest name) */
static const char *const mistakes[][4] = {
    { "stages:\n  a:\n    kind: note\n    cuont: 3\n", NULL,
      ":4: unknown key 'cuont' in stage 'a' (kind note), did you mean 'count'?" },
    { "stages:\n  a:\n    kind: noet\n", NULL, ":3: stage 'a' is of the unknown kind 'noet', did you mean 'note'?" },
    { "stages:\n  a:\n    count: 3\n", NULL, ":2: stage 'a' has no 'kind'" },
    { "stages:\n  a:\n    kind: note\n    count: 300\n", NULL, ":4: stage 'a': key 'count': 300 is out of range" },
    { "stages:\n  a:\n    kind: note\n    count: many\n", NULL, ":4: stage 'a': key 'count': 'many' is not a whole number" },
    { "stages:\n  a:\n    kind: note\n    mode: silent\n", NULL, "'silent' is none of plain, loud" },
    { "stages:\n  first:\n    kind: note\n  b:\n    kind: note\n    after: frist\n", NULL,
      ":6: stage 'b' takes 'after' from 'frist', which does not exist, did you mean 'first'?" },
    { "stages:\n  a:\n    kind: other\n  b:\n    kind: note\n    after: a\n", NULL,
      ":6: stage 'b': 'after' wants a note, but 'a' (kind other) makes a nothing" },
    { "stages:\n  a:\n    kind: note\n    after: c\n  b:\n    kind: note\n    after: a\n  c:\n    kind: note\n    after: b\n",
      NULL, "in a circle: a ← c ← b ← a" },
    { "stages:\n  a:\n    kind: note\n    after: a\n", NULL, "in a circle: a ← a" },
    { "stages:\n  a:\n    like: b\n  b:\n    like: a\n", NULL, "is like itself" },
    { "stages:\n  a:\n    like: bb\n", NULL, ":3: stage 'a' is like 'bb', which does not exist" },
    { "stages:\n  a:\n    kind: note\n    text: ${lnag}\nvariables:\n  lang: de\n", NULL,
      ":4: no variable 'lnag', did you mean 'lang'?" },
    { "variables:\n  data:\nstages:\n  a:\n    kind: note\n    text: ${data}\n", NULL,
      ":6: variable 'data' has no value; give --set data=" },
    { "stagse:\n  a: { kind: note }\n", NULL, ":1: unknown key 'stagse' of a recipe, did you mean 'stages'?" },
    { "name: x\n", NULL, "the recipe has no stages" },
    { "stages:\n  a/b: { kind: note }\n", NULL, ":2: 'a/b' is no name for a stage" },
    { "stages:\n  a: 3\n", NULL, ":2: stage 'a' is not a mapping" },
    { "seed: x\nstages:\n  a: { kind: note }\n", NULL, ":1: 'seed' is not a whole number" },
    { "stages:\n  a:\n    kind: note\n    like: c\n  c:\n    kind: note\n    coutn: 1\n", NULL,
      ":7: unknown key 'coutn' in stage 'a' (kind note), did you mean 'count'?" },
    { "stages:\n  a: { kind: note }\n", "b.count=2", "--set b.count=2: the recipe has no stage 'b'" },
    { "stages:\n  a: { kind: note }\n", "a.conut=2", "--set a.conut=2: unknown key 'conut' in stage 'a'" },
    { "variables: { lang: de }\nstages:\n  a: { kind: note }\n", "lagn=fr", "no variable 'lagn', did you mean 'lang'?" },
    { "stages:\n  a: { kind: note }\n", "lang", "wanted: variable=value or stage.option=value" },
    { "stages:\n  a: [unclosed\n", NULL, "not valid YAML" },
};

static void mistakes_name_the_place_and_the_nearest_name(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(mistakes); i++) {
        struct recipe r = { 0 };
        struct strings set = { 0 };
        struct error err = { 0 };
        if (mistakes[i][1])
            strings_add(&set, mistakes[i][1]);
        if (recipe_load(&r, recipe_file(mistakes[i][0]), fake_kinds, &set, &err) == 0)
            fail_msg("case %zu was accepted", i);
        if (!strstr(err.text, mistakes[i][2]))
            fail_msg("case %zu says: %s", i, err.text);
        assert_null(r.stages);
        strings_release(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read_by_their_table),
        cmocka_unit_test(stages_come_after_what_they_need),
        cmocka_unit_test(a_stage_like_another_takes_its_keys),
        cmocka_unit_test(variables_are_put_in),
        cmocka_unit_test(the_command_line_overrides),
        cmocka_unit_test(the_recipes_seed_serves_where_a_stage_has_none),
        cmocka_unit_test(seeds_run_what_varies_once_each),
        cmocka_unit_test(narrowing_keeps_a_stage_and_its_needs),
        cmocka_unit_test(mistakes_name_the_place_and_the_nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
