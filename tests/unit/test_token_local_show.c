/* SPDX-License-Identifier: Apache-2.0
 * A key of SoftHSM2, shown: what it is, and how often it signed. */
#include "check.h"

#include "room_fixture.h"

#include <stdio.h>

static enum outcome show(struct room_fixture *fixture, const struct token_sign_request *key,
                         struct token_key *out, struct reason *why)
{
    struct token_show_request request;
    memcpy(request.key_id, key->key_id, sizeof request.key_id);
    memcpy(request.spki_digest, key->spki_digest, sizeof request.spki_digest);
    return token_show(fixture->token, &request, deadline_in_ms(60000), out, why);
}

static void test_a_key_of_ours(void **state)
{
    static const enum token_attribute yes[] = {
        ATTRIBUTE_PRIVATE,           ATTRIBUTE_SENSITIVE, ATTRIBUTE_ALWAYS_SENSITIVE,
        ATTRIBUTE_NEVER_EXTRACTABLE, ATTRIBUTE_LOCAL,     ATTRIBUTE_SIGN};
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(4096);
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    struct token_sign_request key = room_fixture_key(fixture, KEY_P256, ALG_ES256, &spki);
    struct token_key shown;
    struct reason why = {0};
    for (unsigned int signatures = 0; signatures < 3; signatures++) {
        assert_done(show(fixture, &key, &shown, &why), why);
        assert_int_equal(shown.signatures, signatures);
        assert_done(room_fixture_sign(fixture, &key, &input, &signature, &why), why);
    }
    bool wanted[TOKEN_ATTRIBUTE_COUNT] = {false};
    for (size_t i = 0; i < COUNT_OF(yes); i++) {
        wanted[yes[i]] = true;
    }
    for (size_t i = 0; i < TOKEN_ATTRIBUTE_COUNT; i++) {
        assert_int_equal(shown.attributes[i], wanted[i] ? ANSWER_TRUE : ANSWER_FALSE);
    }
    assert_string_equal(shown.label, "qseal:seal:seal");
    assert_true(shown.has_mechanisms);
    assert_string_equal(shown.mechanisms, "CKM_ECDSA");
    assert_true(shown.is_pinned);
    assert_int_equal(shown.started, fixture->room->started);
    /* A refused signature is not counted, nor one of another key. */
    key.spki_digest[0] ^= 1;
    assert_refused(room_fixture_sign(fixture, &key, &input, &signature, &why), OUTCOME_KEY_MISMATCH,
                   why, "the public key under this CKA_ID is not the pinned one");
    assert_done(show(fixture, &key, &shown, &why), why);
    assert_false(shown.is_pinned);
    assert_int_equal(shown.signatures, 3);
    buffer_reset(&spki);
    struct token_sign_request other = room_fixture_key(fixture, KEY_P256, ALG_ES256, &spki);
    assert_done(show(fixture, &other, &shown, &why), why);
    assert_int_equal(shown.signatures, 0);
}

/* What another tool made is shown as it is, and not judged. */
static void test_a_foreign_key(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    const struct foreign_key made = {.label = "theirs", .odd = CKA_DECRYPT, .id = {0x77, 1}};
    room_fixture_foreign(&session, &made);
    struct token_sign_request key = {.alg = ALG_ES256};
    memcpy(key.key_id, made.id, sizeof key.key_id);
    struct token_key shown;
    struct reason why = {0};
    assert_done(show(fixture, &key, &shown, &why), why);
    assert_int_equal(shown.attributes[ATTRIBUTE_DECRYPT], ANSWER_TRUE);
    assert_int_equal(shown.attributes[ATTRIBUTE_MODIFIABLE], ANSWER_TRUE);
    assert_string_equal(shown.label, "theirs");
    assert_false(shown.has_mechanisms);
    assert_false(shown.is_pinned);
    room_fixture_foreign(&session, &made);
    assert_refused(show(fixture, &key, &shown, &why), OUTCOME_KEY_MISMATCH, why,
                   "more than one private key has this CKA_ID");
}

/* Somebody has copied it, and not its CKA_ID. */
static void test_a_key_under_another_id(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    BUFFER_CLEANUP struct buffer other = BUFFER_INIT(SPKI_MAX);
    (void)room_fixture_key(fixture, KEY_RSA_2048, ALG_RS256, &other);
    struct token_sign_request key = room_fixture_key(fixture, KEY_P256, ALG_ES256, &spki);
    char want[200] = "the token has no private key with this CKA_ID; its public key is at "
                     "pkcs11:id=";
    for (size_t i = 0; i < sizeof key.key_id; i++) {
        (void)snprintf(want + strlen(want), 4, "%%%02x", key.key_id[i]);
    }
    key.key_id[0] ^= 1;
    struct token_key shown;
    struct reason why = {0};
    assert_refused(show(fixture, &key, &shown, &why), OUTCOME_NO_KEY, why, want);
    key.spki_digest[0] ^= 1;
    assert_refused(show(fixture, &key, &shown, &why), OUTCOME_NO_KEY, why,
                   "the token has no private key with this CKA_ID");
    assert_null(strstr(why.detail, "its public key"));
    /* One that cannot be looked for is still not there. */
    key.spki_digest[0] ^= 1;
    softhsm_set_faults(&fixture->softhsm, "C_GetAttributeValue 1 1000 0x30\n");
    assert_refused(show(fixture, &key, &shown, &why), OUTCOME_NO_KEY, why,
                   "the token has no private key with this CKA_ID");
    assert_null(strstr(why.detail, "its public key"));
    softhsm_set_faults(&fixture->softhsm, "");
}

static void test_refusals(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = room_fixture_options(fixture);
    const struct token_sign_request nobody = {.key_id = {0x99}};
    struct token_key shown;
    struct reason why = {0};
    room_fixture_open(fixture, &options);
    assert_refused(show(fixture, &nobody, &shown, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "token test is absent");
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    assert_refused(show(fixture, &nobody, &shown, &why), OUTCOME_NO_KEY, why,
                   "the token has no private key with this CKA_ID");
    const struct token_show_request request = {.key_id = {0x99}};
    assert_refused(token_show(fixture->token, &request, deadline_in_ms(0), &shown, &why),
                   OUTCOME_DEADLINE, why, "the deadline has passed");
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct token_sign_request key = room_fixture_key(fixture, KEY_P256, ALG_ES256, &spki);
    softhsm_set_faults(&fixture->softhsm, "C_GetAttributeValue 1 1000 0x30\n");
    assert_refused(show(fixture, &key, &shown, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "reading a key: CKR_DEVICE_ERROR");
    softhsm_set_faults(&fixture->softhsm, "");
    assert_done(show(fixture, &key, &shown, &why), why);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_key_of_ours),
        TEST(test_a_foreign_key),
        TEST(test_a_key_under_another_id),
        TEST(test_refusals),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
