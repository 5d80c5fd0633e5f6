#ifndef TOKENIZE_VOCABULARIES_H
#define TOKENIZE_VOCABULARIES_H

struct error;
struct tokenizer;

/* The vocabularies of a model's two sides.  A joint one serves both: then both pointers are the same, and
 * its file is joint.spm; else the files are source.spm and target.spm.  On failure both are NULL. */
int vocabularies_load(struct tokenizer **source, struct tokenizer **target, const char *folder, struct error *err);
/* From SentencePiece models of any name; target_path NULL: source_path's is joint. */
int vocabularies_open(struct tokenizer **source, struct tokenizer **target, const char *source_path,
                      const char *target_path, struct error *err);
int vocabularies_save(const struct tokenizer *source, const struct tokenizer *target, const char *folder,
                      struct error *err);

/* The same vocabularies once more, for a model of its own. */
int vocabularies_copy(struct tokenizer **source, struct tokenizer **target, const struct tokenizer *of_source,
                      const struct tokenizer *of_target, struct error *err);

void vocabularies_free(struct tokenizer *source, struct tokenizer *target);

#endif
