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
    assert_string_equal(purpose_name(PURPOSE_TRANSPORT), "transport");
    assert_string_equal(purpose_name(PURPOSE_AUDIT), "audit");
    assert_string_equal(purpose_key_text(PURPOSE_SEAL), "a seal key");
    assert_string_equal(purpose_key_text(PURPOSE_TRANSPORT), "a transport key");
    assert_string_equal(purpose_key_text(PURPOSE_AUDIT), "an audit key");
    assert_false(purpose_from_name(span_of_text("audits"), &purpose));
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
    purpose_label(PURPOSE_TRANSPORT, "bank-a", label);
    assert_string_equal(label, "qseal:transport:bank-a");
    assert_true(purpose_from_label(span_of_text(label), &purpose));
    assert_int_equal(purpose, PURPOSE_TRANSPORT);
    purpose_label(PURPOSE_AUDIT, "audit", label);
    assert_string_equal(label, "qseal:audit:audit");
    assert_true(purpose_from_label(span_of_text(label), &purpose));
    assert_int_equal(purpose, PURPOSE_AUDIT);
}

/* In TLS 1.2 a curve goes with any digest; a JWS algorithm binds one curve. */
static void a_purpose_says_what_fits_a_key(void **state)
{
    (void)state;
    for (unsigned int alg = 0; alg < ALG_COUNT; alg++) {
        for (unsigned int type = 0; type < KEY_TYPE_COUNT; type++) {
            bool seal = alg_fits_key((enum alg)alg, (enum key_type)type);
            bool any_curve =
                alg_family((enum alg)alg) == FAMILY_ECDSA && type >= KEY_P256 && type <= KEY_P521;
            assert_int_equal(purpose_alg_fits_key(PURPOSE_SEAL, (enum alg)alg, (enum key_type)type),
                             seal);
            assert_int_equal(
                purpose_alg_fits_key(PURPOSE_AUDIT, (enum alg)alg, (enum key_type)type), seal);
            assert_int_equal(
                purpose_alg_fits_key(PURPOSE_TRANSPORT, (enum alg)alg, (enum key_type)type),
                seal || any_curve);
        }
    }
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
        "",       "seal",        "qseal:",        "qseal:seal",    "qseal::x",    "Qseal:seal:x",
        "seal:x", "qseal:tls:x", "qseal:seals:x", "xqseal:seal:x", "qseal:audit", "qseal:audits:x"};
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
        cmocka_unit_test(a_purpose_says_what_fits_a_key),
        cmocka_unit_test(the_longest_role_fits_and_a_longer_one_is_cut),
        cmocka_unit_test(other_labels_declare_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
