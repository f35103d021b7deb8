/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "model/purpose.h"

#include <string.h>

static void names_go_there_and_back(void **state)
{
    (void)state;
    enum purpose purpose;
    for (unsigned int i = 0; i < PURPOSE_COUNT; i++) {
        assert_true(purpose_from_name(span_of_text(purpose_name((enum purpose)i)), &purpose));
        assert_int_equal(purpose, i);
        assert_true(purpose_is_known(i));
    }
    assert_string_equal(purpose_name(PURPOSE_SEAL), "seal");
    assert_false(purpose_is_known(PURPOSE_COUNT));
    assert_false(purpose_from_name(span_of_text("transport"), &purpose));
    assert_false(purpose_from_name(span_of_text(""), &purpose));
}

static void a_label_remembers_its_purpose(void **state)
{
    (void)state;
    char label[LABEL_SIZE];
    enum purpose purpose;
    purpose_label(PURPOSE_SEAL, "seal-ec", label);
    assert_string_equal(label, "qseal:seal:seal-ec");
    assert_true(purpose_from_label(span_of_text(label), &purpose));
    assert_int_equal(purpose, PURPOSE_SEAL);
}

static void the_longest_role_fits_and_a_longer_one_is_cut(void **state)
{
    (void)state;
    char role[200];
    memset(role, 'r', sizeof role);
    role[sizeof role - 1] = '\0';
    char label[LABEL_SIZE];
    purpose_label(PURPOSE_SEAL, role, label);
    assert_int_equal(strlen(label), strlen("qseal:seal:") + ROLE_NAME_MAX);
}

static void other_labels_declare_nothing(void **state)
{
    (void)state;
    static const char *const labels[] = {
        "",       "seal",        "qseal:",        "qseal:seal",   "qseal::x", "Qseal:seal:x",
        "seal:x", "qseal:tls:x", "qseal:seals:x", "xqseal:seal:x"};
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        enum purpose purpose;
        assert_false(purpose_from_label(span_of_text(labels[i]), &purpose));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_there_and_back),
        cmocka_unit_test(a_label_remembers_its_purpose),
        cmocka_unit_test(the_longest_role_fits_and_a_longer_one_is_cut),
        cmocka_unit_test(other_labels_declare_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
