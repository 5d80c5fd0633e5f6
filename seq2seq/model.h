#ifndef SEQ2SEQ_MODEL_H
#define SEQ2SEQ_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/option.h"
#include "corpora/batch.h"
#include "seq2seq/safetensors.h"
#include "seq2seq/stepper.h"
#include "tensor/params.h"

struct error;
struct head;
struct tape;
struct task;
struct tensor;
struct tokenizer;

/* A sequence-to-sequence model: numbers that shape it, weights, vocabularies, ancestry.
 *
 *     struct model *m = model_load("models/teacher", err);
 *     struct stepper s;
 *     model_stepper(&s, m);           // one a thread; the weights are shared
 *     …
 *     s.free(s.state);
 *     model_free(m);
 */
enum tying { TIE_NONE, TIE_DECODER, TIE_ALL };
enum activation { ACTIVATION_RELU, ACTIVATION_GELU, ACTIVATION_SWIGLU };
enum positions { POSITIONS_SINUSOIDAL, POSITIONS_LEARNED };
enum decoder_layer { DECODER_ATTENTION, DECODER_SSRU };
enum pooling { POOL_FIRST, POOL_MEAN, POOL_ATTENTION };
enum pairing { PAIR_JOINT, PAIR_COMPARE };
enum cell { ENCODER_FORWARD, ENCODER_BIDIRECTIONAL };

struct model_config {
    int arch;                   /* an index into `architectures` */
    int dim, ffn, heads;
    int encoder_layers, decoder_layers;
    int tied;                   /* enum tying */
    int norm_first;             /* 1: pre-norm, 0: post-norm (choice "post", "pre") */
    int positions, max_positions;
    int activation, decoder_layer;
    int encoder_direction;      /* LSTM: forward or bidirectional */
    bool input_feeding;
    float dropout, dropout_attention, dropout_ffn;
    int pool;                   /* heads: what a text is told by, of the states of its tokens */
    int pair;                   /* heads: how two texts are read (seq2seq/head.h) */
    bool head_layer;            /* heads: a layer of width dim before the output */
    int source_vocab, target_vocab;             /* from the tokenizers */
};
extern const struct option model_options[];     /* all but the vocabulary sizes */

/* The weights that give numbers for a place: (outputs,dim) and (1,outputs), by their places in
 * the set. */
struct output_layer {
    int weight, bias, outputs;
};

struct model {
    struct model_config config;
    const struct architecture *arch;
    struct param_set params;
    void *refs;                                 /* the architecture's struct of parameters */
    struct tokenizer *source_tokenizer, *target_tokenizer;      /* may be the same */
    struct task *tasks;                         /* what it was made for (corpora/task.h); NULL: … */
    int task_count;                             /* … 0: translation and nothing else */
    struct head *heads;                         /* one a task; seq2seq/head.h */
    json_t *lineage;                            /* the object in lineage.json */
    char *folder;                               /* that it was loaded from, for messages; NULL: of none */
    struct safetensors file;                    /* mapped, where packed weights lie in it */
    struct screen *screen;                      /* of a model loaded to decode; seq2seq/best_output.h */
    int32_t special[3];                         /* the target's <unk>, <s> and padding */
    int special_count;
};

/* Whether such a model can be; `joint`: one vocabulary serves both sides. */
int model_config_check(const struct model_config *config, bool joint, struct error *err);

/* Whether sentences of max_length tokens, and one more for <s> or </s>, have places in such a model: learned
 * positions end. */
int model_config_max_length(const struct model_config *config);         /* in tokens, with that one; 0: any */
int model_config_takes(const struct model_config *config, int max_length, struct error *err);

/* As in config.json: the options and the sizes of the vocabularies. */
json_t *model_config_json(const struct model_config *config);
int model_config_read(struct model_config *out, const json_t *values, struct error *err);

/* A new model with random weights from the seed.  The tokenizers become the model's (the same
 * pointer twice for a joint vocabulary). */
struct model *model_new(const struct model_config *config, struct tokenizer *source,
                        struct tokenizer *target, int64_t seed, struct error *err);
/* The same for several tasks, which are copied.  Batches tell by `task` which one they are of. */
struct model *model_new_tasks(const struct model_config *config, const struct task *tasks, int task_count,
                              struct tokenizer *source, struct tokenizer *target, int64_t seed,
                              struct error *err);
