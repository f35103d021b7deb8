/* SPDX-License-Identifier: Apache-2.0
 * Whose certificate is whose. */
#include "certificate_stand.h"

static void any_order_is_put_right(void **state)
{
    static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct stand *stand = *state;
    struct buffer blocks[] = {BUFFER_INIT(9999), BUFFER_INIT(9999), BUFFER_INIT(9999)};
    put_issued(&blocks[0], &of_leaf, stand->leaf, stand->middle);
    put_issued(&blocks[1], &of_middle, stand->middle, stand->root);
    put_issued(&blocks[2], &of_root, stand->root, stand->root);
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        buffer_reset(&stand->text);
        for (size_t n = 0; n < 3; n++) {
            buffer_put_span(&stand->text, buffer_span(&blocks[orders[i][n]]));
        }
        assert_done(read_as(stand, PURPOSE_TRANSPORT), stand->why);
        struct span pem = buffer_span(&stand->pem);
        assert_true(span_equal(span_part(pem, 0, blocks[0].len), buffer_span(&blocks[0])));
        assert_true(span_equal(span_part(pem, blocks[0].len, pem.len), buffer_span(&blocks[1])));
        assert_int_equal((stand->facts.warnings & 1U << CERTIFICATE_REORDERED) != 0, i != 0);
        assert_true((stand->facts.warnings & 1U << CERTIFICATE_ROOT_DROPPED) != 0);
    }
    for (size_t n = 0; n < 3; n++) {
        buffer_fini(&blocks[n]);
    }
}

static void what_does_not_belong_is_refused_by_name(void **state)
{
    struct stand *stand = *state;
    put_issued(&stand->text, &of_middle, stand->middle, stand->root);
    expect_refused(stand, "certificate 1 is for another public key than this one");
    put_issued(&stand->text, &of_middle, stand->middle, stand->root);
    put_issued(&stand->text, &of_root, stand->root, stand->root);
    expect_refused(stand, "none of the 2 certificates is for the public key of this key");
    put_leaf(stand, &of_leaf);
    put_issued(&stand->text, &of_root, stand->root, stand->root);
    expect_refused(stand, "certificate 2 (CN=Root) does not belong to the chain");
    put_leaf(stand, &of_leaf);
    put_issued(&stand->text, &of_middle, stand->middle, stand->root);
    put_issued(&stand->text, &of_middle, stand->middle, stand->root);
    expect_refused(stand, "certificate 3 (CN=Middle) does not belong to the chain");
    put_leaf(stand, &of_leaf);
    put_leaf(stand, &of_leaf);
    expect_refused(stand, "certificates 1 and 2 are both for this key");
    /* The right name over another key. */
    put_leaf(stand, &of_leaf);
    put_issued(&stand->text, &of_middle, stand->rsa, stand->root);
    expect_refused(stand, "certificate 1 is not signed by the key of certificate 2");
}

/* Made by the key itself: for a test bed it is all there is. */
static void a_self_signed_own_certificate_stays(void **state)
{
    struct stand *stand = *state;
    const struct issue issue = {.subject = "Self", .issuer = "Self"};
    put_issued(&stand->text, &issue, stand->leaf, stand->leaf);
    assert_done(read_as(stand, PURPOSE_TRANSPORT), stand->why);
    assert_true(span_equal(buffer_span(&stand->pem), buffer_span(&stand->text)));
    assert_int_equal(stand->facts.warnings & 1U << CERTIFICATE_ROOT_DROPPED, 0);
}

static void a_pss_certificate_fits_a_transport_key(void **state)
{
    struct stand *stand = *state;
    EVP_PKEY *other = EVP_RSA_gen(2048);
    buffer_reset(&stand->spki);
    put_spki(&stand->spki, stand->rsa);
    EVP_PKEY *pss = pss_of(stand->rsa);
    put_issued(&stand->text, &of_leaf, pss, stand->middle);
    assert_done(read_as(stand, PURPOSE_TRANSPORT), stand->why);
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    assert_true(certificate_put_spki(buffer_span(&stand->pem), &spki));
    assert_false(span_equal(buffer_span(&spki), buffer_span(&stand->spki)));
    assert_refused(read_as(stand, PURPOSE_SEAL), OUTCOME_RULE, stand->why,
                   "for another public key");
    buffer_reset(&stand->text);
    EVP_PKEY *foreign = pss_of(other);
    put_issued(&stand->text, &of_leaf, foreign, stand->middle);
    expect_refused(stand, "for another public key");
    put_issued(&stand->text, &of_leaf, other, stand->middle);
    expect_refused(stand, "for another public key");
    EVP_PKEY_free(pss);
    EVP_PKEY_free(foreign);
    EVP_PKEY_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(any_order_is_put_right),
        TEST(what_does_not_belong_is_refused_by_name),
        TEST(a_self_signed_own_certificate_stays),
        TEST(a_pss_certificate_fits_a_transport_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
