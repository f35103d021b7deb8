/* SPDX-License-Identifier: Apache-2.0
 * Whose words the reference's public key is in. */
#include "signing/key_reference.h"

#include "certificate_support.h"
#include "keyring/reference.h"
#include "keyring_support.h"

static void expect_same(const struct key *key, EVP_PKEY *words)
{
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(4096);
    BUFFER_CLEANUP struct buffer wanted = BUFFER_INIT(4096);
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(words, &der);
    key_reference_put(&pem, key, "/run/q.sock");
    reference_put_pem(&wanted, key->role, "/run/q.sock", key->public_key,
                      span_of(der, (size_t)len));
    assert_string_equal(buffer_text(&pem), buffer_text(&wanted));
    OPENSSL_free(der);
}

static void the_certificate_s_or_else_the_keyring_s(void **state)
{
    (void)state;
    EVP_PKEY *rsa = make_pkey(KEY_RSA_2048);
    EVP_PKEY *pss = pss_of(rsa);
    struct key key = key_of("tls", "hsm-a", 1, 1U << ALG_PS256, public_key_of(rsa));
    expect_same(&key, rsa);
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(8192);
    const struct issue issue = {.subject = "leaf", .issuer = "ca"};
    put_issued(&chain, &issue, pss, rsa);
    key.chain_pem = (char *)(uintptr_t)buffer_text(&chain);
    expect_same(&key, pss);
    key.chain_pem = NULL; /* the buffer's */
    key_fini(&key);
    EVP_PKEY_free(pss);
    EVP_PKEY_free(rsa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_certificate_s_or_else_the_keyring_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
