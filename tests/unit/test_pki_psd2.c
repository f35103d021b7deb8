/* SPDX-License-Identifier: Apache-2.0
 * qcStatements written, and the texts of a PSP. */
#include "pki/psd2.h"

#include "check.h"
#include "psd2_vectors.h"

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
        cmocka_unit_test(every_set_of_roles_comes_back),
        cmocka_unit_test(the_issuer_s_statements_are_read_and_never_written),
        cmocka_unit_test(organization_identifiers_are_taken_apart),
        cmocka_unit_test(names_are_short_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
