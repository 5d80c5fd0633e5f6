#include "cli/decoding.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/lines.h"
#include "base/log.h"
#include "tokenize/tokenizer.h"

const char *const utf8_policy_names[] = { "refuse", "replace", "keep", NULL };

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
    if (s->path)
        return write_failed(s->path, errno, err);
    return error_set(err, "cannot write 'standard output': %s", strerror(errno));
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
