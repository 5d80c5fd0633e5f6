#include "cli/decoding.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/memory.h"
#include "seq2seq/model.h"
#include "tokenize/tokenizer.h"

const char *const average_names[] = { "probability", "log", NULL };
const char *const utf8_policy_names[] = { "refuse", "replace", "keep", NULL };

static int read_weights(struct models *m, const struct strings *folders, const struct strings *weights,
                        struct error *err)
{
    if (!weights->count)
        return 0;
    if (weights->count != folders->count)
        return error_set(err, "--weights has %zu numbers for %zu models: give one each", weights->count,
                         folders->count);
    m->weights = xcalloc(weights->count, sizeof *m->weights);
    for (size_t i = 0; i < weights->count; i++) {
        char *end;
        m->weights[i] = strtof(weights->items[i], &end);
        if (end == weights->items[i] || *end)
            return error_set(err, "--weights: '%s' is no number", weights->items[i]);
    }
    return 0;
}

int models_load(struct models *m, const struct strings *folders, const struct strings *weights, int average,
                int products, struct error *err)
{
    if (read_weights(m, folders, weights, err) < 0)
        return -1;
    m->items = xcalloc(folders->count + 1, sizeof *m->items);
    for (size_t i = 0; i < folders->count; i++) {
        m->items[i] = model_load_decoder(folders->items[i], (enum precision_of_products)products, err);
        if (!m->items[i])
            return -1;
        m->count++;
    }
    if (m->count < 2)
        return 0;
    m->ensemble = ensemble_new((const struct model *const *)m->items, m->weights, m->count,
                               (enum average)average, err);
    return m->ensemble ? 0 : -1;
}

struct translator models_translator(const struct models *m)
{
    return m->ensemble ? translator_of_ensemble(m->ensemble) : translator_of_model(m->items[0]);
}

void models_release(struct models *m)
{
    ensemble_free(m->ensemble);
    for (int i = 0; i < m->count; i++)
        model_free(m->items[i]);
    free(m->items);
    free(m->weights);
    *m = (struct models){ 0 };
}

int sink_open(struct sink *s, const char *path, struct error *err)
{
    *s = (struct sink){ .stream = stdout };
    if (!path || !strcmp(path, "-"))
        return 0;
    s->path = path;
    if (outfile_open(&s->file, path, err) < 0)
        return -1;
    s->stream = s->file.stream;
    return 0;
}

int sink_check(const struct sink *s, struct error *err)
{
    if (!ferror(s->stream))
        return 0;
    return error_set(err, "cannot write '%s': %s", s->path ? s->path : "standard output",
                     strerror(errno));
}

int sink_commit(struct sink *s, struct error *err)
{
    if (s->path)
        return outfile_commit(&s->file, err);
    if (fflush(stdout))
        return error_set(err, "cannot write 'standard output': %s", strerror(errno));
    return 0;
}

void sink_abort(struct sink *s)
{
    outfile_abort(&s->file);
}

json_t *json_finite(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *json_pieces(const struct tokenizer *target, const struct hypothesis *h)
{
    json_t *pieces = json_array();
    for (int i = 0; i < h->count; i++)
        json_array_append_new(pieces, json_string(tokenizer_piece(target, h->ids[i])));
    return pieces;
}

json_t *json_token_logp(const struct hypothesis *h)
{
    json_t *logp = json_array();
    for (int i = 0; i <= h->count; i++)
        json_array_append_new(logp, json_finite(h->token_logp[i]));
    return logp;
}

json_t *json_attention(const struct hypothesis *h)
{
    json_t *rows = json_array();
    for (int t = 0; t <= h->count && h->attention; t++) {
        const float *weight = h->attention + (size_t)t * (size_t)h->source_count;
        json_t *row = json_array();
        for (int s = 0; s < h->source_count; s++)
            json_array_append_new(row, json_real(round((double)weight[s] * 1e4) / 1e4));
        json_array_append_new(rows, row);
    }
    return rows;
}

int64_t lines_ahead(const char *path)
{
    struct lines in = { .utf8 = UTF8_KEEP };
    if (!progress_wanted() || !strcmp(path, "-") || lines_open(&in, path, NULL) < 0)
        return 0;
    in.utf8 = UTF8_KEEP;
    while (lines_next(&in, NULL) > 0)
        ;
    int64_t count = in.number;
    lines_close(&in);
    return count;
}

const char *grouped(int64_t number)
{
    static char text[8][32];
    static int turn;
    char *out = text[turn = (turn + 1) % 8], digits[24];
    int count = snprintf(digits, sizeof digits, "%lld", (long long)number), at = 0;
    for (int i = 0; i < count; i++) {
        if (i && (count - i) % 3 == 0 && digits[i - 1] != '-')
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

void warn_of_limits(const struct decode_stats *s)
{
    if (s->truncated)
        log_warning("%s lines were longer than allowed and cut (--max-source)",
                    grouped(s->truncated));
    if (s->cut)
        log_warning("%s translations reached the length limit and were ended there "
                    "(--max-length-factor, --max-length-offset, --max-length)", grouped(s->cut));
    if (s->unusable)
        log_warning("for %s lines the model gave no finite probability: is it damaged or "
                    "not yet trained?", grouped(s->unusable));
}
