#include "distill/dev_set.h"

#include "corpora/store.h"
#include "decode/validate.h"
#include "distill/train_corpora.h"
#include "seq2seq/train_plan.h"

int dev_set_open(struct dev_set *out, const struct stage_run *run, const struct corpus_set *set, const struct model *m,
                 const struct batching_config *batching, int micro_tokens, int64_t lines, struct error *err)
{
    struct batching_config config = *batching;
    *out = (struct dev_set){ 0 };
    config.shuffle = false;
    train_plan_validation(&config, m, run->threads, micro_tokens);
    if (!set->source)
        return 0;
    out->store = train_corpora_encode(run, "dev.ids", set, m, err);
    if (!out->store || batching_open(&out->batches, out->store, model_bos(m), model_eos(m), &config, NULL, err) < 0)
        return -1;
    return validator_open(&out->validator, set->source, set->target, lines, err);
}

void dev_set_release(struct dev_set *d)
{
    if (d->validator.state)
        validator_close(&d->validator);
    if (d->batches.free)
        d->batches.free(d->batches.state);
    store_close(d->store);
    *d = (struct dev_set){ 0 };
}

struct train_data dev_set_beside(struct batch_source *train, struct dev_set *d)
{
    return (struct train_data){
        .train = train, .dev = d->store ? &d->batches : NULL, .validator = d->store ? &d->validator : NULL,
    };
}
