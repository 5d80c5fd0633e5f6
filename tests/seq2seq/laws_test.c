/* Laws that every architecture obeys, in each of its shapes: the pass over whole sentences equals
 * the one step by step, a batch equals its sentences alone, rows keep their states however they are
 * shuffled, and the gradient is the slope of the loss.  A new architecture adds its shapes here. */
#include "tests/test.h"

#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "seq2seq/architecture.h"
#include "seq2seq/model.h"
#include "tensor/tape.h"
#include "tokenize/tokenizer.h"

/* A shape is a list of options, over small defaults. */
struct shape {
    const char *const options[16];
};

static const struct shape shapes[] = {
    { { "arch", "transformer" } },
    { { "arch", "transformer", "activation", "gelu" } },
    { { "arch", "transformer", "norm", "post", "tied", "none", "activation", "gelu" } },
    { { "arch", "transformer", "positions", "learned", "max-positions", "40", "tied", "decoder",
        "activation", "swiglu" } },
    { { "arch", "transformer", "decoder-layer", "ssru", "encoder-layers", "3", "decoder-layers", "1" } },
    { { "arch", "transformer", "decoder-layer", "ssru", "norm", "post", "heads", "1",
        "dropout-attention", "0.1", "dropout-ffn", "0.1" } },
    { { "arch", "transformer", "dropout-attention", "0.2", "dropout-ffn", "0.2", "heads", "4" } },
    { { "arch", "lstm", "encoder-direction", "forward", "tied", "none" } },
    { { "arch", "lstm" } },
    { { "arch", "lstm", "tied", "decoder", "encoder-layers", "1", "decoder-layers", "3" } },
    { { "arch", "lstm", "encoder-direction", "forward", "tied", "none", "encoder-layers", "3",
        "decoder-layers", "1" } },
    { { "arch", "lstm", "tied", "decoder", "no-input-feeding", "" } },
    { { "arch", "lstm", "encoder-direction", "forward", "tied", "none", "no-input-feeding", "",
        "encoder-layers", "1", "decoder-layers", "1" } },
};

static struct model_config config_of(const struct shape *s)
{
    struct model_config c = { 0 };
    struct error err = { "" };
    const struct option_group groups[] = { { NULL, model_options, &c }, { 0 } };
    options_default(groups);
    c.dim = 20;
    c.ffn = 28;
    c.heads = 2;
    c.encoder_layers = c.decoder_layers = 2;
    c.dropout = 0.2f;
    for (int i = 0; s->options[i]; i += 2)
        if (!strcmp(s->options[i], "no-input-feeding"))
            c.input_feeding = false;
        else if (options_set(groups, s->options[i], s->options[i + 1], &err) < 0)
            fail_msg("%s", err.text);
    return c;
}

static struct model *model_of(const struct shape *s)
{
    struct error err;
    struct model_config c = config_of(s);
    struct tokenizer *t = tokenizer_load(TEST_DATA "/../tokenize/golden/bpe.model", &err);
    assert_non_null(t);
    struct model *m = model_new(&c, t, t, 3, &err);
    assert_non_null(m);
    return m;
}

/* Sentences of many lengths on both sides, single tokens and repeated lengths among them. */
static void fill(struct batch *b, const struct model *m, const int (*lengths)[2], int count)
{
    struct rng rng;
    rng_seed(&rng, 9, 0);
    batch_reset(b);
    for (int i = 0; i < count; i++) {
        int32_t source[64], target[64];
        for (int n = 0; n < 64; n++) {
            source[n] = 3 + (int32_t)rng_below(&rng, (uint64_t)m->config.source_vocab - 3);
            target[n] = 3 + (int32_t)rng_below(&rng, (uint64_t)m->config.target_vocab - 3);
        }
        batch_add(b, source, lengths[i][0], target, lengths[i][1], model_bos(m), model_eos(m), i, 1);
    }
}

static const int lengths[][2] = { { 3, 5 }, { 0, 2 }, { 9, 0 }, { 17, 5 }, { 4, 11 }, { 3, 1 } };
#define SENTENCES ((int)(sizeof lengths / sizeof *lengths))

