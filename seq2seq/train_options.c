/* The options of training, and the learning rate that follows from them. */
#include <math.h>

#include "seq2seq/schedule.h"
#include "seq2seq/train.h"
#include "tensor/product.h"

static const char *const schedule_names[] = { "inverse-sqrt", "plateau", "constant", "linear", NULL };
static const char *const gradient_names[] = { "fp32", "bf16", NULL };
static const char *const average_names[] = { "last", "best", NULL };

#define FIELD(member) offsetof(struct train_config, member)
const struct option train_options[] = {
    { "threads", OPTION_INT, FIELD(threads), "0", 0, 1024, "workers; 0: one a core" },
    { "seed", OPTION_LONG, FIELD(seed), "1", 0, 9e15, "of the weights, the order of the data and dropout" },
    { "learning-rate", OPTION_FLOAT, FIELD(learning_rate), "0.0005", 0, 10, "the highest rate" },
    { "schedule", OPTION_CHOICE, FIELD(schedule), "inverse-sqrt", 0, 0,
      "how the rate falls after the warm-up", schedule_names },
    { "warmup", OPTION_INT, FIELD(warmup), "4000", 0, 1e9, "updates over which the rate rises from 0" },
    { "plateau-factor", OPTION_FLOAT, FIELD(plateau_factor), "0.7", 0.01, 1,
      "plateau: times this after a validation without gain" },
    { "adam-beta1", OPTION_FLOAT, FIELD(adam_beta1), "0.9", 0, 0.99999, "decay of the first moment" },
    { "adam-beta2", OPTION_FLOAT, FIELD(adam_beta2), "0.98", 0, 0.99999, "decay of the second moment" },
    { "adam-epsilon", OPTION_FLOAT, FIELD(adam_epsilon), "1e-9", 0, 1, "added to the root of the second moment" },
    { "keep-zeros", OPTION_FLAG, FIELD(keep_zeros), "false", 0, 0,
      "weights that are zero in the beginning stay zero: retraining of a pruned model" },
    { "layer-decay", OPTION_FLOAT, FIELD(layer_decay), "1", 0.1, 1,
      "the learning rate of each layer is this times that of the layer above it" },
    { "weight-decay", OPTION_FLOAT, FIELD(weight_decay), "0", 0, 1, "decoupled (AdamW)" },
    { "clip-norm", OPTION_FLOAT, FIELD(clip_norm), "1", 0, 1e6, "largest norm of a gradient; 0: any" },
    { "accumulate", OPTION_INT, FIELD(accumulate), "1", 1, 100000, "batches an update" },
    { "ema", OPTION_FLOAT, FIELD(ema), "0", 0, 0.999999,
      "decay of a moving average of the weights, which is then validated and kept; 0: none" },
    { "average", OPTION_INT, FIELD(average), "0", 0, 1000,
      "the final weights are the mean of so many validated ones; 0: the best ones" },
    { "average-of", OPTION_CHOICE, FIELD(average_of), "last", 0, 0, "which ones", average_names },
    { "max-updates", OPTION_LONG, FIELD(max_updates), "0", 0, 1e15, "stop after so many updates; 0: no limit" },
    { "max-epochs", OPTION_INT, FIELD(max_epochs), "0", 0, 1e9, "stop after so many epochs; 0: no limit" },
    { "max-seconds", OPTION_LONG, FIELD(max_seconds), "0", 0, 1e12,
      "stop after so many seconds of training; 0: no limit" },
    { "validate-every", OPTION_INT, FIELD(validate_every), "0", 0, 1e9, "updates; 0: each epoch" },
    { "save-every", OPTION_INT, FIELD(save_every), "0", 0, 1e9,
      "updates between checkpoints; 0: at validations" },
    { "log-every", OPTION_INT, FIELD(log_every), "50", 1, 1e9, "updates between lines of the log" },
    { "metric", OPTION_STRING, FIELD(metric), "nll", 0, 0,
      "picks the best weights and stops early: nll, or any of coho eval's, which decodes at each validation" },
    { "patience", OPTION_INT, FIELD(patience), "0", 0, 1e6,
      "stop after so many validations without gain; 0: never" },
    { "validate-decode", OPTION_FLAG, FIELD(validate_decode), "false", 0, 0,
      "BLEU and chrF by greedy decoding at each validation" },
    { "keep-checkpoints", OPTION_INT, FIELD(keep_checkpoints), "2", 1, 1000, "resumable checkpoints kept" },
    { "keep-models", OPTION_INT, FIELD(keep_models), "0", 0, 1000,
      "models of the last so many validations stay, in validated/update-…, to be chosen from later" },
    { "bad-updates", OPTION_INT, FIELD(bad_updates), "10", 1, 1e9,
      "stop after so many in a row whose loss or gradient is not finite; each is skipped and counted" },
    { "bad-factor", OPTION_FLOAT, FIELD(bad_factor), "0.5", 0.001, 1,
      "the learning rate is multiplied by this after each of them, and comes back over good ones" },
    { "quantize-aware", OPTION_FLAG, FIELD(quantize_aware), "false", 0, 0,
      "learn with weights rounded as `coho model quantize` will round them (fine-tuning a student)" },
    { "gradient-type", OPTION_CHOICE, FIELD(gradient_type), "fp32", 0, 0,
      "as what gradients travel between processes; bf16 halves the traffic", gradient_names },
    { "tensorboard", OPTION_FLAG, FIELD(tensorboard), "true", 0, 0, "event files for TensorBoard beside log.jsonl" },
    { "micro-tokens", OPTION_INT, FIELD(micro_tokens), "0", 0, 1e9,
      "tokens that a worker takes at a time, for the caches' sake; 0: chosen by the architecture" },
    { "memory", OPTION_SIZE, FIELD(memory), "0", 0, 0,
      "that training may take (300M, 4G), the mapped corpus not counted: chooses batch-tokens and micro-tokens "
      "where they are 0; 0: any" },
    { "precision", OPTION_CHOICE, FIELD(precision), "fp32", 0, 0,
      "of the factors of matrix products; bf16 needs a processor that has it", precision_names },
    { "resume", OPTION_FLAG, FIELD(resume), "false", 0, 0, "go on from the newest checkpoint where there is one" },
    { 0 }
};

double schedule_rate(const struct train_config *c, int64_t update, double progress, double plateau)
{
    double rate = (double)c->learning_rate, warmup = c->warmup > 0 ? c->warmup : 1, n = (double)update;
    if (n < warmup)
        return rate * n / warmup;
    switch (c->schedule) {
    case SCHEDULE_INVERSE_SQRT:
        return rate * sqrt(warmup / n);
    case SCHEDULE_PLATEAU:
        return rate * plateau;
    case SCHEDULE_LINEAR:
        return rate * (progress < 1 ? 1 - progress : 0);
    default:
        return rate;
    }
}
