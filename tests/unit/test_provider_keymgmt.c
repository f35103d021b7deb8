/* SPDX-License-Identifier: Apache-2.0
 * What may be learnt of a delegated key, and that the private half never comes out. */
#include "provider_rig.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <stdlib.h>

static struct rig *rig;
static OSSL_LIB_CTX *context;

static int setup(void **state)
{
    (void)state;
    rig = rig_open();
    context = rig_context(rig, NULL, "", NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    OSSL_LIB_CTX_free(context);
    rig_close(rig);
    return 0;
}

static EVP_PKEY *load(enum rig_key key)
{
    char *pem = rig_reference(rig, key, rig->socket);
    EVP_PKEY *out = rig_load(context, pem);
    free(pem);
    assert_non_null(out);
    return out;
}

static void measures_are_those_of_the_plain_key(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        EVP_PKEY *key = load((enum rig_key)i);
        EVP_PKEY *plain = rig->keys[i];
        char name[64];
        char plain_name[64];
        assert_int_equal(EVP_PKEY_get_bits(key), EVP_PKEY_get_bits(plain));
        assert_int_equal(EVP_PKEY_get_security_bits(key), EVP_PKEY_get_security_bits(plain));
        assert_int_equal(EVP_PKEY_get_size(key), EVP_PKEY_get_size(plain));
        assert_int_equal(EVP_PKEY_get_id(key), EVP_PKEY_get_id(plain));
        assert_int_equal(EVP_PKEY_get_default_digest_name(key, name, sizeof(name)),
                         EVP_PKEY_get_default_digest_name(plain, plain_name, sizeof(plain_name)));
        assert_string_equal(name, plain_name);
        assert_string_equal(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), "qseal");
        EVP_PKEY_free(key);
    }
    ERR_clear_error();
}

static void compare_number(const EVP_PKEY *a, const EVP_PKEY *b, const char *name)
{
    BIGNUM *x = NULL;
    BIGNUM *y = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(a, name, &x), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(b, name, &y), 1);
    assert_int_equal(BN_cmp(x, y), 0);
    BN_free(x);
    BN_free(y);
}

static void public_numbers_are_the_same(void **state)
{
    (void)state;
    char group[32];
    size_t len;
    unsigned char point[256];
    EVP_PKEY *key = load(RIG_RSA);
    compare_number(key, rig->keys[RIG_RSA], OSSL_PKEY_PARAM_RSA_N);
    compare_number(key, rig->keys[RIG_RSA], OSSL_PKEY_PARAM_RSA_E);
    EVP_PKEY_free(key);
    key = load(RIG_P384);
    compare_number(key, rig->keys[RIG_P384], OSSL_PKEY_PARAM_EC_PUB_X);
    compare_number(key, rig->keys[RIG_P384], OSSL_PKEY_PARAM_EC_PUB_Y);
    assert_int_equal(EVP_PKEY_get_group_name(key, group, sizeof(group), &len), 1);
    assert_string_equal(group, "secp384r1");
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len),
        1);
    assert_int_equal(len, 97);
    assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, 96, &len),
                     0);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

static void public_keys_are_written(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        EVP_PKEY *key = load((enum rig_key)i);
        unsigned char *one = NULL;
        unsigned char *other = NULL;
        int len = i2d_PUBKEY(key, &one);
        assert_true(len > 0);
        assert_int_equal(i2d_PUBKEY(rig->keys[i], &other), len);
        assert_memory_equal(one, other, (size_t)len);
        OPENSSL_free(one);
        OPENSSL_free(other);
        EVP_PKEY_free(key);
    }
}

