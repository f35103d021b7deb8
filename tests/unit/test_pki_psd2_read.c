/* SPDX-License-Identifier: Apache-2.0
 * Reading qcStatements, and what is wrong with those that are not taken. */
#include "pki/psd2.h"

#include "check.h"
#include "psd2_vectors.h"

static void flattened_roles_are_read_and_reported(void **state)
{
    (void)state;
    uint8_t bytes[512];
    struct span der = from_hex(eseal_flattened, bytes);
    struct qc_statements got;
    assert_null(qc_statements_read(der, &got));
    assert_int_equal(got.type, QC_TYPE_ESEAL);
    assert_int_equal(got.roles, 1U << PSD2_AI | 1U << PSD2_PI);
    assert_true(got.roles_flattened);
    assert_false(got.role_disagrees);
    /* Written, they are nested. */
    BUFFER_CLEANUP struct buffer written = BUFFER_INIT(QC_STATEMENTS_MAX);
    qc_statements_put(&written, &got);
    assert_int_equal(written.len, der.len + 2);
    assert_null(qc_statements_read(buffer_span(&written), &got));
    assert_false(got.roles_flattened);
}

#define TYPE(n) "3013 0606 04008e460106 3009 0607 04008e460106" n
#define PSD2(len, rest) "30" len "0606 040081982702" rest
/* One role, and names of a letter each. */
#define GOOD_PSD2 PSD2("1f", "3015 300d 300b 0607 04008198270103 0c00 0c01 61 0c01 62")
static const struct {
    const char *hex;
    const char *fault; /* NULL: good */
} rows[] = {
    {"3000", NULL},
    {"3008 3006 0604 2a030405", NULL}, /* a statement that nobody here knows */
    {"", "not one SEQUENCE in DER"},
    {"3000 00", "not one SEQUENCE"},
    {"3080 0000", "not one SEQUENCE"},
    {"3002 0500", "a statement is not DER"},
    {"3002 3000", "a statement is not DER"},
    {"302a" TYPE("02") TYPE("03"), "QcType stands there twice"},
    {"301e 301c 0606 04008e460106 3012 0607 04008e46010602 0607 04008e46010603",
     "QcType names more than one type"},
    {"3015" TYPE("04"), "QcType is none of esign, eseal and web"},
    {"300a 3008 0606 04008e460106", "QcType is not DER"},
    {"300a 3008 0606 04008e460105", "QcPDS is not DER"},
    {"3016 3014 0606 04008e460105 300a 3008 1602 610a 1302 656e", "QcPDS has a URL"},
    {"300a" PSD2("08", ""), "the PSD2 statement is not DER of roles, nCAName and nCAId"},
    {"3014" PSD2("12", "3008 3000 0c01 61 0c01 62"), "rolesOfPSP is empty"},
    {"3014" PSD2("12", "3008 3000 0c01 0a 0c01 62"), "nCAName or nCAId is not 1 to 256"},
    {"3013" PSD2("11", "3007 3000 0c00 0c01 62"), "nCAName or nCAId is not 1 to 256"},
    {"3015" PSD2("13", "3009 3000 0c02 c281 0c01 62"), "nCAName or nCAId is not 1 to 256"},
    {"3014" PSD2("12", "3008 3000 0c01 ff 0c01 62"), "nCAName or nCAId is not 1 to 256"},
    {"3016" PSD2("14", "300a 3002 3000 0c01 61 0c01 62"), "rolesOfPSP is not DER of roles"},
    {"3016" PSD2("14", "300a 3002 0500 0c01 61 0c01 62"), "rolesOfPSP is not DER of roles"},
    {"3016" PSD2("14", "300a 3000 0c01 61 0c01 62 0500"), "the PSD2 statement is not DER"},
    {"3042" GOOD_PSD2 GOOD_PSD2, "the PSD2 statement stands there twice"},
};

static void each_fault_has_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t bytes[512];
        struct qc_statements got;
        const char *fault = qc_statements_read(from_hex(rows[i].hex, bytes), &got);
        if (rows[i].fault == NULL ? fault != NULL
                                  : fault == NULL || strstr(fault, rows[i].fault) == NULL) {
            fail_msg("row %zu: %s", i, fault == NULL ? "taken" : fault);
        }
    }
}

static void roles_are_told_by_their_oid(void **state)
{
    (void)state;
    uint8_t bytes[512];
    struct qc_statements got;
    struct span der = from_hex(web_ai, bytes);
    uint8_t *at = memmem(bytes, der.len, "PSP_AI", 6);
    assert_non_null(at);
    at[4] = 'P'; /* the OID of PSP_AI, the name of PSP_PI */
    assert_null(qc_statements_read(der, &got));
    assert_true(got.role_disagrees);
    assert_int_equal(got.roles, 1U << PSD2_AI);
    at[4] = 'X';
    assert_null(qc_statements_read(der, &got));
    assert_true(got.role_disagrees);
    at[-3] = 5; /* the last number of the OID */
    assert_null(qc_statements_read(der, &got));
    assert_true(got.role_unknown);
    assert_int_equal(got.roles, 0);
}

static void damage_is_survived(void **state)
{
    (void)state;
    uint8_t bytes[512];
    struct span der = from_hex(eseal_flattened, bytes);
    struct qc_statements got;
    for (size_t i = 0; i < der.len; i++) {
        uint8_t *copy = malloc(i == 0 ? 1 : i);
        memcpy(copy, bytes, i);
        assert_non_null(qc_statements_read(span_of(copy, i), &got));
        free(copy);
        for (unsigned int change = 1; change < 256; change++) {
            bytes[i] ^= (uint8_t)change;
            (void)qc_statements_read(der, &got);
            bytes[i] ^= (uint8_t)change;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flattened_roles_are_read_and_reported),
        cmocka_unit_test(each_fault_has_its_reason),
        cmocka_unit_test(roles_are_told_by_their_oid),
        cmocka_unit_test(damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