/* Log-probabilities (target_tokens,V) of the whole pass. */
static float *whole_pass(const struct model *m, const struct batch *b)
{
    struct tape tape = { .params = &m->params };
    int V = m->config.target_vocab;
    struct tensor *h = model_hidden(m, &tape, b);
    assert_int_equal(h->rows, b->target_tokens);
    assert_int_equal(h->cols, m->config.dim);
    float *logp = malloc(sizeof(float) * (size_t)b->target_tokens * (size_t)V);
    model_logits(m, logp, h->data, h->rows);
    for (int n = 0; n < h->rows; n++)
        kernel->log_softmax(logp + (size_t)n * (size_t)V, logp + (size_t)n * (size_t)V, V);
    tape_release(&tape);
    return logp;
}

static void assert_within(const float *a, const float *b, int N, float tolerance)
{
    for (int i = 0; i < N; i++)
        if (!(fabsf(a[i] - b[i]) <= tolerance))
            fail_msg("element %d: %g and %g", i, (double)a[i], (double)b[i]);
}

static void assert_near(const float *a, const float *b, int N)
{
    assert_within(a, b, N, 1e-4f);
}

/* A step, its logits made log-probabilities. */
static void step_logp(struct stepper *s, const int32_t *token, int rows, float *logp)
{
    float lse[SENTENCES];
    s->step(s->state, token, rows, logp, lse);
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < s->vocab; v++)
            logp[(size_t)r * (size_t)s->vocab + (size_t)v] -= lse[r];
}

/* Steps one sentence a row; a row leaves when its sentence ends. */
static void step_all(struct stepper *s, const struct batch *b, const float *expected, float tolerance)
{
    int V = s->vocab, rows = b->B, sentence[SENTENCES], parent[SENTENCES];
    int32_t token[SENTENCES] = { 0 };
    float *logp = malloc(sizeof(float) * (size_t)rows * (size_t)V);
    for (int r = 0; r < rows; r++)
        sentence[r] = r;
    for (int t = 0; rows; t++) {
        int kept = 0;
        for (int r = 0; r < rows; r++)
            token[r] = b->input[b->target_start[sentence[r]] + t];
        step_logp(s, token, rows, logp);
        for (int r = 0; r < rows; r++) {
            int n = b->target_start[sentence[r]] + t;
            assert_within(logp + (size_t)r * (size_t)V, expected + (size_t)n * (size_t)V, V, tolerance);
            if (n + 1 < b->target_start[sentence[r] + 1]) {
                parent[kept] = r;
                sentence[kept++] = sentence[r];
            }
        }
        s->reorder(s->state, parent, kept);
        rows = kept;
    }
    free(logp);
}

static void full_pass_equals_step_by_step(void **state)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct model *m = model_of(&shapes[i]);
        struct batch b = { 0 };
        struct stepper s;
        fill(&b, m, lengths, SENTENCES);
        float *expected = whole_pass(m, &b);
        assert_int_equal(model_stepper(&s, m), 0);
        for (int again = 0; again < 2; again++) {
            s.admit(s.state, b.source, b.source_start, b.B, 20);
            step_all(&s, &b, expected, 1e-4f);
        }
        s.free(s.state);
        free(expected);
        batch_release(&b);
        model_free(m);
    }
}

static void a_batch_gives_what_single_sentences_give(void **state)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct model *m = model_of(&shapes[i]);
        struct batch all = { 0 }, one = { 0 };
        int V = m->config.target_vocab;
        fill(&all, m, lengths, SENTENCES);
        float *expected = whole_pass(m, &all);
        for (int b = 0; b < all.B; b++) {
            int first = all.target_start[b];
            batch_reset(&one);
            batch_add(&one, all.source + all.source_start[b], lengths[b][0],
                      all.output + first, lengths[b][1], model_bos(m), model_eos(m), 0, 1);
            float *alone = whole_pass(m, &one);
            assert_near(alone, expected + (size_t)first * (size_t)V, one.target_tokens * V);
            free(alone);
        }
        free(expected);
        batch_release(&one);
        batch_release(&all);
        model_free(m);
    }
}

