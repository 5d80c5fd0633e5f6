/* TensorBoard's event files.
 *
 * A file is a row of records:
 *
 *     +------------+----------------+-------------+--------------+
 *     | u64 length | u32 crc of it  | the message | u32 crc of it |      little-endian
 *     +------------+----------------+-------------+--------------+
 *
 * each crc being CRC-32C, rotated and offset ("masked").  A message is an Event in protobuf's
 * encoding, fields as key (number << 3 | type) and value:
 *
 *     Event:   1 double wall_time, 2 varint step, then one of
 *              3 string file_version, 5 Summary, 7 SessionLog
 *     Summary: 1 Value, repeated        Value: 1 string tag, 2 float simple_value
 *     SessionLog: 1 varint status (1: START) */
#include "seq2seq/tensorboard.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/log.h"
#include "base/memory.h"

/* ---- records ---- */

static void add_bytes(struct strbuf *out, const void *bytes, size_t length)
{
    strbuf_add(out, bytes, length);
}

static void add_masked_crc(struct strbuf *out, const void *bytes, size_t length)
{
    uint32_t crc = crc32c(0, bytes, length);
    crc = (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8);
    add_bytes(out, &crc, sizeof crc);
}

void tfrecord_add(struct strbuf *out, const struct strbuf *message)
{
    uint64_t length = message->length;
    add_bytes(out, &length, sizeof length);
    add_masked_crc(out, &length, sizeof length);
    add_bytes(out, message->text, message->length);
    add_masked_crc(out, message->text, message->length);
}

/* ---- protobuf ---- */

enum wire { VARINT = 0, EIGHT_BYTES = 1, COUNTED = 2, FOUR_BYTES = 5 };

static void add_varint(struct strbuf *out, uint64_t value)
{
    do {
        unsigned char byte = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        add_bytes(out, &byte, 1);
        value >>= 7;
    } while (value);
}

static void add_key(struct strbuf *out, int field, enum wire wire)
{
    add_varint(out, (uint64_t)field << 3 | wire);
}

static void add_counted(struct strbuf *out, int field, const void *bytes, size_t length)
{
    add_key(out, field, COUNTED);
    add_varint(out, length);
    add_bytes(out, bytes, length);
}

/* ---- events ---- */

static void event_begin(struct strbuf *out, double wall_time, int64_t step)
{
    add_key(out, 1, EIGHT_BYTES);
    add_bytes(out, &wall_time, sizeof wall_time);
    if (step) {
        add_key(out, 2, VARINT);
        add_varint(out, (uint64_t)step);
    }
}

void event_version(struct strbuf *out, double wall_time)
{
    static const char version[] = "brain.Event:2";
    event_begin(out, wall_time, 0);
    add_counted(out, 3, version, strlen(version));
}

void event_start(struct strbuf *out, double wall_time, int64_t step)
{
    static const unsigned char status_start[] = { 1 << 3 | VARINT, 1 };
    event_begin(out, wall_time, step);
    add_counted(out, 7, status_start, sizeof status_start);
}

static void summary_add(struct strbuf *summary, const char *key, float number)
{
    struct strbuf value = { 0 };
    char tag[128];
    bool valid = !strncmp(key, "valid_", 6);
    snprintf(tag, sizeof tag, "%s/%s", valid ? "valid" : "train", valid ? key + 6 : key);
    add_counted(&value, 1, tag, strlen(tag));
    add_key(&value, 2, FOUR_BYTES);
    add_bytes(&value, &number, sizeof number);
    add_counted(summary, 1, value.text, value.length);
    strbuf_release(&value);
}

void event_scalars(struct strbuf *out, double wall_time, const json_t *record)
{
    struct strbuf summary = { 0 };
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)record, key, value)
        if (strcmp(key, "update") && json_is_number(value))
            summary_add(&summary, key, (float)json_number_value(value));
    event_begin(out, wall_time, json_integer_value(json_object_get(record, "update")));
    add_counted(out, 5, summary.text, summary.length);
    strbuf_release(&summary);
}

/* ---- the file ---- */

static double wall_clock(void)
{
    struct timeval now;
    gettimeofday(&now, NULL);
    return (double)now.tv_sec + (double)now.tv_usec * 1e-6;
}

static void record_write(struct tensorboard *t, struct strbuf *message)
{
    struct strbuf record = { 0 };
    tfrecord_add(&record, message);
    fwrite(record.text, 1, record.length, t->stream);
    if (fflush(t->stream) || ferror(t->stream)) {
        if (!t->told)
            log_warning("TensorBoard's events cannot be written: %s; training goes on", strerror(errno));
        t->told = true;
        clearerr(t->stream);
    }
    strbuf_release(&record);
    strbuf_release(message);
}

void tensorboard_open(struct tensorboard *t, const char *folder, int64_t kept)
{
    char host[64] = "localhost";
    struct strbuf message = { 0 };
    gethostname(host, sizeof host - 1);
    char *path = xasprintf("%s/events.out.tfevents.%010lld.%s.%ld", folder, (long long)time(NULL), host,
                           (long)getpid());
    t->stream = fopen(path, "we");
    if (!t->stream) {
        log_warning("cannot write '%s': %s; training goes on", path, strerror(errno));
    } else {
        event_version(&message, wall_clock());
        record_write(t, &message);
        event_start(&message, wall_clock(), kept + 1);
        record_write(t, &message);
    }
    free(path);
}

void tensorboard_write(struct tensorboard *t, const json_t *record)
{
    struct strbuf message = { 0 };
    if (!t->stream)
        return;
    event_scalars(&message, wall_clock(), record);
    record_write(t, &message);
}

void tensorboard_close(struct tensorboard *t)
{
    if (t->stream)
        fclose(t->stream);
    *t = (struct tensorboard){ 0 };
}
