/* SPDX-License-Identifier: Apache-2.0
 * ClientHello, ServerHello, EncryptedExtensions. */
#include "model/tls_hello.h"

#include "base/buffer.h"

#include "check.h"
#include "tls_bodies.h"

#define FIT "a length does not fit"
#define NAME "server_name: its length does not fit"
#define VERSIONS "supported_versions: its length does not fit"
/* Version, random, session, two suites, compression. */
#define CLIENT "\x03\x03" RANDOM "\x01s\0\x04\x13\x01\xC0\x2F\x01\0"
#define SERVER "\x03\x03" RANDOM "\x01s\x13\x01\0"

static const char *read_client(struct span body)
{
    struct tls_client_hello hello;
    return tls_read_client_hello(body, &hello);
}

static const struct body_row clients[] = {
    {BODY(CLIENT), NULL},
    {BODY(CLIENT "\0\0"), NULL},
    {BODY(CLIENT "\0\x08\0\x0A\0\x04\0\x02\0\x1D"), NULL},
    {BODY(CLIENT "\0\x0A\0\0\0\x06\0\x04\0\0\x01"
                 "a"),
     NULL},
    {BODY(""), FIT},
    {BODY("\x03\x03"), FIT},
    {BODY("\x03\x03" RANDOM "\0\0\0\x01\0"), FIT},               /* no suite */
    {BODY("\x03\x03" RANDOM "\0\0\x03\x13\x01\x13\x01\0"), FIT}, /* half a suite */
    {BODY("\x03\x03" RANDOM "\0\0\x02\x13\x01\0"), FIT},         /* no compression */
    {BODY("\x03\x03" RANDOM "\x21" RANDOM "x\0\x02\x13\x01\x01\0"), FIT},
    {BODY("\x03\x03" RANDOM "\0\0\x02\x13\x01\x01\x01"), "it does not offer to send uncompressed"},
    {BODY(CLIENT "\0"), FIT},
    {BODY(CLIENT "\0\x01"), FIT},
    {BODY(CLIENT "\0\0x"), FIT},
    {BODY(CLIENT "\0\x03\0\x0A\0"), "an extension's length does not fit"},
    {BODY(CLIENT "\0\x08\0\x0A\0\0\0\x0A\0\0"), "an extension comes twice"},
    {BODY(CLIENT "\0\x04\0\0\0\0"), NAME},
    {BODY(CLIENT "\0\x06\0\0\0\x02\0\0"), NAME},
    {BODY(CLIENT "\0\x07\0\0\0\x03\0\0x"), NAME},
    {BODY(CLIENT "\0\x09\0\0\0\x05\0\x03\0\0\0"), "server_name: not one host name"},
    {BODY(CLIENT "\0\x0A\0\0\0\x06\0\x04\x01\0\x01"
                 "a"),
     "server_name: not one host name"},
    {BODY(CLIENT "\0\x0E\0\0\0\x0A\0\x08\0\0\x01"
                 "a\0\0\x01"
                 "b"),
     "server_name: not one host name"},
    {BODY(CLIENT "\0\x0A\0\0\0\x06\0\x04\0\0\x01;"), "server_name: not a plain DNS name"},
    {BODY(CLIENT "\0\x0A\0\0\0\x06\0\x04\0\0\x01\0"), "server_name: not a plain DNS name"},
    {BODY(CLIENT "\0\x0A\0\0\0\x06\0\x04\0\0\x01\x80"), "server_name: not a plain DNS name"},
    {BODY(CLIENT "\0\x05\0\x2B\0\x01\0"), VERSIONS},
    {BODY(CLIENT "\0\x08\0\x2B\0\x04\x03\x03\x04\x03"), VERSIONS},
    {BODY(CLIENT "\0\x08\0\x2B\0\x04\x02\x03\x04\x03"), VERSIONS},
    {BODY(CLIENT "\0\x06\0\x0D\0\x02\0\0"), "signature_algorithms: its length does not fit"},
};

static void test_clients(void **state)
{
    (void)state;
    bodies_check(read_client, clients, COUNT_OF(clients));
}

static void test_client_fields(void **state)
{
    (void)state;
    static const char body[] = CLIENT "\0\x1B\0\0\0\x08\0\x06\0\0\x03"
                                      "a.b"
                                      "\0\x2B\0\x03\x02\x03\x04\0\x0D\0\x04\0\x02\x08\x07";
    struct tls_client_hello hello;
    assert_null(tls_read_client_hello(span_of(body, sizeof body - 1), &hello));
    assert_int_equal(hello.version, 0x0303);
    assert_true(span_is_text(hello.random, RANDOM));
    assert_true(span_equal(hello.suites, span_of("\x13\x01\xC0\x2F", 4)));
    assert_true(span_equal(hello.versions, span_of("\x03\x04", 2)));
    assert_true(span_equal(hello.schemes, span_of("\x08\x07", 2)));
    assert_true(span_is_text(hello.server_name, "a.b"));
    assert_null(tls_read_client_hello(span_of(CLIENT, sizeof(CLIENT) - 1), &hello));
    assert_int_equal(hello.server_name.len + hello.schemes.len + hello.versions.len, 0);
}

