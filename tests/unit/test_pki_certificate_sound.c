/* SPDX-License-Identifier: Apache-2.0
 * Chains that nobody who checks them could accept. */
#include "pki/certificate.h"

#include "base/clock.h"
#include "certificate_support.h"

struct stand {
    EVP_PKEY *middle, *leaf, *weak;
    struct buffer spki; /* of the leaf */
    struct buffer text, pem;
};

static const struct issue of_middle = {
    .subject = "Middle", .issuer = "Root", .constraints = "critical,CA:TRUE"};
static const struct issue of_leaf = {.subject = "Bank", .issuer = "Middle"};

static int setup(void **state)
{
    static struct stand stand;
    stand = (struct stand){
        .middle = EVP_EC_gen("P-256"),
        .leaf = EVP_EC_gen("P-256"),
        .weak = EVP_RSA_gen(1024),
        .spki = BUFFER_INIT(1024),
        .text = BUFFER_INIT(20000),
        .pem = BUFFER_INIT(CERTIFICATES_TEXT_MAX),
    };
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(stand.leaf, &der);
    buffer_put(&stand.spki, der, (size_t)len);
    OPENSSL_free(der);
    *state = &stand;
    return 0;
}

static int teardown(void **state)
{
    struct stand *stand = *state;
    EVP_PKEY_free(stand->middle);
    EVP_PKEY_free(stand->leaf);
    EVP_PKEY_free(stand->weak);
    buffer_fini(&stand->spki);
    buffer_fini(&stand->text);
    buffer_fini(&stand->pem);
    return 0;
}

/* `fragment` NULL: it is taken. */
static void expect(struct stand *stand, const char *fragment)
{
    const struct certificate_owner owner = {.purpose = PURPOSE_TRANSPORT,
                                            .spki = buffer_span(&stand->spki)};
    struct certificate_facts facts = {.warnings = 0};
    struct reason why = {0};
    buffer_reset(&stand->pem);
    enum outcome outcome = certificate_chain_read(buffer_span(&stand->text), &owner, clock_wall_s(),
                                                  &stand->pem, &facts, &why);
    if (fragment == NULL) {
        assert_done(outcome, why);
    } else {
        assert_refused(outcome, OUTCOME_RULE, why, fragment);
    }
    buffer_reset(&stand->text);
}

static void an_authority_is_no_leaf_and_a_leaf_no_authority(void **state)
{
    struct stand *stand = *state;
    struct issue leaf = of_leaf;
    struct issue middle = of_middle;
    leaf.constraints = "critical,CA:TRUE";
    put_issued(&stand->text, &leaf, stand->leaf, stand->middle);
    expect(stand, "certificate 1: it is a CA's (basicConstraints CA:TRUE)");
    leaf.constraints = "CA:FALSE";
    put_issued(&stand->text, &leaf, stand->leaf, stand->middle);
    put_issued(&stand->text, &middle, stand->middle, stand->leaf);
    expect(stand, NULL);
    static const char *const others[] = {NULL, "CA:FALSE"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        middle.constraints = others[i];
        put_issued(&stand->text, &of_leaf, stand->leaf, stand->middle);
        put_issued(&stand->text, &middle, stand->middle, stand->leaf);
        expect(stand, "certificate 2: it issued another one, and is no CA's (basicConstraints)");
    }
}

static void weak_hashes_and_keys_are_refused(void **state)
{
    struct stand *stand = *state;
    struct issue leaf = of_leaf;
    const EVP_MD *const weak[] = {EVP_sha1(), EVP_md5()};
    EVP_PKEY *rsa = EVP_RSA_gen(2048);
    for (size_t i = 0; i < COUNT_OF(weak); i++) {
        leaf.digest = weak[i];
        put_issued(&stand->text, &leaf, stand->leaf, rsa);
        expect(stand, "certificate 1: it is signed with MD5, SHA-1 or something unknown");
    }
    leaf.digest = EVP_sha384();
    put_issued(&stand->text, &leaf, stand->leaf, rsa);
    expect(stand, NULL);
    EVP_PKEY_free(rsa);
    put_issued(&stand->text, &of_leaf, stand->leaf, stand->weak);
    put_issued(&stand->text, &of_middle, stand->weak, stand->leaf);
    expect(stand, "certificate 2: its public key is too weak: RSA of 2048 bits or P-256");
}

static void an_unknown_critical_extension_is_named(void **state)
{
    struct stand *stand = *state;
    struct issue leaf = of_leaf;
    leaf.critical_oid = "1.3.6.1.4.1.55555.7";
    put_issued(&stand->text, &leaf, stand->leaf, stand->middle);
    expect(stand, "certificate 1 has the critical extension 1.3.6.1.4.1.55555.7");
    struct issue middle = of_middle;
    middle.critical_oid = leaf.critical_oid;
    put_issued(&stand->text, &of_leaf, stand->leaf, stand->middle);
    put_issued(&stand->text, &middle, stand->middle, stand->leaf);
    expect(stand, "certificate 2 has the critical extension");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_authority_is_no_leaf_and_a_leaf_no_authority, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(weak_hashes_and_keys_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_critical_extension_is_named, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
