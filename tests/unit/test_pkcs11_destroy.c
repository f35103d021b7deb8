/* SPDX-License-Identifier: Apache-2.0
 * What is left in a real token when a pair is destroyed, and what is not touched. */
#include "pkcs11/destroy.h"

#include "check.h"
#include "pkcs11/digest.h"
#include "pkcs11/find.h"
#include "pkcs11/generate.h"
#include "room_fixture.h"

static uint8_t id = 0x50; /* the token is the same for all tests: each key has its own */

struct pair {
    uint8_t digest[DIGEST_SHA256_LEN];
};

static struct pair make(struct room_fixture *fixture, struct session *session)
{
    struct pair pair;
    struct reason why = {0};
    id++;
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    const struct generate_request request = {.type = KEY_P256,
                                             .id = span_of(&id, 1),
                                             .label = "qseal:seal:test",
                                             .algs = 1U << ALG_ES256};
    assert_done(generate_pair(session, &fixture->room->mechanisms, &request, &spki, &why), why);
    assert_true(digest_sha256(buffer_span(&spki), pair.digest));
    return pair;
}

static enum outcome destroy(struct session *session, enum purpose purpose, const struct pair *pair,
                            struct reason *why)
{
    const struct destroy_request request = {
        .purpose = purpose,
        .id = span_of(&id, 1),
        .spki_digest = span_of(pair->digest, sizeof pair->digest),
    };
    return destroy_pair(session, &request, why);
}

static unsigned int count(struct session *session)
{
    CK_OBJECT_HANDLE object;
    unsigned int n = 0;
    unsigned int total = 0;
    assert_true(find_by_id(session, CKO_PRIVATE_KEY, span_of(&id, 1), &object, &n));
    total += n;
    assert_true(find_by_id(session, CKO_PUBLIC_KEY, span_of(&id, 1), &object, &n));
    return total + n;
}

static void the_pair_is_gone(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    struct reason why = {0};
    struct pair pair = make(fixture, &session);
    assert_int_equal(count(&session), 2);
    assert_done(destroy(&session, PURPOSE_SEAL, &pair, &why), why);
    assert_int_equal(count(&session), 0);
    assert_refused(destroy(&session, PURPOSE_SEAL, &pair, &why), OUTCOME_NO_KEY, why,
                   "the token has no key with this CKA_ID");
}

static void another_pair_is_not_touched(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    struct reason why = {0};
    struct pair pair = make(fixture, &session);
    struct pair other = pair;
    other.digest[31] ^= 1;
    assert_refused(destroy(&session, PURPOSE_SEAL, &other, &why), OUTCOME_KEY_MISMATCH, why,
                   "the public key under this CKA_ID is not the pinned one");
    assert_refused(destroy(&session, PURPOSE_TRANSPORT, &pair, &why), OUTCOME_KEY_MISMATCH, why,
                   "CKA_LABEL: the key is for seal, not for transport");
    assert_int_equal(count(&session), 2);
}

/* A fault between the two calls leaves a public key, which the next attempt takes. */
static void the_second_attempt_ends_the_first(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    struct reason why = {0};
    struct pair pair = make(fixture, &session);
    struct pair other = pair;
    other.digest[0] ^= 1;
    CK_OBJECT_HANDLE private_key;
    unsigned int n = 0;
    assert_true(find_by_id(&session, CKO_PRIVATE_KEY, span_of(&id, 1), &private_key, &n));
    assert_int_equal(session.calls->C_DestroyObject(session.handle, private_key), CKR_OK);
    assert_refused(destroy(&session, PURPOSE_SEAL, &other, &why), OUTCOME_KEY_MISMATCH, why,
                   "the public key under this CKA_ID is not the pinned one");
    assert_int_equal(count(&session), 1);
    assert_done(destroy(&session, PURPOSE_SEAL, &pair, &why), why);
    assert_int_equal(count(&session), 0);
}

/* A session that may not write. */
static void a_token_that_refuses_is_named(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    struct session reading = session;
    struct reason why = {0};
    struct pair pair = make(fixture, &session);
    assert_int_equal(session.calls->C_OpenSession(fixture->room->slot_id, CKF_SERIAL_SESSION, NULL,
                                                  NULL, &reading.handle),
                     CKR_OK);
    assert_refused(destroy(&reading, PURPOSE_SEAL, &pair, &why), OUTCOME_TOKEN_UNAVAILABLE, why,
                   "destroying the private key: CKR_SESSION_READ_ONLY");
    assert_int_equal(count(&session), 2);
    assert_int_equal(session.calls->C_CloseSession(reading.handle), CKR_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_pair_is_gone),
        TEST(another_pair_is_not_touched),
        TEST(the_second_attempt_ends_the_first),
        TEST(a_token_that_refuses_is_named),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
