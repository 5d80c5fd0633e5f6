/* What one stage of a recipe cannot be beside others is told before anything runs: with the line, the stage and
 * the key; and the recipes of this repository contradict themselves nowhere. */
#include "tests/test.h"

#include <dirent.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "distill/kinds.h"
#include "distill/recipe.h"

/* Stages that go together; a case adds others from line 15 on. */
static const char base[] =
    "stages:\n"
    "  corpus: { kind: corpus, source: a, target: b, source-lang: en, target-lang: de }\n"
    "  bare: { like: corpus, dev: 0, test: 0 }\n"
    "  mono: { kind: munge, corpus: corpus }\n"
    "  turned: { kind: reverse, corpus: corpus }\n"
    "  words: { kind: vocabulary, corpus: corpus, size: 1000 }\n"
    "  others: { kind: vocabulary, corpus: corpus, size: 2000 }\n"
    "  apart: { like: words, joint: false }\n"
    "  teacher: { kind: train, corpus: corpus, vocabulary: words, dim: 64, heads: 4, ffn: 128, max-updates: 10 }\n"
    "  stranger: { like: teacher, vocabulary: others }\n"
    "  back: { like: teacher, corpus: turned }\n"
    "  labels: { kind: label, model: teacher, corpus: corpus }\n"
    "  soft: { kind: label, model: teacher, corpus: corpus, soft-targets: top-k, gold: true }\n"
    "  student: { like: teacher, dim: 32, ffn: 64 }\n";

struct contradiction {
    const char *stages;         /* after the base */
    const char *says;           /* part of the message; NULL: nothing is wrong */
};

static void told(const struct contradiction *cases, size_t count)
{
    const char *path = scratch_path("recipe.yml");
    for (size_t i = 0; i < count; i++) {
        struct recipe r = { 0 };
        struct error err = { 0 };
        char *text = xasprintf("%s%s", base, cases[i].stages);
        write_text(path, text);
        int ret = recipe_load(&r, path, stage_kinds, NULL, &err);
        if (!cases[i].says ? ret < 0 : ret == 0 || !strstr(err.text, cases[i].says))
            fail_msg("%s\n   says: %s\n   and not: %s", cases[i].stages, ret < 0 ? err.text : "nothing",
                     cases[i].says ? cases[i].says : "nothing");
        recipe_release(&r);
        free(text);
    }
}

#define TOLD(cases) told(cases, ARRAY_COUNT(cases))

