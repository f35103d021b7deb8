/* SPDX-License-Identifier: Apache-2.0
 * qcStatements byte for byte, and what is wrong with those that are not taken. */
#include "pki/psd2.h"

#include "check.h"

#include <stdlib.h>

/* Decoded from certificates in use; the first two are as TS 119 495 says. */
static const char web_ai[] =
    "305b3013060604008e4601063009060704008e4601060330440606040081982702303a301330110607040081982701"
    "030c065053505f41490c1b46696e616e6369616c20436f6e6475637420417574686f726974790c0647422d464341";
static const char web_pi_ai[] =
    "306e3013060604008e4601063009060704008e4601060330570606040081982702304d302630110607040081982701"
    "020c065053505f504930110607040081982701030c065053505f41490c1b46696e616e6369616c20436f6e64756374"
    "20417574686f726974790c0647422d464341";
/* Both roles in one RoleOfPSP. */
static const char eseal_flattened[] = "306c3013060604008e4601063009060704008e4601060230550606040081"
                                      "982702304b30243022060704008198270102"
                                      "0c065053505f504906070400819827"
                                      "01030c065053505f41490c1b46696e616e6369616c20436f6e6475637420"
                                      "417574686f726974790c0647422d464341";

static struct span from_hex(const char *hex, uint8_t out[512])
{
    size_t len = 0;
    for (const char *at = hex; *at != '\0'; at++) {
        if (*at == ' ') {
            continue;
        }
        const char digits[] = {at[0], at[1], '\0'};
        out[len++] = (uint8_t)strtoul(digits, NULL, 16);
        at++;
    }
    return span_of(out, len);
}

static struct qc_statements fca(enum qc_type type, unsigned int roles)
{
    struct qc_statements statements = {.type = type,
                                       .has_psd2 = true,
                                       .roles = roles,
                                       .nca_name = "Financial Conduct Authority",
                                       .nca_id = "GB-FCA"};
    return statements;
}

static void expect_vector(const char *hex, const struct qc_statements *wanted)
{
    uint8_t bytes[512];
    struct span der = from_hex(hex, bytes);
    struct qc_statements got;
    BUFFER_CLEANUP struct buffer written = BUFFER_INIT(QC_STATEMENTS_MAX);
    qc_statements_put(&written, wanted);
    assert_true(buffer_ok(&written));
    assert_int_equal(written.len, der.len);
    assert_memory_equal(written.data, der.data, der.len);
    assert_null(qc_statements_read(der, &got));
    assert_int_equal(got.type, wanted->type);
    assert_int_equal(got.roles, wanted->roles);
    assert_true(got.has_psd2);
    assert_false(got.roles_flattened || got.role_disagrees || got.role_unknown);
    assert_string_equal(got.nca_name, wanted->nca_name);
    assert_string_equal(got.nca_id, wanted->nca_id);
}

static void the_vectors_are_written_and_read(void **state)
{
    (void)state;
    const struct qc_statements one = fca(QC_TYPE_WEB, 1U << PSD2_AI);
    const struct qc_statements two = fca(QC_TYPE_WEB, 1U << PSD2_AI | 1U << PSD2_PI);
    expect_vector(web_ai, &one);
    expect_vector(web_pi_ai, &two);
}

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

static void every_set_of_roles_comes_back(void **state)
{
    (void)state;
    for (unsigned int roles = 1; roles < 1U << PSD2_ROLES; roles++) {
        const struct qc_statements wanted = fca(QC_TYPE_ESEAL, roles);
        struct qc_statements got;
        BUFFER_CLEANUP struct buffer written = BUFFER_INIT(QC_STATEMENTS_MAX);
        qc_statements_put(&written, &wanted);
        assert_null(qc_statements_read(buffer_span(&written), &got));
        assert_int_equal(got.roles, roles);
    }
}

/* Only an issuer states where a key lives, and that a certificate is qualified. */
static void the_issuer_s_statements_are_read_and_never_written(void **state)
{
    (void)state;
    static const char all[] =
        "3047 3008 0606 04008e460101 3008 0606 04008e460104"
        "3013 0606 04008e460106 3009 0607 04008e46010602"
        "301c 0606 04008e460105 3012 3010 160a 68747470733a2f2f612f 1302 656e";
    uint8_t bytes[512];
    struct qc_statements got;
    assert_null(qc_statements_read(from_hex(all, bytes), &got));
    assert_true(got.has_compliance && got.has_sscd && !got.has_psd2);
    assert_int_equal(got.type, QC_TYPE_ESEAL);
    assert_string_equal(got.pds, "https://a/");
    BUFFER_CLEANUP struct buffer written = BUFFER_INIT(QC_STATEMENTS_MAX);
    qc_statements_put(&written, &got);
    assert_null(qc_statements_read(buffer_span(&written), &got));
    assert_false(got.has_compliance || got.has_sscd);
    assert_string_equal(got.pds, "");
}

