/* coho model: what a model is and where it comes from; the mean of several. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/table.h"
#include "cli/command.h"
#include "cli/decoding.h"
#include "cli/lineage.h"
#include "seq2seq/average.h"
#include "seq2seq/model.h"
#include "seq2seq/prune.h"
#include "seq2seq/sparse.h"
#include "seq2seq/weights.h"
#include "tokenize/tokenizer.h"

struct model_command {
    struct prune_config prune;
    char *output;
    bool json, quiet;
};

#define FIELD(member) offsetof(struct model_command, member)
static const struct option info_options[] = {
    { "json", OPTION_FLAG, FIELD(json), "false", .help = "all of it as JSON" },
    { 0 }
};
static const struct option average_options[] = {
    { "output", OPTION_STRING, FIELD(output), NULL, .letter = 'o', .required = true,
      .help = "folder of the new model" },
    { "quiet", OPTION_FLAG, FIELD(quiet), "false", .letter = 'q', .help = "no messages" },
    { 0 }
};
#undef FIELD

/* ---- info: the facts ---- */

static const char *const transformer_only[] = {
    "ffn", "heads", "norm", "positions", "max-positions", "activation", "decoder-layer",
    "dropout-attention", "dropout-ffn", NULL
};
static const char *const lstm_only[] = { "encoder-direction", "input-feeding", NULL };

static bool among(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (!strcmp(*names, name))
            return true;
    return false;
}

/* The options that mean something for this architecture, as JSON. */
static json_t *config_json(const struct model *m)
{
    struct model_config config = m->config;
    const struct option_group groups[] = { { NULL, model_options, &config }, { 0 } };
    json_t *all = options_to_json(groups), *own = json_object(), *value;
    bool lstm = !strcmp(json_string_value(json_object_get(all, "arch")), "lstm");
    const char *name;
    json_object_foreach(all, name, value)
        if (!among(lstm ? transformer_only : lstm_only, name))
            json_object_set(own, name, value);
    json_decref(all);
    return own;
}

/* The share of all weights that are not zero. */
static double density(const struct model *m)
{
    size_t count = 0;
    for (size_t i = 0; i < m->params.count; i++)
        count += sparse_count(param_data(&m->params, (int)i), (size_t)m->params.items[i].rows * (size_t)m->params.items[i].cols);
    return (double)count / (double)model_parameters(m);
}

/* How the weights lie in the folder. */
static void add_file(json_t *info, const struct model *m, const char *folder)
{
    char *path = path_join(folder, "model.safetensors");
    struct safetensors st = { 0 };
    if (safetensors_open(&st, path, NULL) == 0) {
        const char *form = weights_are_int8(m, &st) ? "int8" : weights_are_sparse(m, &st) ? "float32, zeros packed" : "float32";
        json_object_set_new(info, "file", json_pack("{s:s, s:I}", "weights", form, "bytes", (json_int_t)st.file.length));
        safetensors_close(&st);
    }
    free(path);
}

/* Weights by the first word of their names: embed, encoder, decoder, … */
static json_t *parts_json(const struct model *m)
{
    json_t *parts = json_object();
    for (size_t i = 0; i < m->params.count; i++) {
        const struct param *p = &m->params.items[i];
        char *part = xstrndup(p->name, strcspn(p->name, "."));
        json_int_t count = json_integer_value(json_object_get(parts, part));
        json_object_set_new(parts, part, json_integer(count + (json_int_t)p->rows * p->cols));
        free(part);
    }
    return parts;
}

static json_t *vocabulary_json(const struct tokenizer *t)
{
    char fingerprint[HASH_TEXT];
    hash_text(fingerprint, tokenizer_fingerprint(t));
    return json_pack("{s:i, s:s, s:s}", "pieces", tokenizer_vocab(t), "type", tokenizer_type(t),
                     "fingerprint", fingerprint);
}

static json_t *info_json(const struct model *m, const char *folder)
{
    char fingerprint[HASH_TEXT];
    hash_text(fingerprint, model_fingerprint(m));
    json_t *info = json_pack("{s:s, s:s, s:o, s:I, s:o}", "folder", folder, "fingerprint",
                             fingerprint, "config", config_json(m), "weights",
                             (json_int_t)model_parameters(m), "parts", parts_json(m));
    json_object_set_new(info, "density", json_real(density(m)));
    add_file(info, m, folder);
    if (m->source_tokenizer == m->target_tokenizer) {
        json_object_set_new(info, "vocabulary", vocabulary_json(m->source_tokenizer));
    } else {
        json_object_set_new(info, "source_vocabulary", vocabulary_json(m->source_tokenizer));
        json_object_set_new(info, "target_vocabulary", vocabulary_json(m->target_tokenizer));
    }
    json_object_set(info, "lineage", m->lineage);
    return info;
}

