/* SPDX-License-Identifier: Apache-2.0
 * Public key objects as SubjectPublicKeyInfo, with the spellings that tokens use. */
#include "check.h"

#include "pkcs11/spki.h"
#include "room_fixture.h"

#include <stdio.h>
#include <string.h>

/* RFC 8037 Appendix A.2's public key. */
static const uint8_t ed25519[32] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
/* The generator of P-256 (FIPS 186-4 D.1.2.3), as good a point as any. */
static const uint8_t p256[65] = {0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc,
                                 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
                                 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
                                 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb,
                                 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31,
                                 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

/* A token that holds one object, told by these. */
static struct {
    CK_KEY_TYPE type;
    struct span params, point, modulus, exponent;
} object;

static CK_RV lie(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *template,
                 CK_ULONG n)
{
    (void)session;
    (void)handle;
    assert_int_equal(n, 1);
    const struct {
        CK_ATTRIBUTE_TYPE type;
        struct span value;
    } values[] = {
        {CKA_KEY_TYPE, span_of(&object.type, sizeof object.type)},
        {CKA_EC_PARAMS, object.params},
        {CKA_EC_POINT, object.point},
        {CKA_MODULUS, object.modulus},
        {CKA_PUBLIC_EXPONENT, object.exponent},
    };
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        if (values[i].type != template->type) {
            continue;
        }
        if (values[i].value.len > template->ulValueLen) {
            return CKR_BUFFER_TOO_SMALL;
        }
        if (values[i].value.len > 0) {
            memcpy(template->pValue, values[i].value.data, values[i].value.len);
        }
        template->ulValueLen = values[i].value.len;
        return CKR_OK;
    }
    return CKR_ATTRIBUTE_TYPE_INVALID;
}

static struct quirks quirks;

static enum outcome read_object(enum key_type *type, struct buffer *spki, struct reason *why)
{
    CK_FUNCTION_LIST calls = {.C_GetAttributeValue = lie};
    struct session session = {.calls = &calls, .quirks = &quirks};
    buffer_reset(spki);
    return spki_read(&session, 1, type, spki, why);
}

static struct span octet_string(struct span point, uint8_t out[160])
{
    size_t header = point.len < 128 ? 2 : 3;
    out[0] = 0x04;
    out[1] = 0x81;
    out[header - 1] = (uint8_t)point.len;
    memcpy(out + header, point.data, point.len);
    return span_of(out, header + point.len);
}

static void test_spellings_of_one_key(void **state)
{
    (void)state;
    static const uint8_t name[] = "\x13\x0c"
                                  "edwards25519";
    static const uint8_t short_name[] = "\x13\x07"
                                        "Ed25519";
    const struct span params[] = {spki_curve_params(KEY_ED25519, false),
                                  span_of(name, sizeof name - 1),
                                  span_of(short_name, sizeof short_name - 1)};
    static const uint8_t der[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                  0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}; /* RFC 8410 §4 */
    uint8_t wrapped[160];
    struct span points[] = {span_of(ed25519, sizeof ed25519), {NULL, 0}};
    points[1] = octet_string(points[0], wrapped);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    for (size_t i = 0; i < COUNT_OF(params); i++) {
        for (size_t j = 0; j < COUNT_OF(points); j++) {
            object.type = CKK_EC_EDWARDS;
            object.params = params[i];
            object.point = points[j];
            enum key_type type;
            struct reason why = {0};
            assert_done(read_object(&type, &spki, &why), why);
            assert_int_equal(type, KEY_ED25519);
            assert_int_equal(spki.len, sizeof der + sizeof ed25519);
            assert_memory_equal(spki.data, der, sizeof der);
            assert_memory_equal(spki.data + sizeof der, ed25519, sizeof ed25519);
        }
    }
    assert_true(span_equal(spki_curve_params(KEY_ED25519, true), params[1]));
}

static void test_bare_and_wrapped_point(void **state)
{
    (void)state;
    uint8_t wrapped[160];
    BUFFER_CLEANUP struct buffer one = BUFFER_INIT(1024);
    BUFFER_CLEANUP struct buffer other = BUFFER_INIT(1024);
    enum key_type type;
    struct reason why = {0};
    object.type = CKK_EC;
    object.params = spki_curve_params(KEY_P256, false);
    object.point = span_of(p256, sizeof p256);
    quirks = (struct quirks){0};
    assert_done(read_object(&type, &one, &why), why);
    assert_int_equal(atomic_load(&quirks.found), 1U << QUIRK_BARE_POINT);
    quirks = (struct quirks){0};
    object.point = octet_string(object.point, wrapped);
    assert_done(read_object(&type, &other, &why), why);
    assert_int_equal(atomic_load(&quirks.looked), 1U << QUIRK_BARE_POINT);
    assert_int_equal(atomic_load(&quirks.found), 0);
    assert_int_equal(type, KEY_P256);
    assert_true(span_equal(buffer_span(&one), buffer_span(&other)));
    assert_int_equal(one.len, 91);
}

static void assert_mismatch(const char *reason)
{
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    enum key_type type;
    struct reason why = {0};
    assert_refused(read_object(&type, &spki, &why), OUTCOME_KEY_MISMATCH, why, reason);
}

static void test_refused(void **state)
{
    (void)state;
    static const uint8_t secp256k1[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a};
    uint8_t point[sizeof p256];
    object.type = CKK_DSA;
    assert_mismatch("CKA_KEY_TYPE 0x1 is not used here");
    object.type = CKK_EC;
    object.params = span_of(secp256k1, sizeof secp256k1);
    object.point = span_of(p256, sizeof p256);
    assert_mismatch("CKA_EC_PARAMS names no curve");
    object.params = spki_curve_params(KEY_ED25519, false); /* an Edwards curve of the wrong type */
    assert_mismatch("CKA_EC_PARAMS names no curve");
    object.params = spki_curve_params(KEY_P256, false);
    object.point = span_of(p256, 33);
    assert_mismatch("CKA_EC_POINT is no uncompressed point of p-256");
    object.point = span_of(p256, 0);
    assert_mismatch("CKA_EC_POINT is no uncompressed point of p-256");
    memcpy(point, p256, sizeof point);
    point[64] ^= 1;
    object.point = span_of(point, sizeof point); /* not on the curve */
    assert_mismatch("not a valid key");
    point[0] = 0x06;
    assert_mismatch("not a valid key");
}

static void test_rsa_sizes(void **state)
{
    (void)state;
    static const uint8_t exponent[] = {1, 0, 1};
    uint8_t modulus[512];
    memset(modulus, 0xa5, sizeof modulus);
    object.type = CKK_RSA;
    object.exponent = span_of(exponent, sizeof exponent);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    const struct {
        size_t len;
        enum key_type type;
    } sizes[] = {{256, KEY_RSA_2048}, {384, KEY_RSA_3072}, {512, KEY_RSA_4096}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        enum key_type type;
        struct reason why = {0};
        object.modulus = span_of(modulus, sizes[i].len);
        assert_done(read_object(&type, &spki, &why), why);
        assert_int_equal(type, sizes[i].type);
    }
    object.modulus = span_of(modulus, 128);
    assert_mismatch("RSA keys have 2048, 3072 or 4096 bits, not 1024");
    modulus[0] = 0x25;
    object.modulus = span_of(modulus, 256);
    assert_mismatch("not 2046");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spellings_of_one_key),
        cmocka_unit_test(test_bare_and_wrapped_point),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_rsa_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