static void a_model_of_another_vocabulary_is_refused(void **state)
{
    static const struct contradiction cases[] = {
        { "  a: { like: student, objective: word-kd, teacher: stranger }\n",
          "recipe.yml:15: stage 'a': 'teacher': the vocabulary of 'stranger' is 'others', but this one's is 'words'; "
          "word-level targets are numbered by pieces" },
        { "  a:\n    like: student\n    objective: word-kd\n    teacher: [teacher, stranger]\n",
          "recipe.yml:18: stage 'a': 'teacher': the vocabulary of 'stranger'" },
        { "  a: { like: teacher, start: stranger }\n", ":15: stage 'a': 'start': the vocabulary of 'stranger'" },
        { "  a: { like: stranger, corpus: soft, objective: word-kd, soft-targets: true }\n",
          ":15: stage 'a': 'corpus': the vocabulary of 'soft' is 'words'" },
        { "  a: { kind: label, corpus: corpus, model: [teacher, stranger] }\n",
          "the vocabulary of 'stranger' is 'others', but that of 'teacher' is 'words'" },
        { "  a: { kind: evaluate, corpus: corpus, model: [teacher, stranger] }\n", "models that speak as one" },
        { "  a: { kind: gap, corpus: corpus, teacher: [teacher, stranger], student: student }\n", "models that speak as one" },
        { "  a: { kind: gap, corpus: corpus, teacher: teacher, student: stranger }\n", NULL },
        { "  a: { kind: choose, corpus: corpus, models: [teacher, stranger] }\n", "their NLLs a token do not compare" },
        { "  a: { kind: choose, corpus: corpus, models: [teacher, stranger], metric: bleu }\n", NULL },
        { "  a: { kind: train-meta, corpus: corpus, unlabelled: mono, vocabulary: words, teacher: stranger, max-updates: 9 }\n",
          "'teacher': the vocabulary of 'stranger'" },
        /* a stage between hands it on; and two of the same options, from the same, leave the same */
        { "  p: { kind: prune, model: stranger }\n  q: { kind: quantize, model: p }\n"
          "  c: { kind: choose, corpus: corpus, models: q }\n  a: { like: student, objective: word-kd, teacher: c }\n",
          ":18: stage 'a': 'teacher': the vocabulary of 'c' is 'others'" },
        { "  again: { like: words }\n  a: { like: student, vocabulary: again, objective: word-kd, teacher: teacher }\n", NULL },
        { "  again: { like: words, corpus: bare }\n  a: { like: student, vocabulary: again, objective: word-kd, teacher: teacher }\n",
          "is 'words', but this one's is 'again'" },
        { "  a: { like: student, tied: all, vocabulary: apart }\n", ":15: stage 'a': tied: all embeddings" },
        { "  a: { like: student, tied: decoder, vocabulary: apart }\n", NULL },
        { "  m: { like: student, tied: none, vocabulary: apart }\n  a: { kind: match, corpus: corpus, teacher: m }\n",
          "tied: all embeddings" },
    };
    (void)state;
    TOLD(cases);
}

static void soft_targets_and_lists_that_nobody_makes_are_refused(void **state)
{
    static const struct contradiction cases[] = {
        { "  a: { like: student, corpus: labels, objective: word-kd, soft-targets: true }\n",
          ":15: stage 'a': soft-targets: the corpus 'labels' has none; label it with `soft-targets: top-k`" },
        { "  a:\n    like: student\n    objective: word-kd\n    soft-targets: true\n", ":18: stage 'a': soft-targets: the corpus 'corpus' has none" },
        { "  a: { like: student, corpus: soft, objective: word-kd, soft-targets: true }\n", NULL },
        { "  d: { like: soft, soft-samples: 8 }\n  a: { like: student, corpus: d, objective: jsd, soft-targets: true }\n",
          ":16: stage 'a': jsd needs probabilities, and soft targets 'd' hold 8 drawn pieces a token" },
        { "  d: { like: soft, soft-samples: 8 }\n"
          "  a: { like: student, corpus: d, objective: word-kd, temperature: 2, soft-targets: true }\n",
          "were drawn at temperature 1 and serve at no other (asked for: 2)" },
        { "  d: { like: soft, soft-samples: 8, soft-temperature: 2 }\n"
          "  a: { like: student, corpus: d, objective: word-kd, temperature: 2, soft-targets: true }\n", NULL },
        { "  f: { kind: filter, corpus: soft, max-words: 50 }\n"
          "  a: { like: student, corpus: f, objective: word-kd, soft-targets: true }\n", NULL },
        { "  s: { kind: select, labels: soft }\n", "one hypothesis a sentence" },
        { "  d: { like: labels, soft-samples: 4 }\n", ":15: stage 'd': soft-samples 4: pieces are drawn beside" },
        { "  s: { kind: select, labels: labels }\n", ":15: stage 's': 'labels': 'labels' has one hypothesis a sentence" },
        { "  n: { like: labels, n-best: 5 }\n  s: { kind: select, labels: n }\n", NULL },
        { "  n: { like: labels, n-best: 5, monolingual: [x] }\n  s: { kind: select, labels: n }\n",
          "n holds no n-best lists beside gold targets" },
        { "  s: { kind: select, labels: corpus }\n", "corpus holds no n-best lists" },
        { "  n: { like: labels, n-best: 5 }\n  f: { kind: filter, corpus: n }\n  s: { kind: select, labels: f }\n",
          "f holds no n-best lists" },
        { "  f: { kind: filter, corpus: corpus, max-ter: 0.8 }\n", ":15: stage 'f': max-ter: stage 'corpus' has no gold targets" },
        { "  f: { kind: filter, corpus: labels, max-ter: 0.8 }\n", NULL },
        { "  a: { like: student, corpus: mono }\n", ":15: stage 'a': 'corpus': 'mono' has no targets" },
        { "  a: { like: student, corpus: [corpus, mono] }\n", "'mono' has no targets" },
        { "  a: { kind: label, corpus: mono, model: teacher }\n", NULL },
        { "  a: { kind: label, corpus: mono, model: teacher, gold: true, soft-targets: top-k }\n", "'mono' has no targets" },
        { "  m: { like: corpus, side: source }\n  a: { like: student, corpus: m }\n", "'m' has no targets" },
    };
    (void)state;
    TOLD(cases);
}