void model_free(struct model *m);

/* A folder: config.json, model.safetensors, source.spm and target.spm (or joint.spm), lineage.json.
 * The weights' metadata holds checksums of the configuration and the vocabularies, so a file that
 * is damaged or that came from another model is refused. */
struct model *model_load(const char *folder, struct error *err);
int model_save(const struct model *m, const char *folder, struct error *err);

/* The same folder with int8 matrices, a quarter as large (seq2seq/weights.h).  model_load reads it as
 * float32, rounded, for whatever else is to be done with it. */
int model_save_int8(const struct model *m, const char *folder, struct error *err);

/* model_save packs matrices of many zeros, as pruning leaves them (seq2seq/sparse.h); this does not: every
 * parameter stands in the file by its name, as float32, for whatever else reads safetensors. */
int model_save_plain(const struct model *m, const char *folder, struct error *err);

/* Loads a model to decode and score with, and for nothing else: its matrices are packed for products
 * (tensor/packed.h), not in the block.  STORED: int8 from an int8 file, mapped and shared between processes,
 * float32 from another. */
enum precision_of_products { PRODUCTS_STORED, PRODUCTS_FLOAT32, PRODUCTS_BF16, PRODUCTS_INT8 };
extern const char *const products_names[];      /* in this order */
struct model *model_load_decoder(const char *folder, enum precision_of_products kind, struct error *err);

/* A model in training, seen as one to decode with: its matrices packed as they are at each update, so that
 * what a sentence gives does not depend, to the bit, on those that are decoded beside it.  Borrows all
 * else of m, which must outlive it. */
struct model *model_view_new(void);
void model_view_update(struct model *view, const struct model *m);
void model_view_free(struct model *view);

/* Only the weights of a folder, into a model of the same shape. */
int model_load_weights(struct model *m, const char *folder, struct error *err);

int64_t model_parameters(const struct model *m);        /* weights, tied ones once */
uint64_t model_fingerprint(const struct model *m);      /* of the weights */

/* Whether both have the same pieces on both sides. */
bool model_same_vocabularies(const struct model *a, const struct model *b);

int32_t model_bos(const struct model *m);       /* <s> and </s> of the target side */
int32_t model_eos(const struct model *m);
/* The longest sentence in tokens that the model can take on either side; 0: any. */
int model_max_length(const struct model *m);
/* model_config_takes of a model that is there; whose: "the teacher", for the message. */
int model_takes(const struct model *m, int max_length, const char *whose, struct error *err);
/* Memory of the weights. */
int64_t model_bytes(const struct model *m);
/* Hypotheses at once that suit the caches of its products and of its keys and values; 0: any. */
int model_rows(const struct model *m);

/* One decoding step at a time; see stepper.h.  */
int model_stepper(struct stepper *out, const struct model *m);

/* Teacher-forced pass: the decoder's last hidden states, (target_tokens, dim), on the tape; for a
 * batch of a task with a head the states below it, one a label. */
struct tensor *model_hidden(const struct model *m, struct tape *tape, const struct batch *b);

/* What stands above the hidden states of a batch of this task: the head, or the vocabulary. */
struct output_layer model_output(const struct model *m, int task);
int model_find_task(const struct model *m, const char *name);          /* -1: it has no such task */
int model_most_outputs(const struct model *m);                          /* of any task */

/* Numbers of `rows` rows of hidden states by that layer. */
void model_layer_logits(const struct model *m, const struct output_layer *layer, float *logits,
                        const float *hidden, int rows);

/* Logits of `rows` rows of hidden states (rows,dim) → (rows,V): the output layer alone. */
void model_logits(const struct model *m, float *logits, const float *hidden, int rows);

/* Natural-log probabilities of the gold targets, without dropout: logp[i] for every target token
 * of the batch.  A scorer is one thread's working memory; logits exist a chunk at a time. */
struct scorer;
struct scorer *scorer_new(const struct model *m);
void scorer_free(struct scorer *s);
void scorer_run(struct scorer *s, const struct batch *b, float *logp);
/* What the head of b's task gives for each label place: log-probabilities of all labels, or the
 * scaled number; out is (target_tokens, outputs).  Returns the outputs. */
int model_predict(struct scorer *s, const struct batch *b, float *out);

#endif