/* Sentence 3 starts alone; sentence 4 joins it after a step; then 3 has two rows, one of which
 * goes another way and is dropped again, and the order of the rows changes twice. */
static void rows_keep_their_states_when_others_join_leave_and_multiply(void **state)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct model *m = model_of(&shapes[i]);
        struct batch b = { 0 };
        struct stepper s;
        int V = m->config.target_vocab;
        fill(&b, m, lengths, SENTENCES);
        float *expected = whole_pass(m, &b), *logp = malloc(sizeof(float) * 4 * (size_t)V);
        const int32_t *in3 = b.input + b.target_start[3], *in4 = b.input + b.target_start[4];
        const float *out3 = expected + (size_t)b.target_start[3] * (size_t)V;
        const float *out4 = expected + (size_t)b.target_start[4] * (size_t)V;
        int S3 = b.source_start[3], S4 = b.source_start[4], S5 = b.source_start[5];
        assert_int_equal(model_stepper(&s, m), 0);

        s.admit(s.state, b.source + S3, (int32_t[]){ 0, S4 - S3 }, 1, 20);
        step_logp(&s, in3, 1, logp);
        assert_near(logp, out3, V);
        s.admit(s.state, b.source + S4, (int32_t[]){ 0, S5 - S4 }, 1, 20);
        step_logp(&s, (int32_t[]){ in3[1], in4[0] }, 2, logp);
        assert_near(logp, out3 + V, V);
        assert_near(logp + V, out4, V);
        s.reorder(s.state, (int[]){ 0, 1, 0 }, 3);
        step_logp(&s, (int32_t[]){ in3[2], in4[1], 5 }, 3, logp);
        assert_near(logp, out3 + 2 * V, V);
        assert_near(logp + V, out4 + V, V);
        s.reorder(s.state, (int[]){ 1, 2, 0, 1 }, 4);
        step_logp(&s, (int32_t[]){ in4[2], 7, in3[3], in4[2] }, 4, logp);
        assert_near(logp, out4 + 2 * V, V);
        assert_near(logp + 2 * V, out3 + 3 * V, V);
        assert_near(logp + 3 * V, logp, V);
        s.reorder(s.state, (int[]){ 2, 3 }, 2);
        step_logp(&s, (int32_t[]){ in3[4], in4[3] }, 2, logp);
        assert_near(logp, out3 + 4 * V, V);
        assert_near(logp + V, out4 + 3 * V, V);
        s.clear(s.state);
        s.admit(s.state, b.source + S3, (int32_t[]){ 0, S4 - S3 }, 1, 20);
        step_logp(&s, in3, 1, logp);
        assert_near(logp, out3, V);

        s.free(s.state);
        free(logp);
        free(expected);
        batch_release(&b);
        model_free(m);
    }
}

/* ---- candidates and attention ---- */

/* Every `stride`-th token from `first` on belongs to a row; all of them to the union. */
struct lists {
    struct candidates all;
    int32_t ids[4096], own[SENTENCES][4096];
    const int32_t *rows[SENTENCES];
    int counts[SENTENCES];
};

static void lists_fill(struct lists *l, int V, int rows, int shift, uint64_t version)
{
    static int place[4096];
    l->all = (struct candidates){ version, l->ids, 0, l->rows, l->counts };
    for (int v = 0; v < V; v++) {
        bool wanted = false;
        for (int r = 0; r < rows; r++)
            wanted |= (v + shift) % (7 + r) == 0;
        if (wanted) {
            place[v] = l->all.count;
            l->ids[l->all.count++] = v;
        }
    }
    for (int r = 0; r < rows; r++) {
        l->counts[r] = 0;
        l->rows[r] = l->own[r];
        for (int v = 0; v < V; v++)
            if ((v + shift) % (7 + r) == 0)
                l->own[r][l->counts[r]++] = place[v];
    }
}

