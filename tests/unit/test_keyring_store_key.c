/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring/store.h"
#include "keyring_support.h"

static void the_form_is_as_documented(void **state)
{
    (void)state;
    json_t *object JSON_CLEANUP = good_object();
    struct key key;
    struct reason why = {0};
    assert_done(read_key(object, FORMAT, &key, &why), why);
    key_fini(&key);
    assert_int_equal(json_object_size(object), 10);
    assert_string_equal(json_string_value(json_object_get(object, "purpose")), "seal");
    assert_string_equal(json_string_value(json_object_get(object, "state")), "active");
    assert_string_equal(json_string_value(json_object_get(object, "key_id")),
                        "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f");
    assert_string_equal(json_string_value(json_object_get(object, "created")),
                        "2026-11-21T09:30:00Z");
    assert_string_equal(json_string_value(json_at_pointer(object, "/algs/0")), "ES256");
}

/* One member replaced (NULL: taken out). */
static void expect_refused(const char *member, json_t *value, const char *fragment)
{
    json_t *object JSON_CLEANUP = good_object();
    struct key key;
    struct reason why = {0};
    if (value == NULL) {
        (void)json_object_del(object, member);
    } else {
        (void)json_object_set_new(object, member, value);
    }
    assert_refused(read_key(object, FORMAT, &key, &why), OUTCOME_RULE, why, fragment);
    assert_null(key.public_key);
}

static void each_member_is_needed(void **state)
{
    (void)state;
    static const char *const names[] = {"role",   "token",   "purpose",    "state", "algs",
                                        "key_id", "created", "created_by", "spki",  "history"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char fragment[40];
        (void)snprintf(fragment, sizeof fragment, "\"%s\" must be ", names[i]);
        expect_refused(names[i], NULL, fragment);
        expect_refused(names[i], json_null(), fragment);
    }
    expect_refused("secret", json_true(), "only role, token, purpose");
}

static void names_and_words_are_checked(void **state)
{
    (void)state;
    expect_refused("role", json_string("Seal"), "\"role\" must be a name");
    expect_refused("role", json_string(""), "\"role\" must be a name");
    expect_refused("token", json_string("../x"), "\"token\" must be a name");
    expect_refused("token",
                   json_string("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                   "\"token\" must be a name");
    expect_refused("purpose", json_string("audits"),
                   "\"purpose\" must be \"seal\", \"transport\" or \"audit\"");
    expect_refused("state", json_string("retired"),
                   "\"state\" must be active, as \"history\" ends");
    expect_refused("state", json_string("idle"), "\"state\" must be the name of a key state");
}

static void algorithms_are_checked(void **state)
{
    (void)state;
    expect_refused("algs", json_array(), "\"algs\" must be an array that is not empty");
    expect_refused("algs", json_pack("[s]", "none"),
                   "\"algs\"[0] is no algorithm of a key of type");
    expect_refused("algs", json_pack("[i]", 1), "\"algs\"[0] is no algorithm");
    expect_refused("algs", json_pack("[ss]", "ES256", "PS256"),
                   "\"algs\"[1] is no algorithm of a key of type p-256");
    expect_refused("algs", json_pack("[ss]", "ES256", "ES256"), "\"algs\" names ES256 twice");
    expect_refused("algs", json_pack("[ss]", "ES256", "ES384"),
                   "\"algs\"[1] is no algorithm of a key of type p-256");
}

/* What a curve may be granted depends on the purpose. */
static void a_transport_key_of_a_curve_goes_with_any_digest(void **state)
{
    (void)state;
    json_t *object JSON_CLEANUP = good_object();
    (void)json_object_set_new(object, "purpose", json_string("transport"));
    (void)json_object_set_new(object, "algs", json_pack("[ss]", "ES384", "ES256"));
    struct key key;
    struct reason why = {0};
    assert_done(read_key(object, FORMAT, &key, &why), why);
    assert_int_equal(key.purpose, PURPOSE_TRANSPORT);
    assert_int_equal(key.algs, 1U << ALG_ES256 | 1U << ALG_ES384);
    key_fini(&key);
}

#define BLOCK "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
#define BLOCKS4 BLOCK BLOCK BLOCK BLOCK
#define BLOCKS16 BLOCKS4 BLOCKS4 BLOCKS4 BLOCKS4

static void certificates_are_plain_pem(void **state)
{
    (void)state;
    static const char refused[] =
        "\"chain_pem\" must be 1 to 16 PEM blocks CERTIFICATE in lines of 64";
    static const char *const good[] = {BLOCK, BLOCKS4, BLOCKS16};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        json_t *object JSON_CLEANUP = good_object();
        (void)json_object_set_new(object, "chain_pem", json_string(good[i]));
        struct key key;
        struct reason why = {0};
        assert_done(read_key(object, FORMAT, &key, &why), why);
        assert_string_equal(key.chain_pem, good[i]);
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(10000);
        key_put(&key, &text);
        json_t *again JSON_CLEANUP = json_of(buffer_text(&text));
        assert_true(json_equal(object, again));
        key_fini(&key);
    }
    expect_refused("chain_pem", json_null(), refused);
    expect_refused("chain_pem", json_string(""), refused);
    expect_refused("chain_pem", json_string(" " BLOCK), refused);
    expect_refused("chain_pem", json_string(BLOCK "\n" BLOCK), refused);
    expect_refused("chain_pem", json_string(BLOCKS16 BLOCK), refused);
    expect_refused("chain_pem",
                   json_string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
                   refused);
    expect_refused("chain_pem",
                   json_string("-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n"),
                   refused);
    static char long_text[KEYRING_CHAIN_MAX + 2];
    memset(long_text, 'A', sizeof long_text - 1);
    expect_refused("chain_pem", json_string(long_text), "\"chain_pem\" is longer than 65536 bytes");
}

