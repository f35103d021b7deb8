/* SPDX-License-Identifier: Apache-2.0
 * One signature with a handle, hashed here or in the token. */
#include "check.h"

#include "jws.h"
#include "pkcs11/find.h"
#include "pkcs11/sign.h"
#include "room_fixture.h"

static CK_OBJECT_HANDLE handle_of(struct session *session, const struct token_sign_request *request)
{
    CK_OBJECT_HANDLE object;
    unsigned int n;
    assert_true(find_by_id(session, CKO_PRIVATE_KEY,
                           span_of(request->key_id, sizeof request->key_id), &object, &n));
    assert_int_equal(n, 1);
    return object;
}

static void test_both_ways(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    struct digest_context *digest = digest_context_new(fixture->room->digests);
    assert_non_null(digest);
    const enum alg algs[] = {ALG_RS256, ALG_RS384, ALG_RS512, ALG_PS256, ALG_PS384, ALG_PS512};
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
        const struct token_sign_request request =
            room_fixture_key(fixture, KEY_RSA_2048, algs[i], &spki);
        for (int prehash = 0; prehash < 2; prehash++) {
            uint8_t out[SIGN_ROOM];
            CK_ULONG len;
            struct span message = span_of_text("any message: the shape is guarded elsewhere");
            struct sign_plan plan = {handle_of(&session, &request), KEY_RSA_2048, algs[i],
                                     prehash == 1};
            assert_int_equal(sign_message(&session, digest, &plan, message, out, &len), CKR_OK);
            assert_int_equal(len, 256);
            assert_true(jws_verifies(buffer_span(&spki), algs[i], message, span_of(out, len)));
        }
    }
    digest_context_free(digest);
}

/* TLS 1.2 has every digest with every curve: shorter, as long, and longer than the order. */
static void test_any_digest_with_any_curve(void **state)
{
    static const struct {
        enum key_type type;
        enum alg alg;
    } curves[] = {{KEY_P256, ALG_ES256}, {KEY_P384, ALG_ES384}, {KEY_P521, ALG_ES512}};
    static const enum alg algs[] = {ALG_ES256, ALG_ES384, ALG_ES512};
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    struct digest_context *digest = digest_context_new(fixture->room->digests);
    assert_non_null(digest);
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
        const struct token_sign_request request =
            room_fixture_key(fixture, curves[i].type, curves[i].alg, &spki);
        CK_OBJECT_HANDLE key = handle_of(&session, &request);
        for (size_t a = 0; a < COUNT_OF(algs); a++) {
            uint8_t out[SIGN_ROOM];
            CK_ULONG len;
            struct span message = span_of_text("any message: the content is guarded elsewhere");
            struct sign_plan plan = {key, curves[i].type, algs[a], true};
            assert_int_equal(sign_message(&session, digest, &plan, message, out, &len), CKR_OK);
            assert_int_equal(len, key_type_signature_len(curves[i].type));
            assert_true(jws_verifies(buffer_span(&spki), algs[a], message, span_of(out, len)));
        }
    }
    digest_context_free(digest);
}

static void test_codes_are_passed_on(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    struct digest_context *digest = digest_context_new(fixture->room->digests);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    const struct token_sign_request request = room_fixture_key(fixture, KEY_P256, ALG_ES256, &spki);
    CK_OBJECT_HANDLE key = handle_of(&session, &request);
    uint8_t out[SIGN_ROOM];
    CK_ULONG len;
    struct span message = span_of_text("m");
    softhsm_set_faults(&fixture->softhsm, "C_SignInit 1 1 0x62\nC_Sign 1 1 0x31\n");
    struct sign_plan plan = {key, KEY_P256, ALG_ES256, true};
    struct sign_plan other = {key + 1000, KEY_P256, ALG_ES256, true};
    assert_int_equal(sign_message(&session, digest, &plan, message, out, &len), CKR_KEY_SIZE_RANGE);
    assert_int_equal(sign_message(&session, digest, &plan, message, out, &len), CKR_DEVICE_MEMORY);
    /* The operation that was begun stands in the way, which is why sessions are not used on. */
    assert_int_equal(sign_message(&session, digest, &plan, message, out, &len),
                     CKR_OPERATION_ACTIVE);
    assert_int_equal(sign_message(&session, digest, &other, message, out, &len),
                     CKR_OPERATION_ACTIVE);
    digest_context_free(digest);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_both_ways), TEST(test_any_digest_with_any_curve),
                                       TEST(test_codes_are_passed_on)};
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