static void assert_limited(const struct lists *l, const float *limited, const float *lse, const float *logp,
                           int V, int rows)
{
    for (int r = 0; r < rows; r++) {
        double kept = 0;
        for (int i = 0; i < l->counts[r]; i++)
            kept += exp((double)logp[(size_t)r * (size_t)V + (size_t)l->ids[l->own[r][i]]]);
        for (int i = 0; i < l->counts[r]; i++)
            assert_float_equal(limited[r * l->all.count + i] - lse[r],
                               logp[(size_t)r * (size_t)V + (size_t)l->ids[l->own[r][i]]] - log(kept), 1e-4);
    }
}

static void candidates_share_out_what_the_whole_vocabulary_gives_them(void **state)
{
    static struct lists l;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct model *m = model_of(&shapes[i]);
        struct batch b = { 0 };
        struct stepper full, limited;
        int V = m->config.target_vocab, rows = SENTENCES;
        int32_t token[SENTENCES] = { 5, 6, 7, 8, 9, 10 };
        float lse[SENTENCES], *logp = malloc(sizeof(float) * SENTENCES * (size_t)V);
        float *logit = malloc(sizeof(float) * SENTENCES * (size_t)V);
        fill(&b, m, lengths, SENTENCES);
        assert_int_equal(model_stepper(&full, m) + model_stepper(&limited, m), 0);
        full.admit(full.state, b.source, b.source_start, b.B, 20);
        limited.admit(limited.state, b.source, b.source_start, b.B, 20);
        for (int t = 0; t < 4; t++) {
            lists_fill(&l, V, rows, t / 2, 1 + (uint64_t)t / 2);        /* others after two steps */
            limited.limit(limited.state, &l.all);
            step_logp(&full, token, rows, logp);
            limited.step(limited.state, token, rows, logit, lse);
            assert_limited(&l, logit, lse, logp, V, rows);
            limited.reorder(limited.state, (int[]){ 3, 1, 2, 0 }, rows = 4);
            full.reorder(full.state, (int[]){ 3, 1, 2, 0 }, rows);
        }
        limited.limit(limited.state, NULL);
        step_logp(&full, token, rows, logp);
        step_logp(&limited, token, rows, logit);
        assert_near(logit, logp, rows * V);
        full.free(full.state);
        limited.free(limited.state);
        free(logp);
        free(logit);
        batch_release(&b);
        model_free(m);
    }
}

static void attention_sums_to_one_and_is_the_same_in_any_batch(void **state)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct model *m = model_of(&shapes[i]);
        struct batch b = { 0 };
        struct stepper all, one;
        int32_t token[SENTENCES] = { 5, 6, 7, 8, 9, 10 };
        float *logit = malloc(sizeof(float) * SENTENCES * (size_t)m->config.target_vocab);
        fill(&b, m, lengths, SENTENCES);
        assert_int_equal(model_stepper(&all, m) + model_stepper(&one, m), 0);
        all.watch(all.state, true);
        one.watch(one.state, true);
        all.admit(all.state, b.source, b.source_start, b.B, 20);
        all.step(all.state, token, SENTENCES, logit, NULL);
        for (int r = 0; r < SENTENCES; r++) {
            int S = b.source_start[r + 1] - b.source_start[r];
            one.admit(one.state, b.source + b.source_start[r], (int32_t[]){ 0, S }, 1, 20);
            one.step(one.state, token + r, 1, logit, NULL);
            const float *alone = one.attention(one.state, 0, S), *among = all.attention(all.state, r, S);
            double sum = 0;
            for (int s = 0; s < S; s++)
                sum += among[s];
            assert_float_equal(sum, 1, 1e-5);
            assert_near(alone, among, S);
            one.clear(one.state);
        }
        all.free(all.state);
        one.free(one.state);
        free(logit);
        batch_release(&b);
        model_free(m);
    }
}

/* ---- packed weights ---- */

