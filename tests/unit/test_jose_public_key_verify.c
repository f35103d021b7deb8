/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/public_key.h"
#include "jose_support.h"

#include <openssl/err.h>

#include <pthread.h>

struct made {
    EVP_PKEY *pkeys[KEY_TYPE_COUNT];
    struct public_key *keys[KEY_TYPE_COUNT];
};

/* One key of each type, for all tests of this file. RSA-4096 takes a second or two. */
static int make_keys(void **state)
{
    static struct made made;
    for (unsigned int i = 0; i < KEY_TYPE_COUNT; i++) {
        made.pkeys[i] = make_pkey((enum key_type)i);
        made.keys[i] = public_key_of(made.pkeys[i]);
    }
    *state = &made;
    return 0;
}

static int free_keys(void **state)
{
    struct made *made = *state;
    for (unsigned int i = 0; i < KEY_TYPE_COUNT; i++) {
        EVP_PKEY_free(made->pkeys[i]);
        public_key_free(made->keys[i]);
    }
    return 0;
}

static const char message[] = "eyJ9.e30";

static struct span input_of(void)
{
    return span_of_text(message);
}

/* Each algorithm with each key type: good where they fit, refused with every other key and
 * algorithm, refused when a bit of input or signature is turned or a byte more or less is there. */
static void each_signature_is_good_for_itself_only(void **state)
{
    struct made *made = *state;
    for (unsigned int a = 0; a < ALG_COUNT; a++) {
        for (unsigned int k = 0; k < KEY_TYPE_COUNT; k++) {
            if (!alg_fits_key((enum alg)a, (enum key_type)k)) {
                continue;
            }
            uint8_t sig[SIGNATURE_MAX + 1] = {0};
            size_t len = sign_with(made->pkeys[k], (enum alg)a, -1, input_of(), sig);
            assert_int_equal(len, key_type_signature_len((enum key_type)k));
            for (unsigned int b = 0; b < ALG_COUNT; b++) {
                for (unsigned int j = 0; j < KEY_TYPE_COUNT; j++) {
                    assert_int_equal(public_key_verify(made->keys[j], (enum alg)b, input_of(),
                                                       span_of(sig, len)),
                                     a == b && k == j);
                }
            }
            const struct public_key *key = made->keys[k];
            assert_false(
                public_key_verify(key, (enum alg)a, span_of_text("eyJ9.e31"), span_of(sig, len)));
            assert_false(public_key_verify(key, (enum alg)a, input_of(), span_of(sig, len - 1)));
            assert_false(public_key_verify(key, (enum alg)a, input_of(), span_of(sig, len + 1)));
            assert_false(public_key_verify(key, (enum alg)a, input_of(), span_of(NULL, 0)));
            for (size_t at = 0; at < len; at += 13) {
                sig[at] ^= 4;
                assert_false(public_key_verify(key, (enum alg)a, input_of(), span_of(sig, len)));
                sig[at] ^= 4;
            }
        }
    }
    assert_int_equal(ERR_peek_error(), 0); /* the queue does not grow */
}

