/* The numbers that shape a model: as options, and as config.json has them. */
#include "seq2seq/model.h"

#include "base/error.h"
#include "seq2seq/architecture.h"

static const char *const arch_names[] = { "transformer", "lstm", NULL };
static const char *const tied_names[] = { "none", "decoder", "all", NULL };
static const char *const norm_names[] = { "post", "pre", NULL };
static const char *const position_names[] = { "sinusoidal", "learned", NULL };
static const char *const activation_names[] = { "relu", "gelu", "swiglu", NULL };
static const char *const decoder_names[] = { "attention", "ssru", NULL };
static const char *const pair_names[] = { "joint", "compare", NULL };
static const char *const pool_names[] = { "first", "mean", "attention", NULL };
const char *const products_names[] = { "stored", "float32", "bfloat16", "int8", NULL };
static const char *const direction_names[] = { "forward", "bidirectional", NULL };

#define FIELD(member) offsetof(struct model_config, member)
const struct option model_options[] = {
    { "arch", OPTION_CHOICE, FIELD(arch), "transformer", 0, 0, "architecture", arch_names },
    { "dim", OPTION_INT, FIELD(dim), "256", 2, 8192, "width of embeddings and layers" },
    { "ffn", OPTION_INT, FIELD(ffn), "1024", 1, 65536, "width of the transformer's feed-forward layers" },
    { "heads", OPTION_INT, FIELD(heads), "4", 1, 128, "attention heads; must divide dim" },
    { "encoder-layers", OPTION_INT, FIELD(encoder_layers), "6", 1, 64, "layers of the encoder" },
    { "decoder-layers", OPTION_INT, FIELD(decoder_layers), "6", 0, 64,
      "layers of the decoder; 0: none, for tasks without translation" },
    { "tied", OPTION_CHOICE, FIELD(tied), "all", 0, 0,
      "embeddings that share one table: decoder is target and output, all needs a joint vocabulary",
      tied_names },
    { "norm", OPTION_CHOICE, FIELD(norm_first), "pre", 0, 0,
      "layer normalisation before or after each sublayer", norm_names },
    { "positions", OPTION_CHOICE, FIELD(positions), "sinusoidal", 0, 0, "position embeddings", position_names },
    { "max-positions", OPTION_INT, FIELD(max_positions), "1024", 2, 1000000,
      "longest sentence in tokens for learned positions" },
    { "activation", OPTION_CHOICE, FIELD(activation), "relu", 0, 0, "of the feed-forward layers",
      activation_names },
    { "decoder-layer", OPTION_CHOICE, FIELD(decoder_layer), "attention", 0, 0,
      "what a decoder layer looks back with", decoder_names },
    { "encoder-direction", OPTION_CHOICE, FIELD(encoder_direction), "bidirectional", 0, 0,
      "of an LSTM encoder", direction_names },
    { "input-feeding", OPTION_FLAG, FIELD(input_feeding), "true", 0, 0,
      "an LSTM decoder sees its last attentional vector" },
    { "dropout", OPTION_FLOAT, FIELD(dropout), "0.1", 0, 0.95, "of embeddings and residual connections" },
    { "dropout-attention", OPTION_FLOAT, FIELD(dropout_attention), "0", 0, 0.95, "of attention weights" },
    { "dropout-ffn", OPTION_FLOAT, FIELD(dropout_ffn), "0", 0, 0.95, "inside feed-forward layers" },
    { "pool", OPTION_CHOICE, FIELD(pool), "mean", 0, 0,
      "what tells a text to the heads of tasks: its first state, their mean, or attention", pool_names },
    { "pair", OPTION_CHOICE, FIELD(pair), "joint", 0, 0,
      "two texts: read as one, or each by itself and then compared", pair_names },
    { "head-layer", OPTION_FLAG, FIELD(head_layer), "false", 0, 0,
      "heads of tasks have a layer of their own before the output" },
    { 0 }
};

/* The options and the two sizes that come from the tokenizers. */
static const struct option size_options[] = {
    { "source-vocab", OPTION_INT, FIELD(source_vocab), "0", 1, 1e9, "pieces of the source vocabulary" },
    { "target-vocab", OPTION_INT, FIELD(target_vocab), "0", 1, 1e9, "pieces of the target vocabulary" },
    { 0 }
};

int model_config_check(const struct model_config *c, bool joint, struct error *err)
{
    const struct architecture *arch = architectures[c->arch];
    if (c->tied == TIE_ALL && !joint)
        return error_set(err, "tied: all embeddings can be tied only with one joint vocabulary; "
                         "use tied decoder, or train a joint one");
    return arch->check ? arch->check(c, err) : 0;
}

int model_config_max_length(const struct model_config *c)
{
    return architectures[c->arch] == &transformer_architecture && c->positions == POSITIONS_LEARNED ? c->max_positions : 0;
}

int model_config_takes(const struct model_config *c, int max_length, struct error *err)
{
    int limit = model_config_max_length(c);
    if (!limit || max_length < limit)
        return 0;
    return error_set(err, "max-length %d: learned positions end at max-positions %d; lower the first or raise the second",
                     max_length, limit);
}

int model_max_length(const struct model *m)
{
    return model_config_max_length(&m->config);
}

int model_takes(const struct model *m, int max_length, const char *whose, struct error *err)
{
    int limit = model_config_max_length(&m->config);
    if (!limit || max_length < limit)
        return 0;
    return error_set(err, "max-length %d: the learned positions of %s end at %d; lower it", max_length, whose, limit);
}

json_t *model_config_json(const struct model_config *c)
{
    struct model_config config = *c;
    return options_to_json((struct option_group[]){ { NULL, model_options, &config },
                                                    { NULL, size_options, &config }, { 0 } });
}

int model_config_read(struct model_config *out, const json_t *values, struct error *err)
{
    const struct option_group groups[] = { { NULL, model_options, out }, { NULL, size_options, out }, { 0 } };
    *out = (struct model_config){ 0 };
    options_default(groups);
    return options_from_json(groups, values, err);
}
