/* SPDX-License-Identifier: Apache-2.0
 * Finding the one token. */
#include "check.h"

#include "pkcs11/slot.h"
#include "room_fixture.h"

#include <stdio.h>
#include <string.h>

static struct uri *parse(const char *text)
{
    struct uri *uri = NULL;
    struct reason why = {0};
    assert_done(uri_parse(text, &uri, &why), why);
    return uri;
}

static void test_found(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct slot slot = fixture->room->slot;
    assert_string_equal(slot.label, SOFTHSM_LABEL);
    assert_string_equal(slot.model, "SoftHSM v2");
    assert_int_equal(strlen(slot.serial), 16);
    assert_true(slot_refresh(&fixture->room->module, &slot));
    softhsm_set_faults(&fixture->softhsm, "C_GetTokenInfo 1 1000 0x30\n");
    assert_false(slot_refresh(&fixture->room->module, &slot));
}

static void test_none(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct uri *uri = parse("pkcs11:token=other?pin-source=/p");
    struct slot slot;
    struct reason why = {0};
    assert_refused(slot_find(&fixture->room->module, uri, &slot, &why), OUTCOME_TOKEN_UNAVAILABLE,
                   why, "no token that fits the uri");
    softhsm_set_faults(&fixture->softhsm, "C_GetSlotList 1 1000 0x30\n");
    assert_refused(slot_find(&fixture->room->module, uri, &slot, &why), OUTCOME_TOKEN_UNAVAILABLE,
                   why, "C_GetSlotList: CKR_DEVICE_ERROR");
    softhsm_set_faults(&fixture->softhsm, "C_GetSlotList 1 1000 many\n");
    assert_refused(slot_find(&fixture->room->module, uri, &slot, &why), OUTCOME_TOKEN_UNAVAILABLE,
                   why, "the module says 1000 slots where there was room for 256");
    uri_free(uri);
}

/* Runs last: the second token stays. */
static void test_two(void **state)
{
    struct room_fixture *fixture = *state;
    const char *const argv[] = {
        "softhsm2-util", "--init-token", "--free", "--label",   SOFTHSM_LABEL,
        "--so-pin",      "8765432",      "--pin",  SOFTHSM_PIN, NULL};
    assert_true(softhsm_run(argv));
    const struct room_options options = room_fixture_options(fixture);
    room_fixture_open(fixture, &options);
    assert_int_equal(room_maintain(fixture->room), ROOM_WAITING);
    char detail[REASON_DETAIL_SIZE];
    assert_int_equal(room_fixture_state(fixture, detail), TOKEN_DOWN);
    assert_non_null(strstr(detail, "two tokens fit, with serial "));
    assert_non_null(strstr(detail, " and serial "));
    assert_non_null(strstr(detail, "add serial= to it"));
    assert_int_equal(softhsm_count(&fixture->softhsm, "C_Login", NULL), 0);
    /* With the serial number one is left. */
    char serial[32];
    assert_int_equal(sscanf(strstr(detail, "serial "), "serial %31s", serial), 1);
    char text[96];
    (void)snprintf(text, sizeof text, "pkcs11:serial=%s?pin-source=/p", serial);
    struct uri *uri = parse(text);
    struct slot slot;
    struct reason why = {0};
    assert_done(slot_find(&fixture->room->module, uri, &slot, &why), why);
    assert_string_equal(slot.serial, serial);
    uri_free(uri);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_found), TEST(test_none), TEST(test_two)};
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