static const struct {
    bool int8;                  /* the file */
    enum precision_of_products kind;
    float near, alike;          /* to the model it was made of; of the pass and the steps */
} packings[] = {
    { false, PRODUCTS_STORED, 1e-4f, 1e-4f }, { false, PRODUCTS_BF16, 0.05f, 0.02f },
    { false, PRODUCTS_INT8, 0.1f, 0.02f }, { true, PRODUCTS_STORED, 0.1f, 0.02f },
    { true, PRODUCTS_FLOAT32, 0.1f, 1e-4f }, { true, PRODUCTS_BF16, 0.1f, 0.02f },
};

/* Saves the model and loads it to decode with. */
static struct model *packed_of(const struct model *m, bool int8, enum precision_of_products kind)
{
    struct error err = { "" };
    char folder[] = "laws_XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(int8 ? model_save_int8(m, folder, &err) : model_save(m, folder, &err), 0);
    struct model *packed = model_load_decoder(folder, kind, &err);
    if (!packed)
        fail_msg("%s", err.text);
    struct model *whole = model_load(folder, &err);
    assert_non_null(whole);
    if (kind == PRODUCTS_STORED)
        assert_true(model_fingerprint(packed) == model_fingerprint(whole));
    model_free(whole);
    assert_int_equal(dir_remove(folder, &err), 0);
    return packed;
}

static void packed_models_decode_like_what_they_were_made_of(void **state)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct model *m = model_of(&shapes[i]);
        struct batch b = { 0 };
        fill(&b, m, lengths, SENTENCES);
        float *expected = whole_pass(m, &b);
        for (size_t k = 0; k < sizeof packings / sizeof *packings; k++) {
            struct model *packed = packed_of(m, packings[k].int8, packings[k].kind);
            struct stepper s;
            float *alike = whole_pass(packed, &b);
            assert_within(alike, expected, b.target_tokens * m->config.target_vocab, packings[k].near);
            assert_int_equal(model_stepper(&s, packed), 0);
            s.admit(s.state, b.source, b.source_start, b.B, 20);
            step_all(&s, &b, alike, packings[k].alike);
            s.free(s.state);
            free(alike);
            model_free(packed);
        }
        free(expected);
        batch_release(&b);
        model_free(m);
    }
}

/* Logits (steps,V) of one sentence, alone in the stepper. */
static float *steps_alone(const struct model *m, const struct batch *b, int sentence)
{
    struct stepper s;
    int first = b->target_start[sentence], steps = b->target_start[sentence + 1] - first, V = m->config.target_vocab;
    int from = b->source_start[sentence], S = b->source_start[sentence + 1] - from;
    float *logit = malloc(sizeof(float) * (size_t)steps * (size_t)V), lse;
    assert_int_equal(model_stepper(&s, m), 0);
    s.admit(s.state, b->source + from, (int32_t[]){ 0, S }, 1, 20);
    for (int t = 0; t < steps; t++)
        s.step(s.state, b->input + first + t, 1, logit + (size_t)t * (size_t)V, &lse);
    s.free(s.state);
    return logit;
}

static void a_batch_gives_the_same_bits_as_its_sentences_alone(void **state)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct model *raw = model_of(&shapes[i]), *m = packed_of(raw, false, PRODUCTS_STORED);
        struct batch b = { 0 };
        struct stepper s;
        int V = m->config.target_vocab;
        float *alone[SENTENCES], lse[SENTENCES], *logit = malloc(sizeof(float) * SENTENCES * (size_t)V);
        fill(&b, m, lengths, SENTENCES);
        for (int n = 0; n < b.B; n++)
            alone[n] = steps_alone(m, &b, n);
        assert_int_equal(model_stepper(&s, m), 0);
        s.admit(s.state, b.source, b.source_start, b.B, 20);
        int32_t token[SENTENCES] = { 0 };
        for (int n = 0; n < b.B; n++)
            token[n] = b.input[b.target_start[n]];
        s.step(s.state, token, b.B, logit, lse);
        for (int n = 0; n < b.B; n++)
            assert_memory_equal(logit + (size_t)n * (size_t)V, alone[n], (size_t)V * sizeof(float));
        s.reorder(s.state, (int[]){ 4, 3, 0 }, 3);      /* three of them go on, in another order */
        s.step(s.state, (int32_t[]){ b.input[b.target_start[4] + 1], b.input[b.target_start[3] + 1],
                                     b.input[b.target_start[0] + 1] }, 3, logit, lse);
        float *const after[] = { alone[4], alone[3], alone[0] };
        for (int n = 0; n < 3; n++)
            assert_memory_equal(logit + (size_t)n * (size_t)V, after[n] + V, (size_t)V * sizeof(float));
        s.free(s.state);
        for (int n = 0; n < b.B; n++)
            free(alone[n]);
        free(logit);
        batch_release(&b);
        model_free(m);
        model_free(raw);
    }
}