static void ids_are_lower_case_hex(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "1f",
                                      "1F1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f",
                                      "1g1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f",
                                      "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f",
                                      "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        expect_refused("key_id", json_string(bad[i]),
                       "\"key_id\" must be 32 lower-case hex digits");
    }
}

static void times_are_utc_seconds_that_exist(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "2026-11-21T09:30:00+00:00", "2026-11-21T09:30:00.5Z", "2026-11-21 09:30:00Z",
        "2026-02-30T09:30:00Z",      "2026-11-21T24:00:00Z",   "2026-11-21T09:30:60Z",
        "2026-11-21T09:30:00z",      " 2026-11-21T9:30:00Z",   "1795253400"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        expect_refused("created", json_string(bad[i]), "\"created\" must be a time like");
    }
    static const char *const good[] = {"1970-01-01T00:00:00Z", "2028-02-29T23:59:59Z",
                                       "9999-12-31T23:59:59Z"};
    static const int64_t seconds[] = {0, 1835481599, 253402300799};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        json_t *object JSON_CLEANUP = good_object();
        (void)json_object_set_new(object, "created", json_string(good[i]));
        (void)json_object_set_new(json_array_get(json_object_get(object, "history"), 0), "at",
                                  json_string(good[i]));
        struct key key;
        struct reason why = {0};
        assert_done(read_key(object, FORMAT, &key, &why), why);
        assert_int_equal(key.created, seconds[i]);
        key_fini(&key);
    }
}

static void the_making_is_where_the_history_begins(void **state)
{
    (void)state;
    expect_refused("created", json_string("2026-01-01T00:00:00Z"),
                   "\"created\" and \"created_by\" must be as \"history\" begins");
    expect_refused("created_by", json_integer(77),
                   "\"created\" and \"created_by\" must be as \"history\" begins");
}

static void uids_have_32_bits(void **state)
{
    (void)state;
    expect_refused("created_by", json_integer(-1), "\"created_by\" must be a uid");
    expect_refused("created_by", json_integer(4294967296), "\"created_by\" must be a uid");
    expect_refused("created_by", json_string("0"), "\"created_by\" must be a uid");
    expect_refused("created_by", json_real(1.0), "\"created_by\" must be a uid");
}

static void the_public_key_must_parse(void **state)
{
    (void)state;
    expect_refused("spki", json_string(""), "\"spki\" must be base64url");
    expect_refused("spki", json_string("AA=="), "\"spki\" must be base64url");
    expect_refused("spki", json_string("AAAA"), "\"spki\": not the DER SubjectPublicKeyInfo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_is_as_documented),
        cmocka_unit_test(each_member_is_needed),
        cmocka_unit_test(names_and_words_are_checked),
        cmocka_unit_test(algorithms_are_checked),
        cmocka_unit_test(a_transport_key_of_a_curve_goes_with_any_digest),
        cmocka_unit_test(certificates_are_plain_pem),
        cmocka_unit_test(ids_are_lower_case_hex),
        cmocka_unit_test(times_are_utc_seconds_that_exist),
        cmocka_unit_test(the_making_is_where_the_history_begins),
        cmocka_unit_test(uids_have_32_bits),
        cmocka_unit_test(the_public_key_must_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
