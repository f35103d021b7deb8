/* SPDX-License-Identifier: Apache-2.0
 * Three keys, the certificates one can make of them, and the reader they are held against. */
#ifndef QSEAL_TESTS_UNIT_CERTIFICATE_STAND_H
#define QSEAL_TESTS_UNIT_CERTIFICATE_STAND_H

#include "base/clock.h"
#include "certificate_support.h"
#include "pki/certificate.h"

struct stand {
    EVP_PKEY *root, *middle, *leaf, *rsa;
    struct buffer spki; /* of the leaf */
    struct buffer text, pem;
    struct certificate_facts facts;
    struct reason why;
};

static const struct issue of_root = {
    .subject = "Root", .issuer = "Root", .constraints = "critical,CA:TRUE"};
static const struct issue of_middle = {
    .subject = "Middle", .issuer = "Root", .constraints = "critical,CA:TRUE"};
static const struct issue of_leaf = {.subject = "M\xc3\xbcller, Bank", .issuer = "Middle"};

static inline int stand_setup(void **state)
{
    static struct stand stand;
    stand = (struct stand){
        .root = EVP_EC_gen("P-256"),
        .middle = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
        .leaf = EVP_EC_gen("P-256"),
        .rsa = EVP_RSA_gen(2048),
        .spki = BUFFER_INIT(1024),
        .text = BUFFER_INIT(200000),
        .pem = BUFFER_INIT(CERTIFICATES_TEXT_MAX),
    };
    put_spki(&stand.spki, stand.leaf);
    *state = &stand;
    return 0;
}

static inline int stand_teardown(void **state)
{
    struct stand *stand = *state;
    EVP_PKEY_free(stand->root);
    EVP_PKEY_free(stand->middle);
    EVP_PKEY_free(stand->leaf);
    EVP_PKEY_free(stand->rsa);
    buffer_fini(&stand->spki);
    buffer_fini(&stand->text);
    buffer_fini(&stand->pem);
    return 0;
}

static inline enum outcome read_as(struct stand *stand, enum purpose purpose)
{
    const struct certificate_owner owner = {.purpose = purpose, .spki = buffer_span(&stand->spki)};
    buffer_reset(&stand->pem);
    return certificate_chain_read(buffer_span(&stand->text), &owner, clock_wall_s(), &stand->pem,
                                  &stand->facts, &stand->why);
}

static inline void expect_refused(struct stand *stand, const char *fragment)
{
    assert_refused(read_as(stand, PURPOSE_TRANSPORT), OUTCOME_RULE, stand->why, fragment);
    buffer_reset(&stand->text);
}

static inline void put_leaf(struct stand *stand, const struct issue *issue)
{
    put_issued(&stand->text, issue, stand->leaf, stand->middle);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stand_setup, stand_teardown)

#endif