static void a_set_that_the_corpus_has_not_is_not_asked_for(void **state)
{
    static const struct contradiction cases[] = {
        { "  a: { kind: evaluate, corpus: bare, model: teacher }\n", ":15: stage 'a': 'corpus': 'bare' has no test set" },
        { "  a: { kind: evaluate, corpus: bare, model: teacher, set: dev }\n", "'bare' has no dev set" },
        { "  l: { like: labels, corpus: bare }\n  a: { kind: evaluate, corpus: l, model: teacher }\n", "'l' has no test set" },
        { "  t: { like: bare, test-source: x, test-target: y }\n  a: { kind: evaluate, corpus: t, model: teacher }\n", NULL },
        { "  t: { like: bare, test: 1% }\n  a: { kind: evaluate, corpus: t, model: teacher }\n", NULL },
        { "  a: { kind: gap, corpus: bare, teacher: teacher, student: student }\n", "'bare' has no test set" },
        { "  a: { kind: choose, corpus: bare, models: teacher }\n", "'bare' has no dev set" },
        { "  a: { like: student, corpus: bare }\n", NULL },
        { "  a:\n    like: student\n    corpus: bare\n    patience: 5\n", ":18: stage 'a': patience needs a dev set" },
        { "  a: { like: student, corpus: bare, metric: bleu }\n", "metric needs a dev set" },
        { "  a: { like: student, corpus: bare, average: 4, average-of: best }\n", "average needs a dev set" },
        { "  a: { like: student, corpus: bare, schedule: plateau }\n", "schedule needs a dev set" },
        { "  a: { like: student, corpus: bare, keep-models: 4 }\n", "keep-models needs a dev set" },
        { "  a: { like: student, corpus: bare, objective: word-kd, teacher: teacher, alpha: triggered 0 1 0.1 }\n",
          ":15: stage 'a': alpha: 'triggered 0 1 0.1' follows the dev loss, and there is no validation corpus" },
        { "  a: { like: student, corpus: bare, objective: jsd, teacher: teacher, on-policy: triggered 0 1 0.1 }\n",
          "on-policy: 'triggered 0 1 0.1' follows the dev loss" },
        { "  a: { like: student, corpus: bare, objective: word-kd, teacher: teacher, teacher-temperature: fit }\n",
          ":15: stage 'a': teacher-temperature: fit needs a dev set" },
        { "  a: { like: student, corpus: bare, unlabelled: mono, mixing-weights: [1, triggered 0 1 0.1] }\n",
          "mixing-weights: 'triggered 0 1 0.1' follows the dev loss" },
        { "  a: { like: student, patience: 5, metric: bleu, average: 4, objective: word-kd, teacher: teacher, "
          "alpha: triggered 0 1 0.1, teacher-temperature: fit }\n", NULL },
        { "  a: { kind: train-meta, corpus: bare, unlabelled: mono, vocabulary: words, teacher: teacher, max-updates: 9, "
          "patience: 2 }\n", "patience needs a dev set" },
    };
    (void)state;
    TOLD(cases);
}

