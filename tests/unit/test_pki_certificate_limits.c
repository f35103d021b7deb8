/* SPDX-License-Identifier: Apache-2.0
 * What is refused of a stranger's certificates before libcrypto reads them. */
#include "pki/certificate_limits.h"

#include "check.h"
#include "hostile_certificate.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdlib.h>

static const char not_der[] = "its certificates are not DER";

/* Of P-256, on no curve: nobody looks. */
static const uint8_t spki[91] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                                 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

static const char *fault_of(struct certificate_tally *chain, const struct buffer *der)
{
    uint8_t *exact = malloc(der->len > 0 ? der->len : 1);
    assert_non_null(exact);
    memcpy(exact, der->data, der->len);
    const char *fault = certificate_limits_fault(chain, span_of(exact, der->len));
    free(exact);
    return fault != NULL ? fault : "";
}

static const char *fault_of_one(const struct hostile *how)
{
    struct hostile with_key = *how;
    HOSTILE_BUFFER(der);
    struct certificate_tally chain = {0};
    with_key.spki = span_of(spki, sizeof spki);
    hostile_put(&der, &with_key);
    return fault_of(&chain, &der);
}

static void test_limits(void **state)
{
    (void)state;
    static const struct {
        struct hostile most;
        struct hostile more;
        const char *fault;
    } rows[] = {
        {{.issuer_len = 1024},
         {.issuer_len = 1025},
         "a certificate's issuer or subject is longer than 1 KB"},
        {{.subject_len = 1024},
         {.subject_len = 1025},
         "a certificate's issuer or subject is longer than 1 KB"},
        {{.points = 32}, {.points = 33}, "its certificates have over 32 CRL distribution points"},
        {{.alt_names = 256}, {.alt_names = 257}, "its certificates have over 256 names"},
        {{.subtrees = 512}, {.subtrees = 513}, "its certificates have over 512 name constraints"},
        {{.others = 64}, {.others = 65}, "a certificate has over 64 extensions"},
        {{.points = 1, .others = 63}, {.points = 1, .others = 64}, "over 64 extensions"},
        {{.filling = 16000}, {.filling = 16384}, "a certificate is longer than 16 KB"},
        {{.issuer_len = 20},
         {.issuer_len = 110000, .points = 5500},
         "a certificate is longer than 16 KB"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(fault_of_one(&rows[i].most), "");
        assert_non_null(strstr(fault_of_one(&rows[i].more), rows[i].fault));
    }
}

/* What counts for all certificates together. */
static void test_chain(void **state)
{
    (void)state;
    static const struct {
        struct hostile how;
        size_t n; /* that pass */
        const char *fault;
    } rows[] = {
        {{.points = 16}, 2, "its certificates have over 32 CRL distribution points"},
        {{.alt_names = 100}, 2, "its certificates have over 256 names"},
        {{.subtrees = 256}, 2, "its certificates have over 512 name constraints"},
        {{.filling = 16000}, 4, "its certificates are longer than 64 KB"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct hostile how = rows[i].how;
        struct certificate_tally chain = {0};
        HOSTILE_BUFFER(der);
        how.spki = span_of(spki, sizeof spki);
        hostile_put(&der, &how);
        for (size_t j = 0; j < rows[i].n; j++) {
            assert_string_equal(fault_of(&chain, &der), "");
        }
        assert_string_equal(fault_of(&chain, &der), rows[i].fault);
    }
}

static const struct hostile some = {
    .spki = {spki, sizeof spki}, .points = 2, .alt_names = 3, .subtrees = 2, .others = 2};

static void assert_counted(const struct certificate_tally *chain, const struct buffer *der)
{
    const unsigned char *at = der->data;
    X509 *certificate = d2i_X509(NULL, &at, (long)der->len);
    if (certificate != NULL) {
        GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
        CRL_DIST_POINTS *points =
            X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
        NAME_CONSTRAINTS *limits = X509_get_ext_d2i(certificate, NID_name_constraints, NULL, NULL);
        assert_true(sk_GENERAL_NAME_num(names) <= (int)chain->alt_names);
        assert_true(sk_DIST_POINT_num(points) <= (int)chain->points);
        if (limits != NULL) {
            int n = sk_GENERAL_SUBTREE_num(limits->excludedSubtrees);
            assert_true(n <= (int)chain->subtrees);
        }
        GENERAL_NAMES_free(names);
        CRL_DIST_POINTS_free(points);
        NAME_CONSTRAINTS_free(limits);
    }
    X509_free(certificate);
    ERR_clear_error();
}

/* Every change of one bit, and every shorter one. What passes and libcrypto reads has no more
 * extensions there than were counted here. */
static void test_changes(void **state)
{
    (void)state;
    HOSTILE_BUFFER(der);
    size_t refused = 0;
    hostile_put(&der, &some);
    for (size_t i = 0; i < der.len * 8; i++) {
        struct certificate_tally chain = {0};
        der.data[i / 8] ^= (uint8_t)(1U << i % 8);
        const char *fault = fault_of(&chain, &der);
        assert_true(fault[0] == '\0' || strcmp(fault, not_der) == 0);
        refused += fault[0] != '\0';
        if (fault[0] == '\0') {
            assert_counted(&chain, &der);
        }
        assert_true(chain.points <= 4 && chain.alt_names <= 6 && chain.subtrees <= 4);
        der.data[i / 8] ^= (uint8_t)(1U << i % 8);
    }
    assert_true(refused > der.len);
    for (size_t whole = der.len; der.len > 0;) {
        struct certificate_tally chain = {0};
        buffer_cut(&der, der.len - 1);
        assert_true(der.len < whole);
        assert_string_equal(fault_of(&chain, &der), not_der);
    }
}

/* libcrypto reads BER; what is hidden in it is not counted, so it is refused. */
static void test_ber(void **state)
{
    (void)state;
    HOSTILE_BUFFER(der);
    hostile_put(&der, &some);
    static const char list[] = "\x30\x22\x30\x0F\xA0\x0D"; /* of the two points */
    uint8_t *at = memmem(der.data, der.len, list, sizeof list - 1);
    assert_non_null(at);
    struct certificate_tally chain = {0};
    assert_string_equal(fault_of(&chain, &der), "");
    assert_int_equal(chain.points, 2);
    assert_int_equal(chain.alt_names, 3);
    assert_int_equal(chain.subtrees, 2);
    assert_int_equal(chain.len, der.len);
    at[1] = 0x80; /* indefinite length */
    assert_string_equal(fault_of(&chain, &der), not_der);
    at[1] = 0x22;
    at[-2] = 0x24; /* a constructed OCTET STRING */
    assert_string_equal(fault_of(&chain, &der), not_der);
}

/* Version 1 has no extensions. */
static void test_without_extensions(void **state)
{
    (void)state;
    const struct hostile none = {.issuer_len = 0};
    assert_string_equal(fault_of_one(&none), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_ber),
        cmocka_unit_test(test_without_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