/* 255 characters are the longest name, as in DNS. */
static void test_long_name(void **state)
{
    (void)state;
    for (size_t len = 255; len <= 256; len++) {
        BUFFER_CLEANUP struct buffer body = BUFFER_INIT(1024);
        buffer_put(&body, CLIENT, sizeof(CLIENT) - 1);
        buffer_put_u16(&body, (uint16_t)(len + 9));
        buffer_put_u16(&body, 0);
        buffer_put_u16(&body, (uint16_t)(len + 5));
        buffer_put_u16(&body, (uint16_t)(len + 3));
        buffer_put_u8(&body, 0);
        buffer_put_u16(&body, (uint16_t)len);
        memset(buffer_extend(&body, len), 'a', len);
        const char *fault = read_client(buffer_span(&body));
        assert_string_equal(fault != NULL ? fault : "",
                            len == 255 ? "" : "server_name: not a plain DNS name");
    }
}

static const char *read_server(struct span body)
{
    struct tls_server_hello hello;
    return tls_read_server_hello(body, &hello);
}

static const struct body_row servers[] = {
    {BODY(SERVER), NULL},
    {BODY(SERVER "\0\0"), NULL},
    {BODY(SERVER "\0\x06\0\x2B\0\x02\x03\x04"), NULL},
    {BODY(""), FIT},
    {BODY("\x03\x03" RANDOM), FIT},
    {BODY("\x03\x03" RANDOM "\x21" RANDOM "x\x13\x01\0"), FIT},
    {BODY("\x03\x03" RANDOM "\0\x13\x01\x01"), "it chooses compression"},
    {BODY(SERVER "\0"), FIT},
    {BODY(SERVER "\0\0x"), FIT},
    {BODY(SERVER "\0\x06\0\x2B\0\x02\0\0"), VERSIONS},
    {BODY(SERVER "\0\x05\0\x2B\0\x01\x03"), VERSIONS},
    {BODY(SERVER "\0\x07\0\x2B\0\x03\x03\x04\0"), VERSIONS},
    {BODY(SERVER "\0\x03\0\x2B\0"), "an extension's length does not fit"},
    {BODY(SERVER "\0\x08\0\x17\0\0\0\x17\0\0"), "an extension comes twice"},
};

static void test_servers(void **state)
{
    (void)state;
    bodies_check(read_server, servers, COUNT_OF(servers));
}

static void test_server_fields(void **state)
{
    (void)state;
    static const char body[] = SERVER "\0\x0C\0\x2B\0\x02\x03\x04\0\x29\0\x02\0\0";
    static const char retry[] = "\x03\x03"
                                "\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91"
                                "\xC2\xA2\x11\x16\x7A\xBB\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C"
                                "\0\x13\x02\0";
    struct tls_server_hello hello;
    assert_null(tls_read_server_hello(span_of(body, sizeof body - 1), &hello));
    assert_int_equal(hello.version, 0x0303);
    assert_true(span_is_text(hello.random, RANDOM));
    assert_int_equal(hello.suite, 0x1301);
    assert_int_equal(hello.selected, 0x0304);
    assert_true(hello.resumes);
    assert_false(hello.retry);
    assert_null(tls_read_server_hello(span_of(retry, sizeof retry - 1), &hello));
    assert_int_equal(hello.suite, 0x1302);
    assert_int_equal(hello.selected, 0);
    assert_false(hello.resumes);
    assert_true(hello.retry);
}

static const struct body_row encrypted[] = {
    {BODY("\0\0"), NULL},
    {BODY("\0\x04\0\x10\0\0"), NULL},
    {BODY(""), FIT},
    {BODY("\0"), FIT},
    {BODY("\0\0x"), FIT},
    {BODY("\0\x03\0\x10\0"), "an extension's length does not fit"},
    {BODY("\0\x08\0\x10\0\0\0\x10\0\0"), "an extension comes twice"},
};

static void test_encrypted_extensions(void **state)
{
    (void)state;
    bodies_check(tls_encrypted_extensions_fault, encrypted, COUNT_OF(encrypted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients),       cmocka_unit_test(test_client_fields),
        cmocka_unit_test(test_long_name),     cmocka_unit_test(test_servers),
        cmocka_unit_test(test_server_fields), cmocka_unit_test(test_encrypted_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
