#ifndef DISTILL_INPUTS_H
#define DISTILL_INPUTS_H

#include "decode/models.h"
#include "distill/stage.h"

struct corpus_files;
struct error;
struct model;
struct tokenizer;

/* What stages take from those before them: the corpora, models and vocabularies under their inputs. */

/* The corpus under `input`.  Where the stage has no such input, *out stays as it is. */
int input_corpus(struct corpus_files *out, const struct stage_run *run, const char *input, struct error *err);

/* The files of stage_input_folder(run, "vocabulary"); as vocabularies_load. */
int input_vocabulary(struct tokenizer **source, struct tokenizer **target, const struct stage_run *run,
                     struct error *err);

/* The single model under `input`, whole; the caller's. */
struct model *input_model(const struct stage_run *run, const char *input, struct error *err);

/* Refuses models under `input` that were trained to translate the other way, from `to` to `from`, which would label
 * or score nonsense.  A model whose languages are not known is taken. */
int input_direction(const struct stage_run *run, const char *input, const char *from, const char *to, struct error *err);

/* The folders of all stages under `input`, in the order of the recipe; added to *out. */
void input_folders(struct strings *out, const struct stage_run *run, const char *input);

/* All models under `input`, as models_open has it (decode/models.h): whole, without an average; or to
 * decode and score with.  To be released whatever comes of it. */
int input_models_whole(struct models *out, const struct stage_run *run, const char *input, struct error *err);
int input_models(struct models *out, const struct stage_run *run, const char *input, const char *option,
                 const struct strings *weights, enum average average, struct error *err);

#endif
