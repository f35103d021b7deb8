/* SPDX-License-Identifier: Apache-2.0
 * The fields of the token door's frames: there and back, cut short, and with wrong values. */
#include "check.h"

#include "token/token.h"

static const struct token_sign_request sign_request = {
    .purpose = PURPOSE_SEAL,
    .use = USE_CSR,
    .alg = ALG_ES384,
    .key_id = {1, 2, 3},
    .spki_digest = {4, 5, 6},
};

static void put_sign(struct buffer *frame)
{
    struct token_sign_request request = sign_request;
    request.input = span_of_text("header.payload");
    token_put_sign(frame, &request);
}

static void test_sign(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    put_sign(&frame);
    struct token_sign_request got;
    struct reader reader = reader_of(buffer_span(&frame));
    assert_true(token_get_sign(&reader, &got));
    assert_int_equal(got.alg, ALG_ES384);
    assert_int_equal(got.purpose, PURPOSE_SEAL);
    assert_int_equal(got.use, USE_CSR);
    assert_memory_equal(got.key_id, sign_request.key_id, KEY_ID_LEN);
    assert_memory_equal(got.spki_digest, sign_request.spki_digest, SPKI_DIGEST_LEN);
    assert_true(span_is_text(got.input, "header.payload"));
    for (size_t len = 0; len < frame.len; len++) {
        reader = reader_of(span_of(frame.data, len));
        assert_false(token_get_sign(&reader, &got));
    }
    buffer_put_u8(&frame, 0);
    reader = reader_of(buffer_span(&frame));
    assert_false(token_get_sign(&reader, &got));
}

static void test_sign_wrong_numbers(void **state)
{
    (void)state;
    for (size_t at = 0; at < 3; at++) {
        BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
        put_sign(&frame);
        frame.data[at] = 200;
        struct token_sign_request got;
        struct reader reader = reader_of(buffer_span(&frame));
        assert_false(token_get_sign(&reader, &got));
    }
}

static void test_destroy(void **state)
{
    (void)state;
    const struct token_destroy_request request = {
        .purpose = PURPOSE_TRANSPORT, .key_id = {7, 8}, .spki_digest = {9}};
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    token_put_destroy(&frame, &request);
    struct token_destroy_request got;
    struct reader reader = reader_of(buffer_span(&frame));
    assert_true(token_get_destroy(&reader, &got));
    assert_int_equal(got.purpose, PURPOSE_TRANSPORT);
    assert_memory_equal(got.key_id, request.key_id, KEY_ID_LEN);
    assert_memory_equal(got.spki_digest, request.spki_digest, SPKI_DIGEST_LEN);
    for (size_t len = 0; len < frame.len; len++) {
        reader = reader_of(span_of(frame.data, len));
        assert_false(token_get_destroy(&reader, &got));
    }
    buffer_put_u8(&frame, 0);
    reader = reader_of(buffer_span(&frame));
    assert_false(token_get_destroy(&reader, &got));
    buffer_cut(&frame, frame.len - 1);
    frame.data[0] = PURPOSE_COUNT;
    reader = reader_of(buffer_span(&frame));
    assert_false(token_get_destroy(&reader, &got));
}

static void test_generate(void **state)
{
    (void)state;
    const struct token_generate_request request = {
        .type = KEY_P521, .algs = 1U << ALG_ES512, .role = "seal-ec", .key_id = {7}};
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    token_put_generate(&frame, &request);
    struct token_generate_request got;
    struct reader reader = reader_of(buffer_span(&frame));
    assert_true(token_get_generate(&reader, &got));
    assert_int_equal(got.type, KEY_P521);
    assert_int_equal(got.algs, 1U << ALG_ES512);
    assert_string_equal(got.role, "seal-ec");
    assert_memory_equal(got.key_id, request.key_id, KEY_ID_LEN);
    for (size_t len = 0; len < frame.len; len++) {
        reader = reader_of(span_of(frame.data, len));
        assert_false(token_get_generate(&reader, &got));
    }
    frame.data[1] = KEY_TYPE_COUNT;
    reader = reader_of(buffer_span(&frame));
    assert_false(token_get_generate(&reader, &got));
}

static void test_status(void **state)
{
    (void)state;
    const struct token_status status = {.state = TOKEN_LOCKED,
                                        .label = "l",
                                        .serial = "s",
                                        .model = "m",
                                        .module = "o",
                                        .detail = "why",
                                        .prehash_algs = 1,
                                        .token_hash_algs = 2,
                                        .sessions = 3,
                                        .signatures = 1ULL << 40,
                                        .started = 1234567890,
                                        .version = "1.2.3",
                                        .marks = {9, 1ULL << 63},
                                        .n_marks = 2,
                                        .facts = {.manufacturer = "by",
                                                  .hardware = "1.2",
                                                  .firmware = "3.4",
                                                  .flags = 5,
                                                  .numbers = {6, TOKEN_NO_LIMIT, TOKEN_UNKNOWN},
                                                  .quirks_looked = 7,
                                                  .quirks_found = 8}};
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    token_put_status(&frame, &status);
    struct token_status got;
    struct reader reader = reader_of(buffer_span(&frame));
    assert_true(token_get_status(&reader, &got));
    assert_int_equal(got.state, TOKEN_LOCKED);
    assert_string_equal(got.label, "l");
    assert_string_equal(got.serial, "s");
    assert_string_equal(got.model, "m");
    assert_string_equal(got.module, "o");
    assert_string_equal(got.detail, "why");
    assert_int_equal(got.prehash_algs, 1);
    assert_int_equal(got.token_hash_algs, 2);
    assert_int_equal(got.sessions, 3);
    assert_true(got.signatures == 1ULL << 40);
    assert_int_equal(got.started, 1234567890);
    assert_string_equal(got.version, "1.2.3");
    assert_int_equal(got.n_marks, 2);
    assert_memory_equal(got.marks, status.marks, sizeof status.marks);
    assert_string_equal(got.facts.manufacturer, "by");
    assert_string_equal(got.facts.hardware, "1.2");
    assert_string_equal(got.facts.firmware, "3.4");
    assert_int_equal(got.facts.flags, 5);
    assert_memory_equal(got.facts.numbers, status.facts.numbers, sizeof status.facts.numbers);
    assert_int_equal(got.facts.quirks_looked, 7);
    assert_int_equal(got.facts.quirks_found, 8);
    for (size_t len = 0; len < frame.len; len++) {
        reader = reader_of(span_of(frame.data, len));
        assert_false(token_get_status(&reader, &got));
    }
    size_t count = frame.len - 8 - sizeof got.facts.numbers - 4 - 3 * 4 - strlen("by1.23.4") -
                   2 * sizeof(uint64_t) - 1; /* the last byte of n_marks */
    assert_int_equal(frame.data[count], 2);
    frame.data[count] = TOKEN_MARKS_MAX + 1;
    reader = reader_of(buffer_span(&frame));
    assert_false(token_get_status(&reader, &got));
    frame.data[count] = 2;
    frame.data[0] = TOKEN_DOWN + 1;
    reader = reader_of(buffer_span(&frame));
    assert_false(token_get_status(&reader, &got));
}

