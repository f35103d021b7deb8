/* SPDX-License-Identifier: Apache-2.0
 * The shared state of a room. */
#include "check.h"

#include "room_fixture.h"

static void test_bad_options(void **state)
{
    const struct room_fixture *fixture = *state;
    struct room room;
    struct reason why = {0};
    struct room_options options = room_fixture_options(fixture);
    options.uri = "pkcs11:?pin-source=/p";
    assert_refused(room_init(&room, &options, &why), OUTCOME_RULE, why, "matches every token");
    room_fini(&room);
    options = room_fixture_options(fixture);
    options.pin_typed = true;
    assert_refused(room_init(&room, &options, &why), OUTCOME_RULE, why,
                   "uri: pin-source is there, and the PIN is typed");
    room_fini(&room);
    options.pin_typed = false;
    options.uri = "pkcs11:token=a";
    assert_refused(room_init(&room, &options, &why), OUTCOME_RULE, why,
                   "uri: pin-source is missing");
    room_fini(&room);
    options = room_fixture_options(fixture);
    options.module = "/dev/null";
    assert_refused(room_init(&room, &options, &why), OUTCOME_RULE, why, "not a regular file");
    room_fini(&room);
}

static void test_absent_then_ready(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = room_fixture_options(fixture);
    room_fixture_open(fixture, &options);
    char detail[REASON_DETAIL_SIZE];
    softhsm_set_faults(&fixture->softhsm, "C_GetSlotList 1 1000 empty\n");
    assert_int_equal(room_maintain(fixture->room), ROOM_WAITING);
    assert_int_equal(room_fixture_state(fixture, detail), TOKEN_ABSENT);
    softhsm_set_faults(&fixture->softhsm, "");
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    assert_int_equal(room_fixture_state(fixture, detail), TOKEN_READY);
    assert_string_equal(detail, "");
}

static void test_initialize_fails_then_works(void **state)
{
    struct room_fixture *fixture = *state;
    const struct room_options options = room_fixture_options(fixture);
    room_fixture_open(fixture, &options);
    char detail[REASON_DETAIL_SIZE];
    softhsm_set_faults(&fixture->softhsm, "C_Initialize 1 1000 0x5\n");
    assert_int_equal(room_maintain(fixture->room), ROOM_WAITING);
    assert_int_equal(room_fixture_state(fixture, detail), TOKEN_DOWN);
    assert_string_equal(detail, "C_Initialize: CKR_GENERAL_ERROR");
    softhsm_set_faults(&fixture->softhsm, "");
    assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
    assert_int_equal(room_fixture_state(fixture, detail), TOKEN_READY);
}

/* One missed beat is nothing; five in a row are the end. */
static void test_lost_token(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    for (int round = 0; round < 2; round++) {
        softhsm_set_faults(&fixture->softhsm, "C_GetTokenInfo 1 1000 0x5\n");
        for (int i = 0; i < 4; i++) {
            assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
        }
        softhsm_set_faults(&fixture->softhsm, "");
        assert_int_equal(room_maintain(fixture->room), ROOM_STEADY);
        assert_false(atomic_load(&fixture->room->abandoned));
    }
    softhsm_set_faults(&fixture->softhsm, "C_GetTokenInfo 1 1000 0x5\n");
    for (int i = 0; i < 5; i++) {
        (void)room_maintain(fixture->room);
    }
    assert_true(atomic_load(&fixture->room->abandoned));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bad_options),
        TEST(test_absent_then_ready),
        TEST(test_initialize_fails_then_works),
        TEST(test_lost_token),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
