/* SPDX-License-Identifier: Apache-2.0
 * Searching objects and reading attributes. */
#include "check.h"

#include "pkcs11/find.h"
#include "room_fixture.h"

static void test_by_id(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    const struct foreign_key key = {.label = "qseal:seal:x", .id = {1, 2, 3}};
    struct span id = span_of(key.id, sizeof key.id);
    CK_OBJECT_HANDLE object;
    unsigned int n = 9;
    assert_true(find_by_id(&session, CKO_PRIVATE_KEY, id, &object, &n));
    assert_int_equal(n, 0);
    room_fixture_foreign(&session, &key);
    assert_true(find_by_id(&session, CKO_PRIVATE_KEY, id, &object, &n));
    assert_int_equal(n, 1);
    /* A session copy is not found. */
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE template[] = {{CKA_TOKEN, &no, sizeof no}};
    CK_OBJECT_HANDLE copy;
    assert_int_equal(session.calls->C_CopyObject(session.handle, object, template, 1, &copy),
                     CKR_OK);
    assert_true(find_by_id(&session, CKO_PRIVATE_KEY, id, &object, &n));
    assert_int_equal(n, 1);
    assert_int_not_equal(object, copy);
    room_fixture_foreign(&session, &key);
    assert_true(find_by_id(&session, CKO_PRIVATE_KEY, id, &object, &n));
    assert_int_equal(n, 2);
}

static void test_all_of_a_class(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    CK_OBJECT_HANDLE before[64];
    CK_OBJECT_HANDLE found[64];
    size_t n_before = 0;
    size_t n = 0;
    assert_true(find_all(&session, CKO_PUBLIC_KEY, before, COUNT_OF(before), &n_before));
    for (uint8_t i = 0; i < 3; i++) {
        const struct foreign_key key = {.label = "theirs", .id = {0x55, i}};
        room_fixture_foreign(&session, &key);
    }
    assert_true(find_all(&session, CKO_PUBLIC_KEY, found, COUNT_OF(found), &n));
    assert_int_equal(n, n_before + 3);
    assert_true(find_all(&session, CKO_PUBLIC_KEY, found, 2, &n));
    assert_int_equal(n, 2);
    softhsm_set_faults(&fixture->softhsm, "C_FindObjectsInit 1 1000 0x30\n");
    assert_false(find_all(&session, CKO_PUBLIC_KEY, found, 2, &n));
    assert_int_equal(session.rv, CKR_DEVICE_ERROR);
    softhsm_set_faults(&fixture->softhsm, "");
}

static void test_attributes(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    const struct foreign_key key = {.label = "a label", .id = {9}};
    room_fixture_foreign(&session, &key);
    CK_OBJECT_HANDLE object;
    unsigned int n;
    assert_true(find_by_id(&session, CKO_PRIVATE_KEY, span_of(key.id, sizeof key.id), &object, &n));
    enum find_flag flag;
    assert_true(find_flag(&session, object, CKA_SIGN, &flag));
    assert_int_equal(flag, FIND_TRUE);
    assert_true(find_flag(&session, object, CKA_EXTRACTABLE, &flag));
    assert_int_equal(flag, FIND_FALSE);
    assert_true(find_flag(&session, object, CKA_WRAP, &flag));
    assert_int_equal(flag, FIND_ABSENT);
    CK_ULONG number;
    assert_true(find_number(&session, object, CKA_KEY_TYPE, &number));
    assert_int_equal(number, CKK_EC);
    char label[16];
    size_t len;
    assert_true(find_bytes(&session, object, CKA_LABEL, label, sizeof label, &len));
    assert_int_equal(len, 7);
    assert_memory_equal(label, "a label", 7);
    assert_false(find_bytes(&session, object, CKA_LABEL, label, 3, &len));
    assert_int_equal(session.rv, CKR_BUFFER_TOO_SMALL);
}

static void test_token_failures(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    CK_OBJECT_HANDLE object;
    unsigned int n;
    softhsm_set_faults(&fixture->softhsm,
                       "C_FindObjectsInit 1 1000 0x30\nC_GetAttributeValue 1 1000 0xb3\n");
    assert_false(find_by_id(&session, CKO_PRIVATE_KEY, span_of("x", 1), &object, &n));
    assert_int_equal(session.rv, CKR_DEVICE_ERROR);
    CK_ULONG number;
    assert_false(find_number(&session, 1, CKA_KEY_TYPE, &number));
    assert_int_equal(session.rv, CKR_SESSION_HANDLE_INVALID);
}

/* A module that says CKR_OK and a length that cannot be: nothing of what it wrote is used. */
static void test_lies_about_lengths(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    const struct foreign_key key = {.label = "a label", .id = {7}};
    struct span id = span_of(key.id, sizeof key.id);
    room_fixture_foreign(&session, &key);
    CK_OBJECT_HANDLE object;
    CK_OBJECT_HANDLE other = CK_INVALID_HANDLE;
    unsigned int n = 0;
    assert_true(find_by_id(&session, CKO_PRIVATE_KEY, id, &object, &n));
    softhsm_set_faults(&fixture->softhsm,
                       "C_FindObjects 1 1000 many\nC_GetAttributeValue 1 1000 long\n");
    assert_false(find_by_id(&session, CKO_PRIVATE_KEY, id, &other, &n));
    assert_int_equal(session.rv, CKR_DEVICE_ERROR);
    assert_int_equal(other, CK_INVALID_HANDLE);
    assert_int_equal(n, 1);
    char label[16];
    size_t len = 99;
    session.rv = CKR_OK;
    assert_false(find_bytes(&session, object, CKA_LABEL, label, sizeof label, &len));
    assert_int_equal(session.rv, CKR_DEVICE_ERROR);
    assert_int_equal(len, 0);
    enum find_flag flag;
    assert_false(find_flag(&session, object, CKA_SIGN, &flag));
    CK_ULONG number;
    session.rv = CKR_OK;
    softhsm_set_faults(&fixture->softhsm, "C_GetAttributeValue 1 1000 short\n");
    assert_false(find_number(&session, object, CKA_KEY_TYPE, &number));
    assert_int_equal(session.rv, CKR_DEVICE_ERROR);
    assert_int_equal(number, CK_UNAVAILABLE_INFORMATION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_by_id),          TEST(test_all_of_a_class),     TEST(test_attributes),
        TEST(test_token_failures), TEST(test_lies_about_lengths),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