#define TYPE(n) "3013 0606 04008e460106 3009 0607 04008e460106" n
#define PSD2(len, rest) "30" len "0606 040081982702" rest
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

static void organization_identifiers_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *scheme, *country, *nca, *id;
    } good[] = {
        {"PSDFI-FINFSA-1234567-8", "PSD", "FI", "FINFSA", "1234567-8"},
        {"PSDGB-FCA-123456", "PSD", "GB", "FCA", "123456"},
        {"PSDGB-OB-Unknown0015800001041RHAAY", "PSD", "GB", "OB", "Unknown0015800001041RHAAY"},
        {"PSDBE-NBB-PI:0123.456 789", "PSD", "BE", "NBB", "PI:0123.456 789"},
        {"VATDE-123456789", "VAT", "DE", "", "123456789"},
        {"LEIXG-5493001KJTIIGC8Y1R12", "LEI", "XG", "", "5493001KJTIIGC8Y1R12"},
        {"OFBBR-d7384bd0-842f-43c5-be02-9d2b2d5efc2c", "OFB", "BR", "",
         "d7384bd0-842f-43c5-be02-9d2b2d5efc2c"},
    };
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct organization_id id;
        assert_null(organization_id_read(span_of_text(good[i].text), &id));
        assert_string_equal(id.scheme, good[i].scheme);
        assert_string_equal(id.country, good[i].country);
        assert_string_equal(id.nca, good[i].nca);
        assert_string_equal(id.id, good[i].id);
    }
    static const struct {
        const char *text, *fault;
    } bad[] = {
        {"", "does not begin with PSD"},
        {"XYZGB-1", "does not begin with PSD"},
        {"PSD", "no country of two letters"},
        {"PSDgb-FCA-1", "no country of two letters"},
        {"PSDGBR-FCA-1", "no country of two letters"},
        {"PSDGB-", "no authority of 2 to 8"},
        {"PSDGB-FCA", "no authority of 2 to 8"},
        {"PSDGB-F-1", "no authority of 2 to 8"},
        {"PSDGB-ABCDEFGHI-1", "no authority of 2 to 8"},
        {"PSDGB-fca-1", "no authority of 2 to 8"},
        {"PSDGB-FCA-", "its last part is empty"},
        {"PSDGB-FCA- 1", "its last part is empty"},
        {"PSDGB-FCA-1;2", "its last part is empty, or has other characters"},
        {"VATDE-", "its last part is empty"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct organization_id id;
        const char *fault = organization_id_read(span_of_text(bad[i].text), &id);
        assert_non_null(fault);
        assert_non_null(strstr(fault, bad[i].fault));
        assert_string_equal(id.scheme, "");
    }
    char text[200] = "VATDE-";
    memset(text + 6, '1', 123);
    struct organization_id id;
    assert_non_null(strstr(organization_id_read(span_of_text(text), &id), "longer than 128"));
}

static void names_are_short_plain_text(void **state)
{
    (void)state;
    char text[4 * PSD2_NAME_MAX + 8] = "";
    for (size_t i = 0; i < PSD2_NAME_MAX; i++) {
        memcpy(text + 2 * i, "\xc3\xa9", 2);
    }
    assert_null(psd2_name_fault(span_of_text(text)));
    memcpy(text + strlen(text), "a", 2);
    assert_string_equal(psd2_name_fault(span_of_text(text)), "it is longer than 256 characters");
    assert_string_equal(psd2_name_fault(span_of_text("")), "it is empty");
    assert_string_equal(psd2_name_fault(span_of_text("\xff")), "it is not UTF-8");
    assert_string_equal(psd2_name_fault(span_of_text("a\x1b[2J")), "it has control characters");
    assert_string_equal(psd2_name_fault(span_of_text("a\xc2\x9b")), "it has control characters");
    assert_null(psd2_nca_id_fault(span_of_text("DE-BAFIN")));
    static const char *const bad[] = {"", "GB", "GB-", "gb-FCA", "GBR-FCA", "GB-F", "GB-FCA-1"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_non_null(psd2_nca_id_fault(span_of_text(bad[i])));
    }
    enum psd2_role role;
    assert_true(psd2_role_from_name(span_of_text("PSP_IC"), &role));
    assert_string_equal(psd2_role_name(role), "PSP_IC");
    assert_false(psd2_role_from_name(span_of_text("psp_ic"), &role));
    assert_string_equal(qc_type_name(QC_TYPE_ESEAL), "eseal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_are_written_and_read),
        cmocka_unit_test(flattened_roles_are_read_and_reported),
        cmocka_unit_test(every_set_of_roles_comes_back),
        cmocka_unit_test(the_issuer_s_statements_are_read_and_never_written),
        cmocka_unit_test(each_fault_has_its_reason),
        cmocka_unit_test(roles_are_told_by_their_oid),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(organization_identifiers_are_taken_apart),
        cmocka_unit_test(names_are_short_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
