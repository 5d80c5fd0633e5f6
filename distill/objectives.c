/* The table of objectives. */
#include "distill/objectives.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "distill/kd.h"

static int make_kd(struct objective *out, const struct objective_kind *kind, const struct objective_needs *needs,
                   const void *config, struct error *err)
{
    return objective_kd(out, kind->method, needs, config, err);
}

/* The source says where in a paper: a section, or what the paper calls it. */
#define KD(options, method) options, sizeof(struct kd_config), true, &method, make_kd
#define ALONE(options, method) options, sizeof(struct kd_config), false, &method, make_kd
const struct objective_kind objective_kinds[] = {
    { "cross-entropy", "label-smoothed cross-entropy to the corpus", "Szegedy 2016, section 7", ALONE(kd_none_options, kd_none) },
    { "word-kd", "word-level distillation: cross-entropy to the teacher's distribution at every token",
      "Hinton 2015, section 2; Kim & Rush 2016, section 3.1", KD(kd_words_options, kd_words) },
    { "kd-pt", "the teacher's probability of the gold token alone, the rest even",
      "Tang 2021, instance-specific knowledge", KD(kd_probability_options, kd_probability) },
    { "kd-topk", "the teacher's k likeliest tokens", "Tang 2021, class relationships; Tan 2019, top-K distillation",
      KD(kd_top_options, kd_top) },
    { "kd-sim", "how near the teacher's output embeddings are to the gold token's", "Tang 2021, class relationships",
      KD(kd_similarity_options, kd_similarity) },
    { "selective-kd", "word-level distillation on the tokens that are hardest for the student",
      "Wang 2021, batch-level and global-level selection", KD(kd_selective_options, kd_selective) },
    { "cwtm", "cross-entropy to gold, each token weighted by the teacher's largest probability",
      "Furlanello 2018, section 3.2", KD(kd_confidence_options, kd_confidence) },
    { "dkpp", "word-level distillation with all but the teacher's likeliest token permuted",
      "Furlanello 2018, section 3.2", KD(kd_probability_options, kd_permuted) },
    { "double-distillation", "a logistic loss for every class, weighted by the teacher",
      "Menon 2020, double-distillation for multiclass retrieval", KD(kd_probability_options, kd_double) },
    { "reverse-kl", "the student's divergence from the teacher: seeks its modes",
      "MiniLLM, Gu 2024, section 2.1; GKD, Agarwal 2024, section 2", KD(kd_probability_options, kd_reverse) },
    { "jsd", "generalised Jensen-Shannon divergence", "GKD, Agarwal 2024, section 2", KD(kd_jsd_options, kd_jsd) },
    { "skew-kl", "KL to a student skewed towards the teacher", "DistiLLM, Ko 2024, section 3.1", KD(kd_skew_options, kd_skew) },
    { "skew-reverse-kl", "reverse KL to a teacher skewed towards the student", "DistiLLM, Ko 2024, section 3.1",
      KD(kd_skew_options, kd_skew_reverse) },
    { "tvd", "total variation distance", "f-DISTILL, Wen 2023, TVD distillation", KD(kd_probability_options, kd_tvd) },
    { "air", "cross-entropy to gold and to the model as it was an epoch ago, sharpened: no other teacher",
      "Dong 2019, self-distillation from the previous epoch", ALONE(kd_self_options, kd_self) },
    { 0 }
};

const struct objective_kind *objective_find(const char *name, struct error *err)
{
    const char *names[64];
    size_t count = 0;
    for (const struct objective_kind *k = objective_kinds; k->name; k++) {
        if (!strcmp(k->name, name))
            return k;
        names[count++] = k->name;
    }
    const char *near = nearest_name(name, names, count);
    error_set(err, "unknown objective '%s'%s%s%s", name, near ? ", did you mean '" : "",
              near ? near : "", near ? "'?" : "");
    return NULL;
}

int objective_make(struct objective *out, const struct objective_kind *kind, const struct objective_needs *needs,
                   const void *config, struct error *err)
{
    return kind->make(out, kind, needs, config, err);
}
