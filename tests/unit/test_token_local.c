/* SPDX-License-Identifier: Apache-2.0
 * Signing and generating on a real SoftHSM2 token, and what happens when it fails. */
#include "check.h"

#include "base/base64url.h"
#include "base/random.h"
#include "jws.h"
#include "room_fixture.h"

#include <stdio.h>
#include <string.h>

static const struct {
    enum alg alg;
    enum key_type type;
} algs[] = {
    {ALG_RS256, KEY_RSA_2048},  {ALG_RS384, KEY_RSA_2048}, {ALG_RS512, KEY_RSA_3072},
    {ALG_PS256, KEY_RSA_2048},  {ALG_PS384, KEY_RSA_3072}, {ALG_PS512, KEY_RSA_2048},
    {ALG_ES256, KEY_P256},      {ALG_ES384, KEY_P384},     {ALG_ES512, KEY_P521},
    {ALG_ED25519, KEY_ED25519},
};

static void sign_all(struct room_fixture *fixture, uint32_t wanted)
{
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        if ((wanted & 1U << algs[i].alg) == 0) {
            continue;
        }
        BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
        BUFFER_CLEANUP struct buffer input = BUFFER_INIT(1024);
        BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
        struct token_sign_request request =
            room_fixture_key(fixture, algs[i].type, algs[i].alg, &spki);
        struct reason why = {0};
        assert_done(room_fixture_sign(fixture, &request, &input, &signature, &why), why);
        assert_int_equal(signature.len, key_type_signature_len(algs[i].type));
        if (!jws_verifies(buffer_span(&spki), algs[i].alg, buffer_span(&input),
                          buffer_span(&signature))) {
            fail_msg("%s does not verify", alg_name(algs[i].alg));
        }
    }
}

static void test_every_alg(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    sign_all(fixture, UINT32_MAX);
    struct token_status status;
    struct reason why;
    assert_done(token_status(fixture->token, deadline_in_ms(1000), &status, &why), why);
    assert_int_equal(status.signatures, COUNT_OF(algs));
    assert_int_equal(status.token_hash_algs, 1U << ALG_ED25519);
    assert_int_equal(status.prehash_algs, ((1U << ALG_COUNT) - 1) & ~(1U << ALG_ED25519));
    assert_string_equal(status.label, SOFTHSM_LABEL);
    assert_string_not_equal(status.serial, "");
    assert_string_equal(status.module, "Implementation of PKCS11 2.6");
}

static void test_hash_in_token(void **state)
{
    struct room_fixture *fixture = *state;
    struct room_options options = room_fixture_options(fixture);
    options.mechanisms = MECHANISM_TOKEN_HASH;
    room_fixture_open(fixture, &options);
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    /* SoftHSM 2.6.1 has no CKM_ECDSA_SHA256. */
    uint32_t rsa = (1U << (ALG_PS512 + 1)) - 1;
    assert_int_equal(fixture->room->mechanisms.prehash, 0);
    assert_int_equal(fixture->room->mechanisms.token_hash & ~(7U << ALG_ES256),
                     rsa | 1U << ALG_ED25519);
    sign_all(fixture, rsa | 1U << ALG_ED25519);
}

static void test_no_mechanism(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    fixture->room->mechanisms.prehash &= ~(1U << ALG_ES256);
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(1024);
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    struct token_sign_request request = {.alg = ALG_ES256};
    struct reason why = {0};
    assert_refused(room_fixture_sign(fixture, &request, &input, &signature, &why),
                   OUTCOME_TOKEN_UNAVAILABLE, why, "no mechanism for ES256");
}

struct signing {
    struct buffer spki, input, signature;
    struct token_sign_request request;
    struct reason why;
};

static void signing_begin(struct signing *signing, struct room_fixture *fixture)
{
    *signing = (struct signing){
        .spki = BUFFER_INIT(SPKI_MAX),
        .input = BUFFER_INIT(1024),
        .signature = BUFFER_INIT(SIGNATURE_MAX),
    };
    signing->request = room_fixture_key(fixture, KEY_P256, ALG_ES256, &signing->spki);
}

static void signing_end(struct signing *signing)
{
    buffer_fini(&signing->spki);
    buffer_fini(&signing->input);
    buffer_fini(&signing->signature);
}

static enum outcome sign(struct signing *signing, struct room_fixture *fixture)
{
    return room_fixture_sign(fixture, &signing->request, &signing->input, &signing->signature,
                             &signing->why);
}

static void assert_signs(struct signing *signing, struct room_fixture *fixture)
{
    assert_done(sign(signing, fixture), signing->why);
    assert_true(jws_verifies(buffer_span(&signing->spki), signing->request.alg,
                             buffer_span(&signing->input), buffer_span(&signing->signature)));
}

