/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "model/operation.h"

#include <string.h>

static void names_go_there_and_back(void **state)
{
    (void)state;
    static const char *const names[] = {"jar",          "client-assertion", "grant-assertion",
                                        "registration", "body-jwt",         "dpop",
                                        "detached-jws"};
    assert_int_equal(COUNT_OF(names), OPERATION_COUNT);
    for (unsigned int i = 0; i < OPERATION_COUNT; i++) {
        enum operation operation;
        assert_string_equal(operation_name((enum operation)i), names[i]);
        assert_true(operation_from_name(span_of_text(names[i]), &operation));
        assert_int_equal(operation, i);
        assert_true(operation_is_known(i));
    }
    assert_false(operation_is_known(OPERATION_COUNT));
}

static void other_names_are_none(void **state)
{
    (void)state;
    enum operation operation;
    assert_false(operation_from_name(span_of_text(""), &operation));
    assert_false(operation_from_name(span_of_text("JAR"), &operation));
    assert_false(operation_from_name(span_of("jar\0", 4), &operation));
    assert_false(operation_from_name(span_of_text("tls-signature"), &operation));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_there_and_back),
        cmocka_unit_test(other_names_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
