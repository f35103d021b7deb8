/* SPDX-License-Identifier: Apache-2.0
 * Reading a key to show it: what a module may say of it. What a real token says is in
 * test_token_local_show. */
#include "check.h"

#include "pkcs11/generate.h"
#include "pkcs11/show.h"
#include "room_fixture.h"

#include <stdio.h>

static const CK_ATTRIBUTE_TYPE types[] = {CKA_SIGN, CKA_DECRYPT};

static enum outcome show(struct session *session, uint8_t id, struct shown_key *out,
                         struct reason *why)
{
    buffer_reset(&out->mechanisms);
    return show_key(session, span_of(&id, 1), types, COUNT_OF(types), out, why);
}

static void test_what_a_module_says(void **state)
{
    struct room_fixture *fixture = *state;
    room_fixture_ready(fixture);
    struct session session = room_fixture_session(fixture);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    struct reason why = {0};
    const uint8_t id = 1;
    const struct generate_request request = {.type = KEY_RSA_2048,
                                             .id = span_of(&id, 1),
                                             .label = "qseal:seal:x",
                                             .algs = 1U << ALG_RS256 | 1U << ALG_PS256};
    assert_done(generate_pair(&session, &fixture->room->mechanisms, &request, &spki, &why), why);
    struct shown_key shown = {.mechanisms = BUFFER_INIT(1024)};
    assert_done(show(&session, id, &shown, &why), why);
    assert_int_equal(shown.flags[0], FIND_TRUE);
    assert_int_equal(shown.flags[1], FIND_FALSE);
    assert_string_equal(shown.label, "qseal:seal:x");
    assert_true(shown.has_mechanisms);
    assert_non_null(strstr(buffer_text(&shown.mechanisms), "CKM_RSA_PKCS_PSS"));
    uint8_t digest[DIGEST_SHA256_LEN];
    assert_true(digest_sha256(buffer_span(&spki), digest));
    assert_memory_equal(digest, shown.spki_digest, sizeof digest);
    assert_refused(show(&session, 2, &shown, &why), OUTCOME_NO_KEY, why, "no private key");
    buffer_fini(&shown.mechanisms);
}

/* The fault is in one read after the other; each is said, and nothing is made up. */
static void test_a_fault_in_each_read(void **state)
{
    enum { READS = 8 };
    struct room_fixture *fixture = *state;
    unsigned int failed = 0;
    for (unsigned int at = 1; at <= READS; at++) {
        assert_int_equal(room_fixture_setup(state), 0);
        room_fixture_ready(fixture);
        struct session session = room_fixture_session(fixture);
        char faults[64];
        (void)snprintf(faults, sizeof faults, "C_GetAttributeValue %u %u 0x30\n", at, at);
        softhsm_set_faults(&fixture->softhsm, faults);
        struct shown_key shown = {.mechanisms = BUFFER_INIT(1024)};
        struct reason why = {0};
        enum outcome outcome = show(&session, 1, &shown, &why);
        if (outcome != OUTCOME_OK) {
            assert_refused(outcome, OUTCOME_TOKEN_UNAVAILABLE, why, "CKR_DEVICE_ERROR");
            failed++;
        }
        buffer_fini(&shown.mechanisms);
        assert_int_equal(room_fixture_teardown(state), 0);
    }
    assert_int_equal(failed, 7); /* two flags, label, mechanisms, key type, modulus, exponent */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_fixture_setup, room_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_a_module_says),
        TEST(test_a_fault_in_each_read),
    };
    return cmocka_run_group_tests(tests, room_fixture_group_setup, room_fixture_group_teardown);
}