/* The promise of the hot path: no search, attribute, session or login per signature. */
static void test_nothing_but_signing(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct signing signing;
    signing_begin(&signing, fixture);
    assert_signs(&signing, fixture);
    softhsm_forget_calls(&fixture->softhsm);
    enum { TIMES = 20 };
    for (int i = 0; i < TIMES; i++) {
        assert_signs(&signing, fixture);
    }
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_SignInit", NULL), TIMES);
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Sign", "0x0"), TIMES);
    const char *const others[] = {"C_FindObjectsInit", "C_GetAttributeValue", "C_Login",
                                  "C_OpenSession",     "C_CloseSession",      "C_GetTokenInfo"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(softhsm_count(&fixture->softhsm, others[i], NULL), 0);
    }
    signing_end(&signing);
}

static void test_session_copy(void **state)
{
    struct room_fixture *fixture = *state;
    struct room_options options = room_fixture_options(fixture);
    options.session_copy = true;
    room_fixture_open(fixture, &options);
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    struct signing signing;
    signing_begin(&signing, fixture);
    assert_signs(&signing, fixture);
    assert_signs(&signing, fixture);
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_CopyObject", "0x0"), 1);
    /* The copy goes with the session that made it: it is found out and made again. */
    softhsm_set_faults(&fixture->softhsm, "C_Sign 3 3 0xb3\n");
    assert_signs(&signing, fixture);
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_CopyObject", "0x0"), 2);
    assert_false(atomic_load(&fixture->room->abandoned));
    signing_end(&signing);
}

static void test_session_copy_refused(void **state)
{
    struct room_fixture *fixture = *state;
    struct room_options options = room_fixture_options(fixture);
    options.session_copy = true;
    room_fixture_open(fixture, &options);
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    softhsm_set_faults(&fixture->softhsm, "C_CopyObject 1 1000 0x1b\n");
    struct signing signing;
    signing_begin(&signing, fixture);
    assert_signs(&signing, fixture);
    assert_true(atomic_load(&fixture->room->copy_refused));
    assert_string_equal(room_fixture_quirk(fixture, QUIRK_COPY_REFUSED), "found");
    signing_end(&signing);
}

static void test_shape_is_first(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = room_fixture_options(fixture);
    room_fixture_open(fixture, &options); /* the token was not even looked for */
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    uint8_t digest[32] = {0x30};
    struct token_sign_request request = {.alg = ALG_ES256, .input = span_of(digest, 32)};
    struct reason why = {0};
    assert_int_equal(token_sign(fixture->token, &request, deadline_in_ms(1000), &signature, &why),
                     OUTCOME_SHAPE);
    assert_string_not_equal(why.detail, "");
    /* The header names another algorithm than the one asked for. */
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(1024);
    jws_input(&input, ALG_PS256);
    request.input = buffer_span(&input);
    assert_refused(token_sign(fixture->token, &request, deadline_in_ms(1000), &signature, &why),
                   OUTCOME_SHAPE, why, "alg");
    assert_int_equal(signature.len, 0);
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_SignInit", NULL), 0);
}

static void test_not_ready(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = room_fixture_options(fixture);
    room_fixture_open(fixture, &options);
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(1024);
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    struct token_sign_request request = {.alg = ALG_ES256};
    struct reason why = {0};
    assert_refused(room_fixture_sign(fixture, &request, &input, &signature, &why),
                   OUTCOME_TOKEN_UNAVAILABLE, why, "token test is absent");
}

static void test_deadline(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(1024);
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    jws_input(&input, ALG_ES256);
    struct token_sign_request request = {.alg = ALG_ES256, .input = buffer_span(&input)};
    struct reason why = {0};
    assert_refused(token_sign(fixture->token, &request, deadline_in_ms(-1), &signature, &why),
                   OUTCOME_DEADLINE, why, "deadline");
}

static void test_session_fault_is_repaired_once(void **state)
{
    static const char *const codes[] = {"0x30", "0xb3", "0xb0", "0x90", "0x5"};
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct signing signing;
    signing_begin(&signing, fixture);
    assert_signs(&signing, fixture);
    unsigned int calls = 1;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        char faults[64];
        (void)snprintf(faults, sizeof faults, "C_Sign %u %u %s\n", calls + 1, calls + 1, codes[i]);
        softhsm_set_faults(&fixture->softhsm, faults);
        softhsm_forget_calls(&fixture->softhsm);
        assert_signs(&signing, fixture);
        assert_int_equal(softhsm_count(&fixture->softhsm, "C_Sign", NULL), 2);
        assert_int_equal(softhsm_count(&fixture->softhsm, "C_OpenSession", NULL), 1);
        assert_int_equal(softhsm_count(&fixture->softhsm, "C_FindObjectsInit", NULL), 2);
        calls += 2;
    }
    assert_false(atomic_load(&fixture->room->abandoned));
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Login", NULL), 0);
    signing_end(&signing);
}