/* ---- info: as text ---- */

static void print_config(const json_t *config)
{
    struct table t = { 0 };
    const char *name;
    json_t *value;
    table_row(&t, "option", "value", NULL);
    json_object_foreach((json_t *)(uintptr_t)config, name, value) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        table_row(&t, name, json_is_string(value) ? json_string_value(value) : text, NULL);
        free(text);
    }
    table_print(&t, stdout);
    table_release(&t);
}

static void vocabulary_row(struct table *t, const char *side, const json_t *vocabulary)
{
    const char *type, *fingerprint;
    int pieces;
    if (json_unpack((json_t *)(uintptr_t)vocabulary, "{s:i, s:s, s:s}", "pieces", &pieces, "type",
                    &type, "fingerprint", &fingerprint) == 0)
        table_row(t, side, grouped(pieces), type, fingerprint, NULL);
}

static void print_vocabularies(const json_t *info)
{
    struct table t = { 0 };
    table_row(&t, "vocabulary", "pieces", "type", "fingerprint", NULL);
    vocabulary_row(&t, "both sides", json_object_get(info, "vocabulary"));
    vocabulary_row(&t, "source", json_object_get(info, "source_vocabulary"));
    vocabulary_row(&t, "target", json_object_get(info, "target_vocabulary"));
    table_print(&t, stdout);
    table_release(&t);
}

static void part_row(struct table *t, const char *part, json_int_t count, json_int_t all)
{
    char share[16];
    snprintf(share, sizeof share, "%.1f%%", 100 * (double)count / (double)all);
    table_row(t, part, grouped(count), share, NULL);
}

static void print_parts(const json_t *info)
{
    json_int_t all = json_integer_value(json_object_get(info, "weights"));
    struct table t = { 0 };
    const char *part;
    json_t *count;
    table_row(&t, "part", "weights", "share", NULL);
    json_object_foreach(json_object_get(info, "parts"), part, count)
        part_row(&t, part, json_integer_value(count), all);
    part_row(&t, "all", all, all);
    table_print(&t, stdout);
    table_release(&t);
}

static void print_file(const json_t *info)
{
    const json_t *file = json_object_get(info, "file");
    double nonzero = json_number_value(json_object_get(info, "density"));
    if (!file)
        return;
    printf("\nmodel.safetensors: %s bytes, %s", grouped(json_integer_value(json_object_get(file, "bytes"))),
           json_string_value(json_object_get(file, "weights")));
    if (nonzero < 1)
        printf("; %.1f%% of the weights are not zero", 100 * nonzero);
    putchar('\n');
}

static void print_info(const struct model *m, const char *folder, const json_t *info)
{
    const char *name = json_string_value(json_object_get(m->lineage, "name"));
    print_config(json_object_get(info, "config"));
    putchar('\n');
    print_vocabularies(info);
    putchar('\n');
    print_parts(info);
    print_file(info);
    printf("\nlineage\n-------\n");
    lineage_print(stdout, name ? name : folder, model_fingerprint(m), m->lineage);
}

