/* SPDX-License-Identifier: Apache-2.0
 * Members of records: no text can look like anything but a text. */
#include "audit/record.h"

#include "check.h"
#include "jose/json.h"

#include <stdio.h>

/* --- a fault --- */

static bool no_sha256;

bool __real_sha256_text(struct span bytes, char out[AUDIT_HASH_SIZE]);
bool __wrap_sha256_text(struct span bytes, char out[AUDIT_HASH_SIZE]);

bool __wrap_sha256_text(struct span bytes, char out[AUDIT_HASH_SIZE])
{
    return !no_sha256 && __real_sha256_text(bytes, out);
}

/* --- what was written --- */

/* The members as an object, by another reader than ours. */
static json_t *read_members(struct buffer *members)
{
    json_t *json = NULL;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    assert_true(buffer_ok(members));
    assert_int_equal(members->data[0], ',');
    buffer_put_text(&text, "{");
    buffer_put_span(&text, span_part(buffer_span(members), 1, members->len));
    buffer_put_text(&text, "}");
    assert_done(json_parse_object(buffer_span(&text), &json, &why), why);
    return json;
}

static void expect(struct buffer *members, const char *text)
{
    assert_true(buffer_ok(members));
    assert_string_equal(buffer_text(members), text);
    buffer_reset(members);
}

/* As it is when it is printable ASCII, else as the code point of its number: also what is UTF-8. */
static void each_byte_stands_for_itself(void **state)
{
    (void)state;
    for (unsigned int byte = 0; byte < 256; byte++) {
        const uint8_t c = (uint8_t)byte;
        char want[32];
        BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
        if (byte == '"' || byte == '\\') {
            (void)snprintf(want, sizeof want, ",\"a\":\"\\%c\"", c);
        } else if (byte < ' ' || byte > '~') {
            (void)snprintf(want, sizeof want, ",\"a\":\"\\u%04x\"", byte);
        } else {
            (void)snprintf(want, sizeof want, ",\"a\":\"%c\"", c);
        }
        record_put_long_text(&members, "a", span_of(&c, 1));
        expect(&members, want);
    }
}

static void all_bytes_together_are_one_text(void **state)
{
    (void)state;
    uint8_t bytes[255];
    char text[256];
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i + 1);
    }
    memcpy(text, bytes, sizeof bytes);
    text[255] = '\0';
    record_put_text(&members, "a", text);
    record_put_number(&members, "b", 1);
    JSON_CLEANUP json_t *json = read_members(&members);
    assert_int_equal(json_object_size(json), 2);
    const char *at = json_string_value(json_object_get(json, "a"));
    for (size_t i = 0; i < sizeof bytes; i++) { /* jansson has it in UTF-8 */
        unsigned int c = (uint8_t)*at++;
        if (c >= 0xc0) {
            c = (c & 0x1f) << 6 | ((uint8_t)*at++ & 0x3f);
        }
        assert_int_equal(c, bytes[i]);
    }
    assert_int_equal(*at, '\0');
}

static void a_text_cannot_end_itself(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_text(&members, "detail", "\",\"outcome\":\"released\"}\n{\"seq\":1");
    JSON_CLEANUP json_t *json = read_members(&members);
    assert_int_equal(json_object_size(json), 1);
    assert_null(memchr(members.data, '\n', members.len));
}

static void a_long_text_is_cut_where_it_is_not_said_to_be_whole(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        size_t kept;
    } rows[] = {{AUDIT_TEXT_MAX - 1, AUDIT_TEXT_MAX - 1},
                {AUDIT_TEXT_MAX, AUDIT_TEXT_MAX},
                {AUDIT_TEXT_MAX + 1, AUDIT_TEXT_MAX},
                {2000, AUDIT_TEXT_MAX}};
    char text[2001];
    size_t around = strlen(",\"a\":\"\"");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
        memset(text, 'x', rows[i].len);
        text[rows[i].len] = '\0';
        record_put_text(&members, "a", text);
        assert_int_equal(members.len, rows[i].kept + around);
        buffer_reset(&members);
        memset(text, 1, rows[i].len); /* six characters each: the cut is before */
        record_put_text(&members, "a", text);
        assert_int_equal(members.len, 6 * rows[i].kept + around);
        buffer_reset(&members);
        memset(text, 'x', rows[i].len);
        record_put_long_text(&members, "a", span_of_text(text));
        assert_int_equal(members.len, rows[i].len + around);
    }
}

static void an_empty_text_is_left_out_where_it_may_be(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_text_if(&members, "a", NULL);
    record_put_text_if(&members, "a", "");
    assert_int_equal(members.len, 0);
    record_put_text_if(&members, "a", "x");
    expect(&members, ",\"a\":\"x\"");
    record_put_text(&members, "a", "");
    expect(&members, ",\"a\":\"\"");
    record_put_long_text(&members, "a", span_of(NULL, 0));
    expect(&members, ",\"a\":\"\"");
}

static void numbers_are_decimal_to_their_ends(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_number(&members, "a", 0);
    record_put_number(&members, "b", INT64_MAX);
    record_put_number(&members, "c", INT64_MIN);
    expect(&members, ",\"a\":0,\"b\":9223372036854775807,\"c\":-9223372036854775808");
}

static void a_caller_is_three_numbers(void **state)
{
    (void)state;
    const struct caller caller = {.uid = 4294967294, .gid = 4294967295, .pid = 8};
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_caller(&members, &caller);
    expect(&members, ",\"uid\":4294967294,\"gid\":4294967295,\"pid\":8");
}

static void a_caller_whom_nobody_knows_is_none(void **state)
{
    (void)state;
    const struct caller caller = CALLER_UNKNOWN;
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_caller(&members, &caller);
    expect(&members, "");
}

/* RFC 4634's "abc", and the empty text. */
static void a_digest_is_base64url_of_sha256(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_digest(&members, "a", span_of_text("abc"));
    expect(&members, ",\"a\":\"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0\"");
    record_put_digest(&members, "a", span_of(NULL, 0));
    expect(&members, ",\"a\":\"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\"");
}

static void a_record_without_its_digest_is_none(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    no_sha256 = true;
    record_put_digest(&members, "a", span_of_text("abc"));
    no_sha256 = false;
    assert_false(buffer_ok(&members));
}

static void a_record_that_does_not_fit_is_none(void **state)
{
    (void)state;
    char text[AUDIT_TEXT_MAX + 1];
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < AUDIT_MEMBERS_MAX / AUDIT_TEXT_MAX - 1; i++) {
        record_put_text(&members, "a", text);
    }
    assert_true(buffer_ok(&members));
    record_put_text(&members, "a", text);
    assert_false(buffer_ok(&members));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_stands_for_itself),
        cmocka_unit_test(all_bytes_together_are_one_text),
        cmocka_unit_test(a_text_cannot_end_itself),
        cmocka_unit_test(a_long_text_is_cut_where_it_is_not_said_to_be_whole),
        cmocka_unit_test(an_empty_text_is_left_out_where_it_may_be),
        cmocka_unit_test(numbers_are_decimal_to_their_ends),
        cmocka_unit_test(a_caller_is_three_numbers),
        cmocka_unit_test(a_caller_whom_nobody_knows_is_none),
        cmocka_unit_test(a_digest_is_base64url_of_sha256),
        cmocka_unit_test(a_record_without_its_digest_is_none),
        cmocka_unit_test(a_record_that_does_not_fit_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