static void models_of_the_other_direction_are_refused(void **state)
{
    static const struct contradiction cases[] = {
        { "  a: { like: labels, model: back }\n",
          ":15: stage 'a': 'model': 'back' translates de to en, and the other direction is wanted: the corpus 'corpus' is en to de" },
        { "  a: { like: labels, model: back, direction: back }\n", NULL },
        { "  a: { like: labels, direction: back }\n", "'teacher' translates en to de, and the other direction is wanted" },
        { "  a: { kind: evaluate, corpus: turned, model: teacher }\n", "'teacher' translates en to de" },
        { "  a: { kind: evaluate, corpus: turned, model: back }\n", NULL },
        { "  a: { kind: gap, corpus: corpus, teacher: teacher, student: back }\n", "'student': 'back' translates de to en" },
        { "  a: { like: student, objective: word-kd, teacher: back }\n", "'teacher': 'back' translates de to en" },
        { "  a: { like: teacher, start: back }\n", NULL },
        { "  b: { like: teacher, corpus: [corpus, turned] }\n  a: { kind: evaluate, corpus: turned, model: b }\n", NULL },
        { "  f: { kind: filter, corpus: labels, reverse-model: teacher, drop-worst: 0.05 }\n", "'reverse-model': 'teacher'" },
        { "  f: { kind: filter, corpus: labels, reverse-model: back, drop-worst: 0.05 }\n", NULL },
        { "  a: { kind: match, corpus: turned, teacher: teacher }\n", "'teacher': 'teacher' translates en to de" },
        { "  c: { like: corpus, source-lang: src, target-lang: src }\n  a: { kind: evaluate, corpus: c, model: back }\n", NULL },
    };
    (void)state;
    TOLD(cases);
}

static void a_start_of_other_shape_is_refused(void **state)
{
    static const struct contradiction cases[] = {
        { "  p: { kind: prune, model: teacher }\n  a: { like: student, start: p }\n",
          ":16: stage 'a': 'start' from 'p': weight '" },
        { "  p: { kind: prune, model: teacher }\n  a: { like: teacher, start: p }\n", NULL },
        { "  a: { like: teacher, encoder-layers: 3, start: teacher }\n", "'start' from 'teacher': the model to start from has" },
        { "  a: { like: teacher, decoder-layers: 2, start: teacher, start-by: layers, start-decoder-layers: [0, 5] }\n", NULL },
        { "  a: { like: teacher, decoder-layers: 2, start: teacher, start-by: layers, start-decoder-layers: [0, 6] }\n",
          "no weight 'decoder.6." },
        { "  a: { like: student, start: teacher, start-by: layers, start-encoder-layers: [0, 1, 2, 3, 4, 5] }\n",
          "in the model to start from; give both the same sizes" },
        { "  w: { like: teacher, positions: learned }\n"
          "  a: { like: w, dim: 32, heads: 2, ffn: 64, start: w, start-by: slice }\n", NULL },
        { "  w: { like: teacher, positions: learned }\n"
          "  a: { like: w, dim: 128, heads: 8, start: w, start-by: slice }\n", "in the model to take a slice of" },
        { "  s: { kind: slice, model: teacher }\n", ":15: stage 's': 'model' from 'teacher': a slim network has other sinusoids" },
        { "  w: { like: teacher, positions: learned }\n  s: { kind: slice, model: w }\n"
          "  a: { like: w, dim: 32, heads: 2, ffn: 64, start: s }\n", NULL },
        { "  w: { like: teacher, positions: learned }\n  s: { kind: slice, model: w }\n  a: { like: w, start: s }\n",
          "'start' from 's': weight '" },
        { "  a: { like: teacher, start: teacher, reset: kels }\n", "'start' from 'teacher': a slim network has other sinusoids" },
        { "  l: { like: teacher, arch: lstm }\n  a: { kind: match, corpus: corpus, teacher: l }\n",
          ":16: stage 'a': features are matched between transformers" },
        { "  w: { like: teacher, positions: learned, max-positions: 100, max-length: 90 }\n"
          "  a: { like: student, objective: word-kd, teacher: w, max-length: 100 }\n",
          "max-length 100: the learned positions of 'w' end at 100" },
        { "  a: { like: student, decoder-layers: 0 }\n", ":15: stage 'a': decoder-layers 0: translation needs a decoder" },
    };
    (void)state;
    TOLD(cases);
}