static void private_keys_are_not(void **state)
{
    (void)state;
    static const char reason[] = "private key stays in the HSM";
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        EVP_PKEY *key = load((enum rig_key)i);
        OSSL_PARAM *params = NULL;
        BIO *bio = BIO_new(BIO_s_mem());
        ERR_clear_error();
        assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 0);
        assert_null(params);
        assert_true(rig_saw_error(reason, rig_role((enum rig_key)i)));
        assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 0);
        assert_int_equal(BIO_pending(bio), 0);
        ERR_clear_error();
        assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &params), 1);
        assert_null(OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_PRIV_KEY));
        assert_null(OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_RSA_D));
        OSSL_PARAM_free(params);
        BIO_free(bio);
        EVP_PKEY_free(key);
    }
    ERR_clear_error();
}

static void keys_are_compared(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        EVP_PKEY *key = load((enum rig_key)i);
        EVP_PKEY *again = load((enum rig_key)i);
        EVP_PKEY *copy = EVP_PKEY_dup(key);
        assert_int_equal(EVP_PKEY_eq(key, again), 1);
        assert_int_equal(EVP_PKEY_eq(key, copy), 1);
        assert_int_equal(EVP_PKEY_eq(key, rig->keys[i]), 1);
        assert_int_equal(EVP_PKEY_eq(rig->keys[i], key), 1);
        assert_int_equal(X509_check_private_key(rig->certificates[i], key), 1);
        assert_int_equal(ERR_peek_error(), 0);
        for (unsigned int j = 0; j < RIG_KEYS; j++) {
            if (j != i) {
                assert_int_not_equal(EVP_PKEY_eq(key, rig->keys[j]), 1);
                assert_int_equal(X509_check_private_key(rig->certificates[j], key), 0);
                ERR_clear_error();
            }
        }
        EVP_PKEY_free(copy);
        EVP_PKEY_free(again);
        EVP_PKEY_free(key);
    }
}

static void another_key_of_the_type_does_not_match(void **state)
{
    (void)state;
    struct rig *other = rig_open();
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        EVP_PKEY *key = load((enum rig_key)i);
        assert_int_equal(X509_check_private_key(other->certificates[i], key), 0);
        assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), X509_R_KEY_VALUES_MISMATCH);
        ERR_clear_error();
        EVP_PKEY_free(key);
    }
    rig_close(other);
}

static EVP_PKEY *generate(const char *properties)
{
    EVP_PKEY *ec = EVP_PKEY_Q_keygen(context, properties, "EC", "P-256");
    assert_non_null(ec);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(ec)), "default");
    return ec;
}

static void other_keys_stay_with_the_default_provider(void **state)
{
    (void)state;
    EVP_PKEY *ec = generate(NULL);
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(context, NULL, "RSA", (size_t)2048);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(rsa)), "default");
    EVP_SIGNATURE *ecdsa = EVP_SIGNATURE_fetch(context, "ECDSA", NULL);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_SIGNATURE_get0_provider(ecdsa)), "default");
    EVP_SIGNATURE_free(ecdsa);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, ec, NULL, NULL, 0, NULL, NULL), 1);
    EVP_PKEY *read = PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, context, NULL);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(read)), "default");
    BIO_free(bio);
    EVP_PKEY_free(read);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    assert_int_equal(ERR_peek_error(), 0);
}

static void nothing_is_imported_or_generated(void **state)
{
    (void)state;
    EVP_PKEY *out = NULL;
    EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_from_name(context, "EC", "provider=qseal");
    assert_non_null(making);
    assert_true(EVP_PKEY_keygen_init(making) <= 0);
    assert_true(EVP_PKEY_fromdata_init(making) <= 0 ||
                EVP_PKEY_fromdata(making, &out, EVP_PKEY_PUBLIC_KEY, NULL) <= 0);
    assert_null(out);
    EVP_PKEY_CTX_free(making);
    ERR_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_are_those_of_the_plain_key),
        cmocka_unit_test(public_numbers_are_the_same),
        cmocka_unit_test(public_keys_are_written),
        cmocka_unit_test(private_keys_are_not),
        cmocka_unit_test(keys_are_compared),
        cmocka_unit_test(another_key_of_the_type_does_not_match),
        cmocka_unit_test(other_keys_stay_with_the_default_provider),
        cmocka_unit_test(nothing_is_imported_or_generated),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
