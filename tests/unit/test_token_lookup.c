/* SPDX-License-Identifier: Apache-2.0
 * Keys for requests: what is pinned is compared at every use. */
#include "check.h"

#include "room_fixture.h"
#include "token/lookup.h"

static enum outcome look(struct room_fixture *fixture, const struct token_sign_request *request,
                         struct key *key, struct reason *why)
{
    struct session session = room_fixture_session(fixture);
    return lookup_key(fixture->room, &session, 0, request, key, why);
}

static void test_pinned_and_cached(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct token_sign_request request = room_fixture_key(fixture, KEY_P256, ALG_ES256, &spki);
    struct key key;
    struct reason why = {0};
    /* Before and after the key is in the cache. */
    for (int round = 0; round < 2; round++) {
        request.spki_digest[31] ^= 1;
        assert_refused(look(fixture, &request, &key, &why), OUTCOME_KEY_MISMATCH, why,
                       "the public key under this CKA_ID is not the pinned one");
        request.spki_digest[31] ^= 1;
        request.alg = ALG_ES384;
        assert_refused(look(fixture, &request, &key, &why), OUTCOME_KEY_MISMATCH, why,
                       "a p-256 key does not sign ES384");
        request.alg = ALG_ES256;
        assert_done(look(fixture, &request, &key, &why), why);
    }
    softhsm_forget_calls(&fixture->softhsm);
    assert_done(look(fixture, &request, &key, &why), why);
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_FindObjectsInit", NULL), 0);
}

static void test_not_cached_when_wrong(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    const struct foreign_key made = {.label = "qseal:seal:x", .odd = CKA_EXTRACTABLE, .id = {0x70}};
    room_fixture_foreign(&session, &made);
    struct token_sign_request request = {.alg = ALG_ES256};
    memcpy(request.key_id, made.id, sizeof made.id);
    struct key key;
    struct reason why = {0};
    assert_refused(look(fixture, &request, &key, &why), OUTCOME_KEY_MISMATCH, why,
                   "CKA_EXTRACTABLE is true");
    request.key_id[0] = 0x71;
    assert_refused(look(fixture, &request, &key, &why), OUTCOME_NO_KEY, why, "no private key");
    assert_int_equal(fixture->room->keys.n, 0);
}

/* Another key under the same CKA_ID: as after a token was initialized anew. */
static void test_other_key_under_the_id(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    struct foreign_key made = {.label = "qseal:seal:x", .id = {0x72}};
    room_fixture_foreign(&session, &made);
    struct token_sign_request request = room_fixture_key(fixture, KEY_P256, ALG_ES256, &spki);
    memcpy(request.key_id, made.id, sizeof made.id);
    struct key key;
    struct reason why = {0};
    assert_refused(look(fixture, &request, &key, &why), OUTCOME_KEY_MISMATCH, why,
                   "not the pinned one");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_pinned_and_cached),
                                       TEST(test_not_cached_when_wrong),
                                       TEST(test_other_key_under_the_id)};
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
