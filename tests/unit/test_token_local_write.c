/* SPDX-License-Identifier: Apache-2.0
 * Destroying keys through the token service, on a real SoftHSM2 token. */
#include "check.h"

#include "pkcs11/find.h"
#include "room_fixture.h"

#include <string.h>

static struct token_destroy_request destruction_of(const struct token_sign_request *key)
{
    struct token_destroy_request request = {.purpose = key->purpose};
    memcpy(request.key_id, key->key_id, sizeof request.key_id);
    memcpy(request.spki_digest, key->spki_digest, sizeof request.spki_digest);
    return request;
}

/* Also out of the cache; *used is what it was signed with before. */
static void destroy_after_use(struct room_fixture *fixture, CK_OBJECT_HANDLE *used)
{
    struct key cached;
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(1024);
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    struct reason why = {0};
    struct token_sign_request key = room_fixture_key(fixture, KEY_P256, ALG_ES256, &spki);
    assert_done(room_fixture_sign(fixture, &key, &input, &signature, &why), why);
    assert_true(key_cache_get(&fixture->room->keys, key.key_id, &cached));
    *used = cached.private_key;
    const struct token_destroy_request request = destruction_of(&key);
    struct deadline soon = deadline_in_ms(10000);
    assert_done(token_destroy(fixture->token, &request, soon, &why), why);
    buffer_reset(&input);
    assert_refused(room_fixture_sign(fixture, &key, &input, &signature, &why), OUTCOME_NO_KEY, why,
                   "the token has no private key with this CKA_ID");
    assert_refused(token_destroy(fixture->token, &request, soon, &why), OUTCOME_NO_KEY, why,
                   "the token has no key with this CKA_ID");
    assert_false(atomic_load(&fixture->room->abandoned));
}

static void a_destroyed_key_signs_no_more(void **state)
{
    struct room_fixture *fixture = *state;
    CK_OBJECT_HANDLE used;
    room_fixture_ready(fixture);
    destroy_after_use(fixture, &used);
}

static void its_session_copy_goes_with_it(void **state)
{
    struct room_fixture *fixture = *state;
    struct room_options options = room_fixture_options(fixture);
    options.session_copy = true;
    room_fixture_open(fixture, &options);
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    CK_OBJECT_HANDLE copy;
    destroy_after_use(fixture, &copy);
    struct session session = room_fixture_session(fixture);
    CK_ULONG type;
    assert_false(find_number(&session, copy, CKA_KEY_TYPE, &type));
    assert_int_equal(session.rv, CKR_OBJECT_HANDLE_INVALID);
}

static void a_refusal_leaves_the_key(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    BUFFER_CLEANUP struct buffer input = BUFFER_INIT(1024);
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    struct reason why = {0};
    struct token_sign_request key = room_fixture_key(fixture, KEY_P256, ALG_ES256, &spki);
    struct token_destroy_request request = destruction_of(&key);
    assert_refused(token_destroy(fixture->token, &request, deadline_in_ms(0), &why),
                   OUTCOME_DEADLINE, why, "the deadline has passed");
    request.spki_digest[5] ^= 1;
    assert_refused(token_destroy(fixture->token, &request, deadline_in_ms(10000), &why),
                   OUTCOME_KEY_MISMATCH, why, "is not the pinned one");
    assert_done(room_fixture_sign(fixture, &key, &input, &signature, &why), why);
}

static void a_room_that_is_not_ready_destroys_nothing(void **state)
{
    struct room_fixture *fixture = *state;
    struct room_options options = room_fixture_options(fixture);
    room_fixture_open(fixture, &options);
    const struct token_destroy_request request = {.purpose = PURPOSE_SEAL};
    struct reason why = {0};
    assert_refused(token_destroy(fixture->token, &request, deadline_in_ms(10000), &why),
                   OUTCOME_TOKEN_UNAVAILABLE, why, "token test is absent: not looked for yet");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_destroyed_key_signs_no_more),
        TEST(its_session_copy_goes_with_it),
        TEST(a_refusal_leaves_the_key),
        TEST(a_room_that_is_not_ready_destroys_nothing),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