static int likeliest(const float *logit, int V, const int32_t *barred, int count, int32_t eos, bool no_eos)
{
    int best = -1;
    for (int v = 0; v < V; v++) {
        bool out = no_eos && v == eos;
        for (int i = 0; i < count; i++)
            out |= v == barred[i];
        if (!out && (best < 0 || logit[v] > logit[best]))
            best = v;
    }
    return best;
}

static void the_best_token_is_that_of_all_logits(void **state)
{
    const enum precision_of_products kinds[] = { PRODUCTS_FLOAT32, PRODUCTS_BF16, PRODUCTS_INT8 };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            struct model *raw = model_of(&shapes[i]), *m = packed_of(raw, false, kinds[k]);
            struct batch b = { 0 };
            struct stepper all, only;
            int V = m->config.target_vocab;
            bool no_eos[SENTENCES];
            int32_t barred[] = { 0, 1, 30 }, token[SENTENCES], best[SENTENCES];
            float *logit = malloc(sizeof(float) * SENTENCES * (size_t)V);
            fill(&b, m, lengths, SENTENCES);
            assert_int_equal(model_stepper(&all, m), 0);
            assert_int_equal(model_stepper(&only, m), 0);
            assert_non_null(only.best);
            all.admit(all.state, b.source, b.source_start, b.B, 20);
            only.admit(only.state, b.source, b.source_start, b.B, 20);
            for (int r = 0; r < b.B; r++)
                token[r] = only.bos;
            for (int t = 0; t < 12; t++) {
                for (int r = 0; r < b.B; r++)
                    no_eos[r] = (r + t) % 2;
                all.step(all.state, token, b.B, logit, NULL);
                only.best(only.state, token, b.B, &(struct barred){ barred, 3, no_eos }, best);
                for (int r = 0; r < b.B; r++) {
                    assert_int_equal(best[r], likeliest(logit + (size_t)r * (size_t)V, V, barred, 3, only.eos, no_eos[r]));
                    token[r] = best[r];
                }
                barred[2] = best[t % b.B];              /* so that others come up */
            }
            all.free(all.state);
            only.free(only.state);
            free(logit);
            batch_release(&b);
            model_free(m);
            model_free(raw);
        }
}

/* ---- gradients ---- */

/* A "loss": the hidden states, each with a weight of its own. */
static double hidden_weight(int i)
{
    return sin(1.0 + 0.7 * i);
}

static double loss_of(const struct model *m, const struct batch *b, float *grads)
{
    struct tape tape = { .params = &m->params, .grads = grads, .train = true, .seed = 4 };
    struct tensor *h = model_hidden(m, &tape, b);
    double loss = 0;
    for (int i = 0; i < h->rows * h->cols; i++)
        loss += hidden_weight(i) * (double)h->data[i];
    if (grads) {
        float *dh = tensor_grad(&tape, h);
        for (int i = 0; i < h->rows * h->cols; i++)
            dh[i] = (float)hidden_weight(i);
        tape_backward(&tape);
    }
    tape_release(&tape);
    return loss;
}