/* Where a check says nothing of the key, the message may begin with it. */
static void messages_that_begin_with_a_key_get_its_line(void **state)
{
    static const struct contradiction cases[] = {
        { "  a:\n    like: student\n    positions: learned\n    max-length: 2000\n",
          ":18: stage 'a': max-length 2000: learned positions end at max-positions 1024" },
        { "  a:\n    kind: train-meta\n    corpus: corpus\n    unlabelled: mono\n    vocabulary: words\n    teacher: teacher\n"
          "    max-updates: 9\n    accumulate: 2\n", ":22: stage 'a': accumulate: the teacher is told" },
        { "  l:\n    like: labels\n    n-best: 5\n    beam: 4\n", ":17: stage 'l': n-best 5 asks for more than beam 4 keeps" },
    };
    (void)state;
    TOLD(cases);
}

static void options_are_called_keys(void **state)
{
    static const struct contradiction cases[] = {
        { "  l: { like: labels, n-best: 5, beam: 4 }\n",
          ":15: stage 'l': n-best 5 asks for more than beam 4 keeps: raise the beam to 5" },
        { "  l: { like: labels, n-best: 5, beam: 0 }\n", ":15: stage 'l': key 'beam': 0 is out of range 1 … " },
        { "  l: { like: labels, beam-groups: 2, sampling: true }\n", "beam-groups is a way to search: it does not go with sampling" },
    };
    (void)state;
    TOLD(cases);
}