/* In TLS 1.2 a key of any curve goes with any digest; JOSE takes none of the mixtures. */
static void tls_mixes_curves_and_digests(void **state)
{
    struct made *made = *state;
    for (unsigned int a = 0; a < ALG_COUNT; a++) {
        for (unsigned int k = 0; k < KEY_TYPE_COUNT; k++) {
            const struct public_key *key = made->keys[k];
            enum alg alg = (enum alg)a;
            bool curve = k == KEY_P256 || k == KEY_P384 || k == KEY_P521;
            uint8_t sig[SIGNATURE_MAX] = {0};
            if (!alg_fits_key(alg, (enum key_type)k) &&
                (!curve || alg_family(alg) != FAMILY_ECDSA)) {
                assert_false(public_key_verify_tls(
                    key, alg, input_of(), span_of(sig, key_type_signature_len((enum key_type)k))));
                continue;
            }
            size_t len = sign_with(made->pkeys[k], alg, -1, input_of(), sig);
            assert_true(public_key_verify_tls(key, alg, input_of(), span_of(sig, len)));
            assert_int_equal(public_key_verify(key, alg, input_of(), span_of(sig, len)),
                             alg_fits_key(alg, (enum key_type)k));
            assert_false(
                public_key_verify_tls(key, alg, span_of_text("eyJ9.e31"), span_of(sig, len)));
            assert_false(public_key_verify_tls(key, alg, input_of(), span_of(sig, len - 1)));
            assert_false(public_key_verify_tls(key, alg, input_of(), span_of(sig, len + 1)));
            sig[len / 2] ^= 4;
            assert_false(public_key_verify_tls(key, alg, input_of(), span_of(sig, len)));
        }
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void an_empty_input_can_be_signed(void **state)
{
    struct made *made = *state;
    static const enum alg algs[] = {ALG_RS256, ALG_ES256, ALG_ED25519};
    static const enum key_type types[] = {KEY_RSA_2048, KEY_P256, KEY_ED25519};
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        uint8_t sig[SIGNATURE_MAX];
        size_t len = sign_with(made->pkeys[types[i]], algs[i], -1, span_of("", 0), sig);
        assert_true(
            public_key_verify(made->keys[types[i]], algs[i], span_of(NULL, 0), span_of(sig, len)));
    }
}

/* RFC 7518 §3.5: the salt is as long as the hash; a token that takes any length must be caught. */
static void pss_salts_have_the_hash_s_length(void **state)
{
    struct made *made = *state;
    static const int salts[] = {0, 20, 31, 33, 48, 64, 222};
    uint8_t sig[SIGNATURE_MAX];
    for (size_t i = 0; i < COUNT_OF(salts); i++) {
        size_t len = sign_with(made->pkeys[KEY_RSA_2048], ALG_PS256, salts[i], input_of(), sig);
        assert_false(
            public_key_verify(made->keys[KEY_RSA_2048], ALG_PS256, input_of(), span_of(sig, len)));
    }
    size_t len = sign_with(made->pkeys[KEY_RSA_2048], ALG_PS256, 32, input_of(), sig);
    assert_true(
        public_key_verify(made->keys[KEY_RSA_2048], ALG_PS256, input_of(), span_of(sig, len)));
}

static void another_mask_generation_hash_is_refused(void **state)
{
    struct made *made = *state;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    uint8_t sig[SIGNATURE_MAX];
    size_t len = sizeof sig;
    assert_int_equal(
        EVP_DigestSignInit_ex(ctx, &pctx, "SHA256", NULL, NULL, made->pkeys[KEY_RSA_2048], NULL),
        1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, 32), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(pctx, "SHA1", NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig, &len, input_of().data, input_of().len), 1);
    EVP_MD_CTX_free(ctx);
    assert_false(
        public_key_verify(made->keys[KEY_RSA_2048], ALG_PS256, input_of(), span_of(sig, len)));
}

/* The DER form, which TLS and X.509 use, is no JOSE signature (RFC 7518 §3.4). */
static void der_signatures_are_refused(void **state)
{
    struct made *made = *state;
    uint8_t der[SIGNATURE_MAX] = {0};
    size_t len = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(
        EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, made->pkeys[KEY_P256], NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &len, input_of().data, input_of().len), 1);
    EVP_MD_CTX_free(ctx);
    assert_false(public_key_verify(made->keys[KEY_P256], ALG_ES256, input_of(), span_of(der, len)));
    assert_false(public_key_verify(made->keys[KEY_P256], ALG_ES256, input_of(), span_of(der, 64)));
}

/* r and s of 0, n and n + value: out of range although the length is right. */
static void r_and_s_out_of_range_are_refused(void **state)
{
    struct made *made = *state;
    static const enum alg algs[] = {ALG_ES256, ALG_ES384, ALG_ES512};
    for (size_t i = 0; i < COUNT_OF(algs); i++) {
        enum key_type type = (enum key_type)(KEY_P256 + i);
        size_t half = key_type_signature_len(type) / 2;
        uint8_t good[SIGNATURE_MAX];
        uint8_t bad[SIGNATURE_MAX];
        size_t len = sign_with(made->pkeys[type], algs[i], -1, input_of(), good);
        static const uint8_t fills[] = {0x00, 0xFF};
        for (size_t part = 0; part < 2; part++) {
            for (size_t f = 0; f < 2; f++) {
                memcpy(bad, good, len);
                memset(bad + part * half, fills[f], half);
                assert_false(
                    public_key_verify(made->keys[type], algs[i], input_of(), span_of(bad, len)));
            }
        }
    }
}

