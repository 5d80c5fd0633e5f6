#include "seq2seq/mixture.h"

void mixture_chunk(struct mixture mix, const float *teacher, int rows, int V, const int32_t *target,
                   const float *weight, float scale, float *logits, struct loss_sums *sums,
                   float *room)
{
    for (int r = 0; r < rows; r++) {
        float gold_logp;
        mix.teacher = teacher ? teacher + (size_t)r * V : NULL;
        sums->loss += (double)kernel->mixture_loss(logits + (size_t)r * V, &gold_logp, target[r], &mix,
                                                   scale * weight[r], V, room);
        sums->gold -= (double)gold_logp;
        sums->gold_tokens++;
        sums->tokens += (double)weight[r];
    }
}