static void tasks_that_a_model_does_not_know_are_refused(void **state)
{
#define TASKS \
    "  topic: { kind: task, train: t.tsv, dev-examples: 9 }\n" \
    "  grade: { kind: task, task: regress, train: g.tsv }\n" \
    "  into: { kind: task, task: translate, corpus: corpus }\n" \
    "  many: { kind: train-tasks, tasks: [topic, grade], vocabulary: words, decoder-layers: 0, max-updates: 9 }\n"
    static const struct contradiction cases[] = {
        { TASKS "  e: { kind: evaluate-tasks, model: many, tasks: [topic], set: dev }\n", NULL },
        { TASKS "  e: { kind: evaluate-tasks, model: many, tasks: [topic, into], set: dev }\n",
          ":19: stage 'e': 'model': 'many' does not know task 'into'; its tasks are those of stage 'many'" },
        { TASKS "  e: { kind: evaluate-tasks, model: many, tasks: [topic, grade], set: dev }\n", "'tasks': 'grade' has no dev set" },
        { TASKS "  e: { kind: evaluate-tasks, model: many, tasks: [topic] }\n", "'tasks': 'topic' has no test set" },
        { TASKS "  d: { kind: task, task: denoise, texts: [topic] }\n"
          "  m: { like: many, tasks: [d], decoder-layers: 2 }\n  e: { kind: evaluate-tasks, model: m, tasks: [d] }\n",
          "task 'd' is to restore damaged texts" },
        { TASKS "  o: { kind: task-outputs, model: many, task: into }\n", "task 'into' is a translation" },
        { TASKS "  l: { kind: label-task, model: many, task: grade, texts: x }\n", ":19: stage 'l': task 'grade' is no classification" },
        { TASKS "  one: { like: many, tasks: [grade] }\n  l: { kind: label-task, model: one, task: topic, texts: x }\n",
          "'one' does not know task 'topic'" },
        { TASKS "  one: { like: many, tasks: [grade] }\n  a: { like: many, teachers: { topic: one } }\n",
          ":20: stage 'a': 'teachers': 'one' does not know task 'topic'" },
        { TASKS "  a: { like: many, vocabulary: others, teachers: { topic: many } }\n", "'teachers': the vocabulary of 'many'" },
        { TASKS "  o: { kind: task-outputs, model: many, task: topic }\n"
          "  a: { like: many, vocabulary: others, outputs: { topic: o } }\n", "'outputs': the vocabulary of 'o'" },
        { TASKS "  a: { like: many, vocabulary: others, start: many }\n", "'start': the vocabulary of 'many'" },
        { TASKS "  a: { like: many, decoder-layers: 2 }\n", "decoder-layers 2: none of the tasks is a translation" },
        { TASKS "  a: { like: many, tasks: [topic, into] }\n", ":18: stage 'a': decoder-layers 0: translation needs a decoder" },
        { TASKS "  a: { like: many, metric: grade }\n", "metric: task 'grade' has no examples to validate on" },
        { TASKS "  a: { like: many, tasks: [grade], patience: 3 }\n", "patience needs a dev set" },
        { TASKS "  a: { like: many, tasks: [grade], task-patience: 3 }\n", "task-patience needs a dev set" },
        { TASKS "  a: { like: student, objective: word-kd, teacher: many }\n", "'many' was made for several tasks" },
    };
    (void)state;
    TOLD(cases);
}

/* Variables that wait for a value get one. */
static void load_repository(const char *path)
{
    static const char *const names[] = { "data", "source_pages", "target_pages" };
    struct strings set = { 0 };
    struct recipe r = { 0 };
    struct error err = { 0 };
    char *text;
    assert_int_equal(file_read(&text, NULL, path, &err), 0);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char *variable = xasprintf("\n  %s:", names[i]), *value = xasprintf("%s=somewhere", names[i]);
        if (strstr(text, variable))
            strings_add(&set, value);
        free(variable);
        free(value);
    }
    if (recipe_load(&r, path, stage_kinds, &set, &err) < 0)
        fail_msg("%s", err.text);
    recipe_release(&r);
    strings_release(&set);
    free(text);
}

static int load_folder(const char *folder)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort), count = 0;
    assert_true(n >= 0);
    for (int i = 0; i < n; i++) {
        char *path = path_join(folder, names[i]->d_name);
        const char *dot = strrchr(path, '.');
        if (dot && !strcmp(dot, ".yml")) {
            load_repository(path);
            count++;
        }
        free(path);
        free(names[i]);
    }
    free(names);
    return count;
}

static void the_recipes_of_this_repository_contradict_themselves_nowhere(void **state)
{
    (void)state;
    assert_true(load_folder(TEST_DATA "/../../recipes") >= 1);
    assert_true(load_folder(TEST_DATA "/../../recipes/papers") >= 13);
    assert_true(load_folder(TEST_DATA "/../cli") >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_of_another_vocabulary_is_refused),
        cmocka_unit_test(soft_targets_and_lists_that_nobody_makes_are_refused),
        cmocka_unit_test(a_set_that_the_corpus_has_not_is_not_asked_for),
        cmocka_unit_test(models_of_the_other_direction_are_refused),
        cmocka_unit_test(a_start_of_other_shape_is_refused),
        cmocka_unit_test(messages_that_begin_with_a_key_get_its_line),
        cmocka_unit_test(options_are_called_keys),
        cmocka_unit_test(tasks_that_a_model_does_not_know_are_refused),
        cmocka_unit_test(the_recipes_of_this_repository_contradict_themselves_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