/* Small r and s exercise the DER encoder's zeros; none is a signature. All lengths of s. */
static void every_length_of_s_is_encoded(void **state)
{
    struct made *made = *state;
    for (size_t zeros = 0; zeros < 132; zeros++) {
        uint8_t sig[132] = {0};
        for (size_t i = zeros; i < sizeof sig; i++) {
            sig[i] = i == 66 || i == 0 ? 1 : (uint8_t)(0x80 + zeros);
        }
        assert_false(public_key_verify(made->keys[KEY_P521], ALG_ES512, input_of(),
                                       span_of(sig, sizeof sig)));
    }
    /* and many good ones, whose r and s have any number of leading zeros */
    for (int i = 0; i < 300; i++) {
        uint8_t sig[SIGNATURE_MAX];
        size_t len = sign_with(made->pkeys[KEY_P256], ALG_ES256, -1, input_of(), sig);
        assert_true(
            public_key_verify(made->keys[KEY_P256], ALG_ES256, input_of(), span_of(sig, len)));
    }
}

struct job {
    struct made *made;
    int good;
};

static void *verify_many(void *argument)
{
    struct job *job = argument;
    static const enum alg algs[] = {ALG_PS256, ALG_ES256, ALG_ED25519};
    static const enum key_type types[] = {KEY_RSA_2048, KEY_P256, KEY_ED25519};
    for (int i = 0; i < 60; i++) {
        size_t which = (size_t)i % COUNT_OF(algs);
        uint8_t sig[SIGNATURE_MAX];
        size_t len = sign_with(job->made->pkeys[types[which]], algs[which], -1, input_of(), sig);
        struct public_key *key = public_key_ref(job->made->keys[types[which]]);
        bool good = public_key_verify(key, algs[which], input_of(), span_of(sig, len));
        sig[len / 2] ^= 1;
        bool bad = public_key_verify(key, algs[which], input_of(), span_of(sig, len));
        job->good += good && !bad ? 1 : 0;
        public_key_free(key);
    }
    return NULL;
}

/* Run under TSan too. */
static void threads_share_a_key(void **state)
{
    struct job jobs[4];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        jobs[i] = (struct job){.made = *state};
        assert_int_equal(pthread_create(&threads[i], NULL, verify_many, &jobs[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(jobs[i].good, 60);
    }
}

struct first {
    const struct public_key *key;
    pthread_barrier_t *barrier;
    struct span signature;
    bool good;
};

static void *verify_first(void *argument)
{
    struct first *first = argument;
    (void)pthread_barrier_wait(first->barrier);
    first->good = public_key_verify(first->key, ALG_ES256, input_of(), first->signature);
    return NULL;
}

/* What a verification needs is made by the first one, whichever thread's that is. */
static void threads_come_first_together(void **state)
{
    enum { THREADS = 4, KEYS = 25 };
    const struct made *made = *state;
    uint8_t sig[SIGNATURE_MAX];
    size_t len = sign_with(made->pkeys[KEY_P256], ALG_ES256, -1, input_of(), sig);
    for (int i = 0; i < KEYS; i++) {
        struct public_key *key = public_key_of(made->pkeys[KEY_P256]);
        pthread_barrier_t barrier;
        struct first firsts[THREADS];
        pthread_t threads[THREADS];
        assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
        for (size_t j = 0; j < THREADS; j++) {
            firsts[j] = (struct first){key, &barrier, span_of(sig, len), false};
            assert_int_equal(pthread_create(&threads[j], NULL, verify_first, &firsts[j]), 0);
        }
        for (size_t j = 0; j < THREADS; j++) {
            assert_int_equal(pthread_join(threads[j], NULL), 0);
            assert_true(firsts[j].good);
        }
        assert_int_equal(pthread_barrier_destroy(&barrier), 0);
        public_key_free(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_signature_is_good_for_itself_only),
        cmocka_unit_test(tls_mixes_curves_and_digests),
        cmocka_unit_test(an_empty_input_can_be_signed),
        cmocka_unit_test(pss_salts_have_the_hash_s_length),
        cmocka_unit_test(another_mask_generation_hash_is_refused),
        cmocka_unit_test(der_signatures_are_refused),
        cmocka_unit_test(r_and_s_out_of_range_are_refused),
        cmocka_unit_test(every_length_of_s_is_encoded),
        cmocka_unit_test(threads_share_a_key),
        cmocka_unit_test(threads_come_first_together),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
