/* SPDX-License-Identifier: Apache-2.0
 * Options of qsealctl key csr on their way into the question. */
#include "ctl/command.h"

#include "check.h"
#include "jose/json.h"

static void lists_grow_and_others_are_replaced(void **state)
{
    (void)state;
    struct command_line line = {0};
    command_take_request(&line, "dns", true, "a.example");
    command_take_request(&line, "nca_id", false, "GB-FCA");
    command_take_request(&line, "dns", true, "b.example");
    command_take_request(&line, "nca_id", false, "FI-FINFSA");
    assert_string_equal(command_text(line.request, "dns"), "a.example,b.example");
    assert_string_equal(command_text(line.request, "nca_id"), "FI-FINFSA");
    assert_int_equal(json_object_size(line.request), 2);
    assert_false(line.request_failed);
    json_clear_ref(&line.request);
}

static void what_is_no_utf8_is_noted(void **state)
{
    (void)state;
    struct command_line line = {0};
    command_take_request(&line, "nca_name", false, "\xff");
    assert_true(line.request_failed);
    json_clear_ref(&line.request);
    line.request_failed = false;
    command_take_request(&line, "dns", true, "a");
    command_take_request(&line, "dns", true, "\xff");
    assert_true(line.request_failed);
    json_clear_ref(&line.request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_grow_and_others_are_replaced),
        cmocka_unit_test(what_is_no_utf8_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
