/* TensorBoard's event files, byte for byte as its own writer makes them. */
#include "tests/test.h"

#include "base/crc32c.h"
#include "base/error.h"
#include "base/file.h"
#include "seq2seq/tensorboard.h"

/* The vectors of RFC 3720, B.4. */
static void checksums_are_those_of_the_standard(void **state)
{
    unsigned char bytes[32] = { 0 };
    assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(crc32c(0, bytes, 32), 0x46dd794e);
    assert_int_equal(crc32c(crc32c(0, bytes, 7), bytes + 7, 25), 0x46dd794e);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
}

static void put(struct strbuf *out, struct strbuf *message)
{
    tfrecord_add(out, message);
    strbuf_release(message);
}

/* tests/seq2seq/golden/events.py made the file. */
static void events_are_those_of_tensorboards_own_writer(void **state)
{
    struct error err = { 0 };
    struct strbuf out = { 0 }, message = { 0 };
    char *wanted;
    size_t length;
    assert_int_equal(file_read(&wanted, &length, TEST_DATA "/golden/tensorboard.events", &err), 0);
    json_t *update = json_pack("{s:i,s:i,s:f,s:f,s:f}", "update", 50, "epoch", 0, "seconds", 1.5, "loss", 4.25,
                               "rate", 0.0005);
    json_t *validation = json_pack("{s:i,s:i,s:f,s:f,s:n,s:s}", "update", 100000, "epoch", 3, "valid_nll", 2.125,
                                   "valid_bleu", 31.5, "valid_chrf", "weights", "the average");
    event_version(&message, 1700000000.25);
    put(&out, &message);
    event_start(&message, 1700000000.5, 1);
    put(&out, &message);
    event_scalars(&message, 1700000001, update);
    put(&out, &message);
    event_scalars(&message, 1700000002, validation);
    put(&out, &message);
    assert_int_equal(out.length, length);
    assert_memory_equal(out.text, wanted, length);
    json_decref(update);
    json_decref(validation);
    strbuf_release(&out);
    free(wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_those_of_the_standard),
        cmocka_unit_test(events_are_those_of_tensorboards_own_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
