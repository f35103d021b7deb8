/* SPDX-License-Identifier: Apache-2.0
 * What return codes mean. */
#include "check.h"

#include "pkcs11/rv.h"

static void test_classes(void **state)
{
    (void)state;
    assert_int_equal(rv_class(CKR_OK), RV_DONE);
    assert_int_equal(rv_class(CKR_KEY_HANDLE_INVALID), RV_KEY_GONE);
    assert_int_equal(rv_class(CKR_OBJECT_HANDLE_INVALID), RV_KEY_GONE);
    assert_int_equal(rv_class(CKR_USER_NOT_LOGGED_IN), RV_LOGGED_OUT);
    assert_int_equal(rv_class(CKR_MECHANISM_PARAM_INVALID), RV_REFUSED);
    assert_int_equal(rv_class(CKR_SESSION_HANDLE_INVALID), RV_BROKEN);
    assert_int_equal(rv_class(CKR_GENERAL_ERROR), RV_BROKEN);
    assert_int_equal(rv_class(CKR_VENDOR_DEFINED + 7), RV_BROKEN);
}

/* Whatever is not known to be harmless counts as a refused PIN. */
static void test_logins(void **state)
{
    (void)state;
    assert_int_equal(rv_login(CKR_OK), RV_LOGIN_GOOD);
    assert_int_equal(rv_login(CKR_USER_ALREADY_LOGGED_IN), RV_LOGIN_GOOD);
    const CK_RV refused[] = {CKR_PIN_INCORRECT,   CKR_PIN_LOCKED,         CKR_PIN_LEN_RANGE,
                             CKR_PIN_INVALID,     CKR_PIN_EXPIRED,        CKR_GENERAL_ERROR,
                             CKR_FUNCTION_FAILED, CKR_VENDOR_DEFINED + 7, 0x7777};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(rv_login(refused[i]), RV_LOGIN_REFUSED);
    }
    const CK_RV unsure[] = {CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY};
    for (size_t i = 0; i < sizeof unsure / sizeof unsure[0]; i++) {
        assert_int_equal(rv_login(unsure[i]), RV_LOGIN_UNSURE);
    }
    const CK_RV faults[] = {CKR_DEVICE_REMOVED, CKR_HOST_MEMORY, CKR_TOKEN_NOT_PRESENT,
                            CKR_SESSION_HANDLE_INVALID, CKR_USER_PIN_NOT_INITIALIZED};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        assert_int_equal(rv_login(faults[i]), RV_LOGIN_FAULT);
    }
}

static void test_texts(void **state)
{
    (void)state;
    assert_string_equal(rv_text(CKR_PIN_INCORRECT).text, "CKR_PIN_INCORRECT");
    assert_string_equal(rv_text(0x7777).text, "return code 0x7777");
    struct reason why = {0};
    assert_refused(rv_refuse(CKR_DEVICE_ERROR, "reading a key", &why), OUTCOME_TOKEN_UNAVAILABLE,
                   why, "reading a key: CKR_DEVICE_ERROR");
    assert_true(rv_is_template(CKR_ATTRIBUTE_VALUE_INVALID));
    assert_false(rv_is_template(CKR_DEVICE_ERROR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_logins),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