static void test_second_fault_gives_up(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct signing signing;
    signing_begin(&signing, fixture);
    softhsm_set_faults(&fixture->softhsm, "C_Sign 1 1000 0x30\n");
    assert_refused(sign(&signing, fixture), OUTCOME_TOKEN_UNAVAILABLE, signing.why,
                   "CKR_DEVICE_ERROR");
    assert_true(atomic_load(&fixture->room->abandoned));
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Sign", NULL), 2);
    assert_refused(sign(&signing, fixture), OUTCOME_TOKEN_UNAVAILABLE, signing.why,
                   "being restarted");
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Sign", NULL), 2);
    signing_end(&signing);
}

/* BASE64URL({"alg":"Ed25519"}) "." and a payload of about this many characters. */
static void long_input(struct buffer *out, size_t len)
{
    buffer_reset(out);
    jws_input(out, ALG_ED25519);
    buffer_cut(out, span_find(buffer_span(out), '.') + 1);
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(len);
    buffer_put_text(&payload, "{\"a\":\"");
    while (payload.len < len / 4 * 3) {
        buffer_put_u8(&payload, 'x');
    }
    buffer_put_text(&payload, "\"}");
    base64url_encode(out, buffer_span(&payload));
    assert_true(buffer_ok(out));
}

/* Ed25519 messages go into the token whole, and devices differ in what they take. One that is too
 * long must not end the process for all the others. */
static void test_too_long_for_the_token(void **state)
{
    static const char *const codes[] = {"0x30", "0x31", "0x2", "0x21"};
    enum { LONG = 100000, SHORT = 60000 };
    struct room_fixture *fixture = *state;
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(2 * LONG);
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        assert_int_equal(room_fixture_setup(state), 0);
        room_fixture_ready(fixture);
        struct signing signing;
        signing_begin(&signing, fixture);
        buffer_reset(&signing.spki);
        signing.request = room_fixture_key(fixture, KEY_ED25519, ALG_ED25519, &signing.spki);
        assert_signs(&signing, fixture);
        char faults[64];
        (void)snprintf(faults, sizeof faults, "C_Sign 2 1000 %s\n", codes[i]);
        softhsm_set_faults(&fixture->softhsm, faults);
        long_input(&input, LONG);
        signing.request.input = buffer_span(&input);
        buffer_reset(&signing.signature);
        for (int round = 0; round < 2; round++) {
            assert_refused(token_sign(fixture->token, &signing.request, deadline_in_ms(60000),
                                      &signing.signature, &signing.why),
                           OUTCOME_TOKEN_UNAVAILABLE, signing.why,
                           "token test, which hashes Ed25519 itself, does not take 100");
            assert_false(atomic_load(&fixture->room->abandoned));
            assert_string_equal(room_fixture_quirk(fixture, QUIRK_SHORT_MESSAGES), "found");
        }
        softhsm_set_faults(&fixture->softhsm, "");
        assert_signs(&signing, fixture); /* the session is a new one */
        /* The same code for a shorter message is what it was. */
        softhsm_set_faults(&fixture->softhsm, faults);
        long_input(&input, SHORT);
        signing.request.input = buffer_span(&input);
        bool refused = strcmp(codes[i], "0x21") == 0;
        assert_int_equal(token_sign(fixture->token, &signing.request, deadline_in_ms(60000),
                                    &signing.signature, &signing.why),
                         refused ? OUTCOME_KEY_MISMATCH : OUTCOME_TOKEN_UNAVAILABLE);
        assert_int_equal(atomic_load(&fixture->room->abandoned), !refused);
        signing_end(&signing);
        assert_int_equal(room_fixture_teardown(state), 0);
    }
}

static void test_stale_handle_is_looked_up_again(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct signing signing;
    signing_begin(&signing, fixture);
    assert_signs(&signing, fixture);
    softhsm_set_faults(&fixture->softhsm, "C_SignInit 2 2 0x60\n");
    softhsm_forget_calls(&fixture->softhsm);
    assert_signs(&signing, fixture);
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_FindObjectsInit", NULL), 2);
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_OpenSession", NULL), 0);
    signing_end(&signing);
}

static void test_refused_by_token(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct signing signing;
    signing_begin(&signing, fixture);
    softhsm_set_faults(&fixture->softhsm, "C_SignInit 1 1 0x68\n");
    assert_refused(sign(&signing, fixture), OUTCOME_KEY_MISMATCH, signing.why,
                   "CKR_KEY_FUNCTION_NOT_PERMITTED");
    assert_false(atomic_load(&fixture->room->abandoned));
    assert_signs(&signing, fixture);
    signing_end(&signing);
}

