/* SPDX-License-Identifier: Apache-2.0
 * Token hashes: printed examples, and the digest that goes with each algorithm. */
#include "verify_support.h"

#include "verify/parts.h"

static void expect(const char *alg, const char *text, const char *hash)
{
    char out[TOKEN_HASH_SIZE];
    assert_true(token_hash_put(span_of_text(alg), span_of_text(text), out));
    assert_string_equal(out, hash);
}

/* The half of a digest by OpenSSL, in hexadecimal order of its octets. */
static void expect_half(const char *alg, const char *digest, size_t half)
{
    static const char text[] = "YmJiZTAwYmYtMzgyOC00NzhkLTkyOTItNjJjNDM3MGYzOWIy";
    char out[TOKEN_HASH_SIZE];
    uint8_t whole[EVP_MAX_MD_SIZE];
    size_t len = sizeof whole;
    BUFFER_CLEANUP struct buffer wanted = BUFFER_INIT(100);
    assert_int_equal(EVP_Q_digest(NULL, digest, NULL, text, strlen(text), whole, &len), 1);
    assert_int_equal(len, 2 * half);
    base64url_encode(&wanted, span_of(whole, half));
    assert_true(token_hash_put(span_of_text(alg), span_of_text(text), out));
    assert_string_equal(out, buffer_text(&wanted));
}

static void printed_examples(void **state)
{
    (void)state;
    expect("RS256", "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "77QmUPtjPfzWtF2AnpK9RQ");
    expect("ES256", "dNZX1hEZ9wBCzNL40Upu646bdzQA", "wfgvmE9VxjAudsl9lc6TqA");
    expect("PS256", "bb16b497-097f-4528-9380-4305eb760232", "mHx3-CzvXrrDYpBNouXYdQ");
    /* npm oidc-token-hash */
    expect("ES384", "YmJiZTAwYmYtMzgyOC00NzhkLTkyOTItNjJjNDM3MGYzOWIy9sFhvH8K_x8UIHj1osisS57f5DduL",
           "adt46pcdiB-l6eTNifgoVM-5AIJAxq84");
    expect("Ed25519",
           "YmJiZTAwYmYtMzgyOC00NzhkLTkyOTItNjJjNDM3MGYzOWIy9sFhvH8K_x8UIHj1osisS57f5DduL",
           "p2LHG4H-8pYDc0hyVOo3iIHvZJUqe9tbj3jESOuXbkY");
}

static void each_algorithm_has_its_digest(void **state)
{
    (void)state;
    static const char *const families[] = {"RS", "PS", "ES"};
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        char alg[8];
        (void)snprintf(alg, sizeof alg, "%s256", families[i]);
        expect_half(alg, "SHA256", 16);
        (void)snprintf(alg, sizeof alg, "%s384", families[i]);
        expect_half(alg, "SHA384", 24);
        (void)snprintf(alg, sizeof alg, "%s512", families[i]);
        expect_half(alg, "SHA512", 32);
    }
    expect_half("Ed25519", "SHA512", 32);
    expect_half("EdDSA", "SHA512", 32);
    char out[TOKEN_HASH_SIZE];
    assert_false(token_hash_put(span_of_text("none"), span_of_text("x"), out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed_examples),
        cmocka_unit_test(each_algorithm_has_its_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
