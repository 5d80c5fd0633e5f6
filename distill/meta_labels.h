#ifndef DISTILL_META_LABELS_H
#define DISTILL_META_LABELS_H

#include "base/course.h"
#include "base/option.h"
#include "corpora/batch.h"
#include "decode/sample.h"

struct error;
struct model;

/* Meta Pseudo Labels (Pham 2020): unlabelled sentences whose targets a teacher samples, and the teacher
 * is trained as well, by how much its labels help the student.
 *
 *     for each batch of unlabelled sentences:
 *         ŷ ~ teacher                             the decoding engine samples
 *         before = student's NLL on a labelled batch
 *         the student learns ŷ                    the training loop, whose batch source this is
 *         after  = its NLL on the same batch
 *         h      = (before - after) - baseline    baseline: the moving average of before - after
 *         the teacher's loss: -w · h · log p(ŷ) + its cross-entropy on the labelled batch
 *
 * Labels that helped more than usual become likelier.  That is the sign of the theory; the code that
 * was published with the paper has the other one, which `published` takes. */
enum meta_sign { META_THEORY, META_PUBLISHED };
struct meta_config {
    struct course weight;       /* w: of the student's word in the teacher's loss */
    int sign;                   /* enum meta_sign */
    float decay;                /* of the baseline */
    struct course rate;         /* the teacher's learning rate */
    float label_smoothing;      /* of the teacher's cross-entropy on gold */
    bool gold;                  /* the teacher learns the labelled batches, too */
    struct sampling sampling;
};
extern const struct option meta_options[];

struct meta_needs {
    const struct model *student;        /* borrowed: its weights are read as they are */
    struct model *teacher;              /* borrowed, and trained in place */
    float clip_norm;                    /* of the teacher's gradients; 0: none */
    int max_length;                     /* of outputs, in tokens */
    int64_t seed;
    int threads;
};

/* Both sources become the new one's; on failure they stay the caller's.  Epochs are those of the
 * unlabelled one, whose targets are not looked at.  An update of the student is known by the number
 * that `at` tells: then the teacher's follows. */
int meta_labels_open(struct batch_source *out, struct batch_source *unlabelled, struct batch_source *labelled,
                     const struct meta_needs *needs, const struct meta_config *config, struct error *err);

#endif