static void test_wrong_length(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct signing signing;
    signing_begin(&signing, fixture);
    softhsm_set_faults(&fixture->softhsm, "C_Sign 1 1 short\n");
    assert_refused(sign(&signing, fixture), OUTCOME_VERIFY, signing.why, "63 bytes, not 64");
    assert_int_equal(signing.signature.len, 0);
    assert_signs(&signing, fixture);
    signing_end(&signing);
}

/* Not seen here: whoever asked verifies before release. */
static void test_wrong_bit_is_passed_on(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct signing signing;
    signing_begin(&signing, fixture);
    softhsm_set_faults(&fixture->softhsm, "C_Sign 1 1 flip\n");
    assert_done(sign(&signing, fixture), signing.why);
    assert_false(jws_verifies(buffer_span(&signing.spki), ALG_ES256, buffer_span(&signing.input),
                              buffer_span(&signing.signature)));
    signing_end(&signing);
}

static void test_lost_login_comes_back_once(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct signing signing;
    signing_begin(&signing, fixture);
    assert_signs(&signing, fixture);
    softhsm_set_faults(&fixture->softhsm, "C_SignInit 2 2 0x101\n");
    (void)fixture->room->module.calls->C_Logout(room_fixture_session(fixture).handle);
    softhsm_forget_calls(&fixture->softhsm);
    assert_signs(&signing, fixture);
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Login", "0x0"), 1);
    assert_string_equal(room_fixture_quirk(fixture, QUIRK_LOGIN_LOST), "found");
    (void)fixture->room->module.calls->C_Logout(room_fixture_session(fixture).handle);
    assert_int_equal(sign(&signing, fixture), OUTCOME_TOKEN_UNAVAILABLE);
    assert_true(atomic_load(&fixture->room->abandoned));
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Login", NULL), 1);
    signing_end(&signing);
}

static void test_lost_login_and_new_pin(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct signing signing;
    signing_begin(&signing, fixture);
    assert_signs(&signing, fixture);
    softhsm_set_pin(&fixture->softhsm, "00000000");
    (void)fixture->room->module.calls->C_Logout(room_fixture_session(fixture).handle);
    softhsm_forget_calls(&fixture->softhsm);
    assert_refused(sign(&signing, fixture), OUTCOME_PIN, signing.why, "CKR_PIN_INCORRECT");
    assert_refused(sign(&signing, fixture), OUTCOME_PIN, signing.why, "qsealctl token unlock test");
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Login", NULL), 1);
    char record[32];
    softhsm_record(&fixture->softhsm, record);
    assert_string_equal(record, "failed");
    /* A person puts the right PIN there. */
    softhsm_set_pin(&fixture->softhsm, SOFTHSM_PIN);
    struct reason why;
    assert_done(token_unlock(fixture->token, -1, deadline_in_ms(5000), &why), why);
    assert_signs(&signing, fixture);
    signing_end(&signing);
}

static void test_generate_refusals(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct token_generate_request request = {
        .type = KEY_P256, .algs = 1U << ALG_PS256, .role = "seal", .key_id = {1}};
    struct reason why = {0};
    struct deadline soon = deadline_in_ms(60000);
    assert_refused(token_generate(fixture->token, &request, soon, &spki, &why), OUTCOME_RULE, why,
                   "a p-256 key does not sign PS256");
    request.algs = 0;
    assert_refused(token_generate(fixture->token, &request, soon, &spki, &why), OUTCOME_RULE, why,
                   "at least one known algorithm");
    request.algs = 1U << ALG_ES256;
    (void)snprintf(request.role, sizeof request.role, "seal:x");
    assert_refused(token_generate(fixture->token, &request, soon, &spki, &why), OUTCOME_RULE, why,
                   "name of a role");
    (void)snprintf(request.role, sizeof request.role, "seal");
    assert_done(token_generate(fixture->token, &request, soon, &spki, &why), why);
    assert_refused(token_generate(fixture->token, &request, soon, &spki, &why), OUTCOME_RULE, why,
                   "this CKA_ID already");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_alg),
        TEST(test_hash_in_token),
        TEST(test_no_mechanism),
        TEST(test_nothing_but_signing),
        TEST(test_session_copy),
        TEST(test_session_copy_refused),
        TEST(test_shape_is_first),
        TEST(test_not_ready),
        TEST(test_deadline),
        TEST(test_session_fault_is_repaired_once),
        TEST(test_second_fault_gives_up),
        TEST(test_too_long_for_the_token),
        TEST(test_stale_handle_is_looked_up_again),
        TEST(test_refused_by_token),
        TEST(test_wrong_length),
        TEST(test_wrong_bit_is_passed_on),
        TEST(test_lost_login_comes_back_once),
        TEST(test_lost_login_and_new_pin),
        TEST(test_generate_refusals),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