/* Along a random direction of each weight in turn, dropout on. */
static void the_gradient_of_every_weight_is_the_slope_of_the_loss(void **state)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct model *m = model_of(&shapes[i]);
        struct batch b = { 0 };
        struct rng rng;
        float *grads = block_new(&m->params), *kept = block_new(&m->params);
        int weight, bias;
        /* ReLU has kinks, which a short step rarely crosses but a float measures less well. */
        bool kinks = !strcmp(m->arch->name, "transformer") && m->config.activation == ACTIVATION_RELU;
        double step = kinks ? 5e-5 : 2e-3, tolerance = kinks ? 1e-1 : 2e-2;
        rng_seed(&rng, 2, i);
        fill(&b, m, lengths, SENTENCES);
        loss_of(m, &b, grads);
        memcpy(kept, m->params.block, m->params.total * sizeof(float));
        m->arch->output(m->refs, &weight, &bias);
        for (size_t p = 0; p < m->params.count; p++) {
            const struct param *item = &m->params.items[p];
            size_t size = (size_t)item->rows * (size_t)item->cols;
            float *w = m->params.block + item->offset;
            double slope = 0, above, below;
            float *direction = malloc(size * sizeof(float));
            for (size_t j = 0; j < size; j++) {
                direction[j] = rng_below(&rng, 2) ? 1 : -1;
                slope += (double)direction[j] * (double)grads[item->offset + j];
                w[j] += (float)step * direction[j];
            }
            above = loss_of(m, &b, NULL);
            for (size_t j = 0; j < size; j++)
                w[j] = kept[item->offset + j] - (float)step * direction[j];
            below = loss_of(m, &b, NULL);
            memcpy(w, kept + item->offset, size * sizeof(float));
            double expected = (above - below) / (2 * step);
            if (fabs(expected - slope) > tolerance * (1 + fabs(expected)))
                fail_msg("shape %zu, '%s': gradient %g, slope %g", i, item->name, slope, expected);
            double norm = 0;
            for (size_t j = 0; j < size; j++)
                norm += (double)grads[item->offset + j] * (double)grads[item->offset + j];
            bool is_output = (int)p == bias || ((int)p == weight && m->config.tied == TIE_NONE);
            if (!is_output && norm < 1e-8)
                fail_msg("shape %zu: '%s' has no effect: its gradient is %g long", i, item->name, sqrt(norm));
            free(direction);
        }
        free(kept);
        free(grads);
        batch_release(&b);
        model_free(m);
    }
}

static void an_empty_batch_is_no_work(void **state)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct model *m = model_of(&shapes[i]);
        struct batch b = { 0 };
        float *grads = block_new(&m->params);
        batch_reset(&b);
        assert_true(loss_of(m, &b, grads) == 0);
        for (size_t j = 0; j < m->params.total; j++)
            assert_true(grads[j] == 0);
        free(grads);
        batch_release(&b);
        model_free(m);
    }
}

static void impossible_shapes_are_refused(void **state)
{
    struct error err = { "" };
    struct model_config c = config_of(&(struct shape){ { "arch", "lstm" } });
    c.dim = 21;
    assert_int_equal(lstm_architecture.check(&c, &err), -1);
    assert_string_equal(err.text, "dim 21 is odd; a bidirectional encoder needs an even one");
    c.encoder_direction = ENCODER_FORWARD;
    assert_int_equal(lstm_architecture.check(&c, &err), 0);
    c = config_of(&(struct shape){ { "arch", "transformer", "heads", "3" } });
    assert_int_equal(transformer_architecture.check(&c, &err), -1);
    assert_string_equal(err.text, "dim 20 is not a multiple of heads 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_pass_equals_step_by_step),
        cmocka_unit_test(a_batch_gives_what_single_sentences_give),
        cmocka_unit_test(rows_keep_their_states_when_others_join_leave_and_multiply),
        cmocka_unit_test(candidates_share_out_what_the_whole_vocabulary_gives_them),
        cmocka_unit_test(attention_sums_to_one_and_is_the_same_in_any_batch),
        cmocka_unit_test(packed_models_decode_like_what_they_were_made_of),
        cmocka_unit_test(a_batch_gives_the_same_bits_as_its_sentences_alone),
        cmocka_unit_test(the_best_token_is_that_of_all_logits),
        cmocka_unit_test(the_gradient_of_every_weight_is_the_slope_of_the_loss),
        cmocka_unit_test(an_empty_batch_is_no_work),
        cmocka_unit_test(impossible_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