static void test_show(void **state)
{
    (void)state;
    const struct token_show_request request = {.key_id = {7, 8}, .spki_digest = {9}};
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    token_put_show(&frame, &request);
    struct token_show_request got;
    struct reader reader = reader_of(buffer_span(&frame));
    assert_true(token_get_show(&reader, &got));
    assert_memory_equal(&got, &request, sizeof got);
    for (size_t len = 0; len < frame.len; len++) {
        reader = reader_of(span_of(frame.data, len));
        assert_false(token_get_show(&reader, &got));
    }
    buffer_put_u8(&frame, 0);
    reader = reader_of(buffer_span(&frame));
    assert_false(token_get_show(&reader, &got));
}

static void test_key(void **state)
{
    (void)state;
    const struct token_key key = {
        .attributes = {[ATTRIBUTE_LOCAL] = ANSWER_TRUE, [ATTRIBUTE_DERIVE] = ANSWER_NONE},
        .label = "Schl\xfcssel",
        .has_mechanisms = true,
        .mechanisms = "CKM_ECDSA\n",
        .is_pinned = true,
        .signatures = 1ULL << 40,
        .started = 5};
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    token_put_key(&frame, &key);
    struct token_key got;
    struct reader reader = reader_of(buffer_span(&frame));
    assert_true(token_get_key(&reader, &got));
    assert_memory_equal(got.attributes, key.attributes, sizeof got.attributes);
    assert_string_equal(got.label, "Schl?ssel");
    assert_string_equal(got.mechanisms, "CKM_ECDSA?");
    assert_true(got.has_mechanisms && got.is_pinned);
    assert_true(got.signatures == 1ULL << 40);
    assert_int_equal(got.started, 5);
    for (size_t len = 0; len < frame.len; len++) {
        reader = reader_of(span_of(frame.data, len));
        assert_false(token_get_key(&reader, &got));
    }
    size_t flag = TOKEN_ATTRIBUTE_COUNT + 4 + strlen(key.label); /* has_mechanisms */
    const size_t places[] = {0, TOKEN_ATTRIBUTE_COUNT - 1, flag};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        uint8_t before = frame.data[places[i]];
        frame.data[places[i]] = 3;
        reader = reader_of(buffer_span(&frame));
        assert_false(token_get_key(&reader, &got));
        frame.data[places[i]] = before;
    }
    for (unsigned int i = 0; i < TOKEN_ATTRIBUTE_COUNT; i++) {
        assert_memory_equal(token_attribute_name((enum token_attribute)i), "CKA_", 4);
    }
}

/* Modules pad, label and speak as they like; what reads this is a terminal or JSON. */
static void test_status_is_printable(void **state)
{
    (void)state;
    const struct token_status status = {.label = "Schl\xfcssel",
                                        .serial = "\x1b[31m",
                                        .model = "a\nb",
                                        .module = "\x7f~ !",
                                        .detail = "\xc3\xbc"};
    BUFFER_CLEANUP struct buffer frame = BUFFER_INIT(1024);
    token_put_status(&frame, &status);
    struct token_status got;
    struct reader reader = reader_of(buffer_span(&frame));
    assert_true(token_get_status(&reader, &got));
    assert_string_equal(got.label, "Schl?ssel");
    assert_string_equal(got.serial, "?[31m");
    assert_string_equal(got.model, "a?b");
    assert_string_equal(got.module, "?~ !");
    assert_string_equal(got.detail, "??");
}

static void test_state_names(void **state)
{
    (void)state;
    assert_string_equal(token_state_name(TOKEN_READY), "ready");
    assert_string_equal(token_state_name(TOKEN_ABSENT), "absent");
    assert_string_equal(token_state_name(TOKEN_LOCKED), "locked");
    assert_string_equal(token_state_name(TOKEN_DOWN), "down");
    for (unsigned int i = 0; i < TOKEN_FLAG_COUNT; i++) {
        assert_true(strlen(token_flag_name((enum token_flag)i)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign),
        cmocka_unit_test(test_sign_wrong_numbers),
        cmocka_unit_test(test_destroy),
        cmocka_unit_test(test_generate),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_state_names),
        cmocka_unit_test(test_status_is_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
