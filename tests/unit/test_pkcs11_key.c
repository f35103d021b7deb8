/* SPDX-License-Identifier: Apache-2.0
 * Keys that another tool made: each liberty too many is refused by name. */
#include "check.h"

#include "pkcs11/find.h"
#include "pkcs11/key.h"
#include "room_fixture.h"

static const struct {
    CK_ATTRIBUTE_TYPE odd;
    const char *reason;
} rows[] = {
    {CKA_PRIVATE, "CKA_PRIVATE is false, must be true"},
    {CKA_SENSITIVE, "CKA_SENSITIVE is false, must be true"},
    {CKA_EXTRACTABLE, "CKA_EXTRACTABLE is true, must be false"},
    {CKA_SIGN, "CKA_SIGN is false, must be true"},
    {CKA_DECRYPT, "CKA_DECRYPT is true, must be false"},
    {CKA_UNWRAP, "CKA_UNWRAP is true, must be false"},
    {CKA_DERIVE, "CKA_DERIVE is true, must be false"},
    {CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER is true, must be false"},
    {CKA_ALWAYS_AUTHENTICATE, "CKA_ALWAYS_AUTHENTICATE is true, must be false"},
};

static void test_too_free(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    for (uint8_t i = 0; i < COUNT_OF(rows); i++) {
        const struct foreign_key made = {
            .label = "qseal:seal:x", .odd = rows[i].odd, .id = {0x10, i}};
        room_fixture_foreign(&session, &made);
        struct key key;
        struct reason why = {0};
        assert_refused(key_load(&session, span_of(made.id, sizeof made.id), &key, NULL, &why),
                       OUTCOME_KEY_MISMATCH, why, rows[i].reason);
        assert_string_equal(room_fixture_quirk(fixture, QUIRK_ALWAYS_AUTHENTICATE),
                            rows[i].odd == CKA_ALWAYS_AUTHENTICATE ? "found" : "unknown");
    }
}

/* Made extractable and then closed: it may have been elsewhere. */
static void test_once_extractable(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    const struct foreign_key made = {.label = "qseal:seal:x", .odd = CKA_EXTRACTABLE, .id = {0x20}};
    room_fixture_foreign(&session, &made);
    CK_OBJECT_HANDLE object;
    unsigned int n;
    assert_true(
        find_by_id(&session, CKO_PRIVATE_KEY, span_of(made.id, sizeof made.id), &object, &n));
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE closed[] = {{CKA_EXTRACTABLE, &no, sizeof no}};
    assert_int_equal(session.calls->C_SetAttributeValue(session.handle, object, closed, 1), CKR_OK);
    struct key key;
    struct reason why = {0};
    assert_refused(key_load(&session, span_of(made.id, sizeof made.id), &key, NULL, &why),
                   OUTCOME_KEY_MISMATCH, why, "CKA_NEVER_EXTRACTABLE is false, must be true");
}

static void test_labels(void **state)
{
    static const char *const labels[] = {
        "", "my key", "qseal:", "qseal:seal", "qseal:transport", "qseal:audits:x"};
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    for (uint8_t i = 0; i < COUNT_OF(labels); i++) {
        const struct foreign_key made = {.label = labels[i], .id = {0x30, i}};
        room_fixture_foreign(&session, &made);
        struct key key;
        struct reason why = {0};
        assert_refused(key_load(&session, span_of(made.id, sizeof made.id), &key, NULL, &why),
                       OUTCOME_KEY_MISMATCH, why, "CKA_LABEL declares no purpose");
    }
    char wide[200];
    memset(wide, 'x', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    const struct foreign_key made = {.label = wide, .id = {0x31}};
    room_fixture_foreign(&session, &made);
    struct key key;
    struct reason why = {0};
    assert_refused(key_load(&session, span_of(made.id, sizeof made.id), &key, NULL, &why),
                   OUTCOME_KEY_MISMATCH, why, "CKA_LABEL is longer");
}

static void test_good_twice_and_none(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    const struct foreign_key made = {.label = "qseal:seal:x", .id = {0x40}};
    struct span id = span_of(made.id, sizeof made.id);
    struct key key;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPKI_MAX);
    assert_refused(key_load(&session, id, &key, NULL, &why), OUTCOME_NO_KEY, why,
                   "no private key with this CKA_ID");
    room_fixture_foreign(&session, &made);
    assert_done(key_load(&session, id, &key, &spki, &why), why);
    assert_int_equal(key.type, KEY_P256);
    assert_int_equal(key.purpose, PURPOSE_SEAL);
    uint8_t digest[DIGEST_SHA256_LEN];
    assert_true(digest_sha256(buffer_span(&spki), digest));
    assert_memory_equal(digest, key.spki_digest, sizeof digest);
    room_fixture_foreign(&session, &made);
    assert_refused(key_load(&session, id, &key, NULL, &why), OUTCOME_KEY_MISMATCH, why,
                   "more than one private key");
}

static void test_no_public_key(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    const struct foreign_key made = {.label = "qseal:seal:x", .id = {0x50}};
    struct span id = span_of(made.id, sizeof made.id);
    room_fixture_foreign(&session, &made);
    CK_OBJECT_HANDLE object;
    unsigned int n;
    assert_true(find_by_id(&session, CKO_PUBLIC_KEY, id, &object, &n));
    assert_int_equal(session.calls->C_DestroyObject(session.handle, object), CKR_OK);
    struct key key;
    struct reason why = {0};
    assert_refused(key_load(&session, id, &key, NULL, &why), OUTCOME_NO_KEY, why,
                   "no public key with this CKA_ID");
}

static void test_token_failure(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    struct key key;
    struct reason why = {0};
    softhsm_set_faults(&fixture->softhsm, "C_FindObjectsInit 1 1000 0x32\n");
    assert_refused(key_load(&session, span_of("x", 1), &key, NULL, &why), OUTCOME_TOKEN_UNAVAILABLE,
                   why, "CKR_DEVICE_REMOVED");
    assert_int_equal(session.rv, CKR_DEVICE_REMOVED);
    /* No login, no private objects: that is no missing key. */
    softhsm_set_faults(&fixture->softhsm, "");
    assert_int_equal(session.calls->C_Logout(session.handle), CKR_OK);
    assert_refused(key_load(&session, span_of("x", 1), &key, NULL, &why), OUTCOME_TOKEN_UNAVAILABLE,
                   why, "CKR_USER_NOT_LOGGED_IN");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_too_free),      TEST(test_once_extractable),
        TEST(test_labels),        TEST(test_good_twice_and_none),
        TEST(test_no_public_key), TEST(test_token_failure),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
