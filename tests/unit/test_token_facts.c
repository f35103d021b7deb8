/* SPDX-License-Identifier: Apache-2.0
 * What a token says of itself, in our words; and what it does not say. */
#include "token/facts.h"

#include "check.h"

static void everything_is_said(void **state)
{
    (void)state;
    struct quirks quirks = {.looked = 6, .found = 2};
    struct slot slot = {.info = {.manufacturerID = "ACME            ",
                                 .flags = CKF_LOGIN_REQUIRED | CKF_USER_PIN_FINAL_TRY |
                                          CKF_PROTECTED_AUTHENTICATION_PATH | CKF_TOKEN_INITIALIZED,
                                 .ulSessionCount = 3,
                                 .ulMaxSessionCount = 16,
                                 .ulFreePublicMemory = 100,
                                 .ulTotalPublicMemory = 200,
                                 .ulFreePrivateMemory = 0,
                                 .ulTotalPrivateMemory = 400,
                                 .hardwareVersion = {1, 2},
                                 .firmwareVersion = {3, 255}}};
    struct token_facts facts;
    facts_of(&slot, &quirks, &facts);
    assert_string_equal(facts.manufacturer, "ACME");
    assert_string_equal(facts.hardware, "1.2");
    assert_string_equal(facts.firmware, "3.255");
    assert_int_equal(facts.flags,
                     1U << TOKEN_LOGIN_REQUIRED | 1U << TOKEN_PIN_FINAL_TRY | 1U << TOKEN_PIN_PAD);
    const uint64_t numbers[] = {3, 16, 100, 200, 0, 400};
    assert_memory_equal(facts.numbers, numbers, sizeof numbers);
    assert_int_equal(facts.quirks_looked, 6);
    assert_int_equal(facts.quirks_found, 2);
}

static void nothing_is_said(void **state)
{
    (void)state;
    struct quirks quirks = {0};
    struct slot slot = {.info = {.ulSessionCount = CK_UNAVAILABLE_INFORMATION,
                                 .ulMaxSessionCount = CK_EFFECTIVELY_INFINITE,
                                 .ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION,
                                 .ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION,
                                 .ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION,
                                 .ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION}};
    struct token_facts facts;
    facts_of(&slot, &quirks, &facts);
    for (size_t i = 0; i < COUNT_OF(facts.numbers); i++) {
        assert_true(facts.numbers[i] == (i == TOKEN_SESSIONS_MAX ? TOKEN_NO_LIMIT : TOKEN_UNKNOWN));
    }
    slot.info.ulMaxSessionCount = CK_UNAVAILABLE_INFORMATION;
    facts_of(&slot, &quirks, &facts);
    assert_true(facts.numbers[TOKEN_SESSIONS_MAX] == TOKEN_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_said),
        cmocka_unit_test(nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