static int run_info(const struct model_command *c, const char *const *folders, int count,
                    struct error *err)
{
    (void)count;
    struct model *m = model_load(folders[0], err);
    if (!m)
        return -1;
    json_t *info = info_json(m, folders[0]);
    if (c->json) {
        json_dumpf(info, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        putchar('\n');
    } else {
        print_info(m, folders[0], info);
    }
    json_decref(info);
    model_free(m);
    return 0;
}

/* ---- average ---- */

static int output_differs(const char *output, const char *folder, struct error *err)
{
    char *out = path_join(output, "model.safetensors"), *in = path_join(folder, "model.safetensors");
    int ret = files_differ(out, in, err);
    free(out);
    free(in);
    return ret;
}

static int run_average(const struct model_command *c, const char *const *folders, int count,
                       struct error *err)
{
    for (int i = 0; i < count; i++)
        if (output_differs(c->output, folders[i], err) < 0)
            return -1;
    struct model *mean = models_average(folders, (size_t)count, err);
    int ret = mean ? model_save(mean, c->output, err) : -1;
    if (ret == 0)
        log_info("the mean of %d models is in '%s'", count, c->output);
    model_free(mean);
    return ret;
}

/* ---- prune ---- */

static void prune_lineage(struct model *m, const char *folder, const struct prune_config *c)
{
    char fingerprint[HASH_TEXT];
    hash_text(fingerprint, model_fingerprint(m));
    json_t *before = json_pack("{s:s, s:s, s:O}", "stage", folder, "fingerprint", fingerprint, "lineage",
                               m->lineage);
    json_decref(m->lineage);
    m->lineage = json_pack("{s:f, s:o}", "pruned", (double)c->share, "start", before);
}

static int run_prune(const struct model_command *c, const char *const *folders, int count,
                     struct error *err)
{
    (void)count;
    struct model *m = output_differs(c->output, folders[0], err) < 0 ? NULL : model_load(folders[0], err);
    if (!m)
        return -1;
    int64_t of, zeros;
    prune_lineage(m, folders[0], &c->prune);
    zeros = model_prune(m, &c->prune, &of);
    int ret = model_save(m, c->output, err);
    if (ret == 0 && zeros)
        log_info("%s of %s weights in matrices are zero; retrain with --start %s --keep-zeros", grouped(zeros),
                 grouped(of), c->output);
    model_free(m);
    return ret;
}

/* ---- quantize ---- */

static int run_quantize(const struct model_command *c, const char *const *folders, int count, struct error *err)
{
    (void)count;
    if (output_differs(c->output, folders[0], err) < 0)
        return -1;
    struct model *m = model_load(folders[0], err);
    if (!m)
        return -1;
    json_object_set_new(m->lineage, "quantized", json_string("int8"));
    int ret = model_save_int8(m, c->output, err);
    if (ret == 0)
        log_info("the int8 model is in '%s'", c->output);
    model_free(m);
    return ret;
}

/* ---- export ---- */

static int run_export(const struct model_command *c, const char *const *folders, int count, struct error *err)
{
    (void)count;
    if (output_differs(c->output, folders[0], err) < 0)
        return -1;
    struct model *m = model_load(folders[0], err);
    if (!m)
        return -1;
    int ret = model_save_plain(m, c->output, err);
    if (ret == 0)
        log_info("%s weights by their names, as float32, are in '%s/model.safetensors'", grouped(model_parameters(m)),
                 c->output);
    model_free(m);
    return ret;
}

/* ---- the steps ---- */

/* To add a step: write its run function and add a row. */
static const struct step {
    struct command_step head;
    int least, most;            /* model folders */
    const struct option *options;
    const struct option *more;  /* of the library: of a prune_config; NULL: none */
    int (*run)(const struct model_command *c, const char *const *folders, int count,
               struct error *err);
} steps[] = {
    { { "info", "[OPTIONS] FOLDER", "architecture, vocabulary, weights by part, fingerprint, lineage" },
      1, 1, info_options, NULL, run_info },
    { { "average", "[OPTIONS] -o OUT FOLDER FOLDER …",
      "the mean of the weights of models of one shape and vocabulary" }, 2, 1000000, average_options,
      NULL, run_average },
    { { "prune", "[OPTIONS] -o OUT FOLDER", "zero the smallest weights (magnitude pruning)" }, 1, 1,
      average_options, prune_options, run_prune },
    { { "quantize", "[OPTIONS] -o OUT FOLDER", "int8 matrices: a quarter as large, and faster to decode with" }, 1, 1,
      average_options, NULL, run_quantize },
    { { "export", "[OPTIONS] -o OUT FOLDER", "plain safetensors again: each weight by its name, as float32, zeros and all" },
      1, 1, average_options, NULL, run_export },
    { { 0 } }
};

static int check_count(const struct command *self, const struct step *step,
                       const char *const *folders, int count)
{
    if (count < step->least)
        return command_misuse(self, "%s needs %s: %s", step->head.name,
                              step->least > 1 ? "two model folders or more" : "a model folder",
                              step->head.usage);
    if (count > step->most)
        return command_misuse(self, "unexpected '%s': one model folder at a time", folders[step->most]);
    return 0;
}

static int run_step(const void *row, int argc, char **argv)
{
    const struct step *step = row;
    char *name = xasprintf("model %s", step->head.name);
    const struct command self = { name, step->head.summary, step->head.usage, NULL };
    struct model_command c = { 0 };
    const struct option_group groups[] = { { NULL, step->options, &c }, { NULL, step->more, &c.prune }, { 0 } };
    const char **rest = xcalloc((size_t)argc, sizeof *rest);
    struct error err = { 0 };
    int count = 0, status;
    options_default(groups);
    status = command_parse(&self, groups, argc, argv, rest, &count);
    if (status < 0 && !(status = check_count(&self, step, rest, count))) {
        log_quiet(c.quiet);
        status = step->run(&c, rest, count, &err) < 0 ? command_fail(&self, &err) : 0;
    }
    options_release(groups);
    free(rest);
    free(name);
    return status;
}

int cmd_model(const struct command *self, int argc, char **argv)
{
    return command_steps(self, &(struct command_steps){ steps, sizeof *steps, run_step, NULL }, argc, argv);
}
