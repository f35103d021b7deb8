/* SPDX-License-Identifier: Apache-2.0
 * The thumbprints of RFC 7638 §3.1 and RFC 8037 §A.3, and one of an EC key. */
#include "provider/thumbprint.h"

#include "base/base64url.h"
#include "check.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>

static void expect(const struct spki *spki, const char *want)
{
    char out[44];
    thumbprint_of(spki, sha2_speed(), out);
    assert_string_equal(out, want);
    thumbprint_of(spki, sha2_portable(), out);
    assert_string_equal(out, want);
}

static void rsa_is_as_in_rfc7638(void **state)
{
    (void)state;
    static const char n[] = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7"
                            "aPFFxuhDR1L6tSoc_BJECPebWK"
                            "RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-"
                            "65YGjQR0_FDW2QvzqY368QQMic"
                            "AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"
                            "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3"
                            "XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    BUFFER_CLEANUP struct buffer modulus = BUFFER_INIT(512);
    assert_true(base64url_decode(&modulus, span_of_text(n)));
    struct spki spki = {
        .kind = KIND_RSA, .n = buffer_span(&modulus), .e = span_of("\x01\x00\x01", 3)};
    expect(&spki, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    spki.kind = KIND_RSA_PSS;
    expect(&spki, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

static void ed25519_is_as_in_rfc8037(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer x = BUFFER_INIT(64);
    assert_true(base64url_decode(&x, span_of_text("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")));
    struct spki spki = {.kind = KIND_ED25519, .crv = "Ed25519", .point = buffer_span(&x)};
    expect(&spki, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/* By hand, with libcrypto's hash: {"crv":…,"kty":"EC","x":…,"y":…} */
static void ec_is_the_hash_of_its_members(void **state)
{
    (void)state;
    static const char *const curves[] = {"P-256", "P-384", "P-521"};
    for (size_t i = 0; i < 3; i++) {
        unsigned char *der = NULL;
        unsigned char digest[32];
        struct spki spki;
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i]);
        int der_len = i2d_PUBKEY(key, &der);
        assert_true(spki_read(span_of(der, (size_t)der_len), &spki));
        size_t field = (spki.point.len - 1) / 2;
        BUFFER_CLEANUP struct buffer text = BUFFER_INIT(1024);
        BUFFER_CLEANUP struct buffer want = BUFFER_INIT(64);
        buffer_put_format(&text, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"", curves[i]);
        base64url_encode(&text, span_part(spki.point, 1, field));
        buffer_put_text(&text, "\",\"y\":\"");
        base64url_encode(&text, span_part(spki.point, 1 + field, field));
        buffer_put_text(&text, "\"}");
        assert_int_equal(EVP_Digest(text.data, text.len, digest, NULL, EVP_sha256(), NULL), 1);
        base64url_encode(&want, span_of(digest, sizeof(digest)));
        expect(&spki, buffer_text(&want));
        OPENSSL_free(der);
        EVP_PKEY_free(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_is_as_in_rfc7638),
        cmocka_unit_test(ed25519_is_as_in_rfc8037),
        cmocka_unit_test(ec_is_the_hash_of_its_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
