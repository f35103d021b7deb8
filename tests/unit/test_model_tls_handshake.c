/* SPDX-License-Identifier: Apache-2.0
 * Messages, vectors and extensions: every length fits, to the last byte. */
#include "model/tls_handshake.h"

#include "check.h"
#include "tls_bodies.h"

static void test_messages(void **state)
{
    (void)state;
    static const uint8_t good[] = {14, 0, 0, 0, 20, 0, 0, 2, 'a', 'b'};
    struct reader messages = reader_of(span_of(good, sizeof good));
    struct tls_message message;
    assert_true(tls_message_next(&messages, &message));
    assert_int_equal(message.type, TLS_SERVER_HELLO_DONE);
    assert_int_equal(message.body.len, 0);
    assert_true(tls_message_next(&messages, &message));
    assert_int_equal(message.type, TLS_FINISHED);
    assert_true(span_is_text(message.body, "ab"));
    assert_false(tls_message_next(&messages, &message));
    assert_true(reader_done(&messages));
    for (size_t cut = 1; cut < sizeof good; cut++) {
        messages = reader_of(span_of(good, cut));
        while (tls_message_next(&messages, &message)) {
        }
        assert_int_equal(reader_done(&messages), cut == 4);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(tls_message_name(TLS_CLIENT_HELLO), "ClientHello");
    assert_string_equal(tls_message_name(TLS_MESSAGE_HASH), "message_hash");
    assert_string_equal(tls_message_name(0), "another message");
    assert_string_equal(tls_message_name(25), "CompressedCertificate");
    assert_string_equal(tls_message_name(4), "another message"); /* NewSessionTicket */
}

static void test_vectors(void **state)
{
    (void)state;
    struct reader one = reader_of(span_of("\x02xyz", 4));
    assert_true(span_is_text(tls_vector(&one, 1, 2), "xy"));
    assert_true(span_is_text(tls_take(&one, 1), "z"));
    assert_true(reader_done(&one));
    struct reader three = reader_of(span_of("\0\0\x01x", 4));
    assert_true(span_is_text(tls_vector(&three, 3, 1), "x"));
    struct reader less = reader_of(span_of("\0\x01x", 3));
    assert_int_equal(tls_vector(&less, 2, 2).len, 0);
    assert_true(less.failed);
    struct reader more = reader_of(span_of("\0\x02x", 3));
    assert_int_equal(tls_vector(&more, 2, 0).len, 0);
    assert_true(more.failed);
    assert_int_equal(tls_take(&more, 0).len, 0);
}

static void test_lists(void **state)
{
    (void)state;
    struct span list = span_of("\x04\x03\x08\x04\x05", 5);
    assert_true(tls_list_has(list, 0x0403));
    assert_true(tls_list_has(list, 0x0804));
    assert_false(tls_list_has(list, 0x0308)); /* not between two */
    assert_false(tls_list_has(list, 0x0500)); /* half a number is none */
    assert_false(tls_list_has(span_of(NULL, 0), 0));
}

static const struct body_row blocks[] = {
    {BODY(""), NULL},
    {BODY("\0\x0D\0\0"), NULL},
    {BODY("\0\x0D\0\x01x\0\x0E\0\0"), NULL},
    {BODY("\0\x0D\0\0\0\x0D\0\0"), "an extension comes twice"},
    {BODY("\0"), "an extension's length does not fit"},
    {BODY("\0\x0D\0"), "an extension's length does not fit"},
    {BODY("\0\x0D\0\x01"), "an extension's length does not fit"},
    {BODY("\0\x0D\0\0x"), "an extension's length does not fit"},
};

static void test_extensions(void **state)
{
    (void)state;
    bodies_check(tls_extensions_fault, blocks, COUNT_OF(blocks));
    struct span content;
    struct span block = span_of("\0\x0D\0\x01x\0\x00\0\x02yz", 11);
    assert_true(tls_extension_find(block, TLS_EXT_SIGNATURE_ALGORITHMS, &content));
    assert_true(span_is_text(content, "x"));
    assert_true(tls_extension_find(block, TLS_EXT_SERVER_NAME, &content));
    assert_true(span_is_text(content, "yz"));
    assert_false(tls_extension_find(block, TLS_EXT_PRE_SHARED_KEY, &content));
}

static void test_many_extensions(void **state)
{
    (void)state;
    uint8_t block[4 * (TLS_EXTENSIONS_MAX + 1)] = {0};
    for (size_t i = 0; i <= TLS_EXTENSIONS_MAX; i++) {
        block[4 * i + 1] = (uint8_t)i;
    }
    assert_null(tls_extensions_fault(span_of(block, sizeof block - 4)));
    assert_string_equal(tls_extensions_fault(span_of(block, sizeof block)),
                        "more extensions than are taken");
}

static const char *read_schemes(struct span content)
{
    struct span list;
    const char *fault = tls_read_schemes(content, &list);
    assert_true(fault != NULL || (list.len >= 2 && list.len == content.len - 2));
    return fault;
}

#define NO_SCHEMES "signature_algorithms: its length does not fit"

static const struct body_row schemes[] = {
    {BODY("\0\x02\x04\x03"), NULL},
    {BODY("\0\x04\x04\x03\x08\x04"), NULL},
    {BODY(""), NO_SCHEMES},
    {BODY("\0\0"), NO_SCHEMES},
    {BODY("\0\x01\x04"), NO_SCHEMES},
    {BODY("\0\x03\x04\x03\x08"), NO_SCHEMES},
    {BODY("\0\x02\x04\x03\x08"), NO_SCHEMES},
    {BODY("\0\x04\x04\x03"), NO_SCHEMES},
};

static void test_schemes(void **state)
{
    (void)state;
    bodies_check(read_schemes, schemes, COUNT_OF(schemes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),   cmocka_unit_test(test_names),
        cmocka_unit_test(test_vectors),    cmocka_unit_test(test_lists),
        cmocka_unit_test(test_extensions), cmocka_unit_test(test_many_extensions),
        cmocka_unit_test(test_schemes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
