/* SPDX-License-Identifier: Apache-2.0
 * SHA-2 by algorithm (FIPS 180-4 examples for "abc"). */
#include "check.h"

#include "base/attributes.h"
#include "pkcs11/digest.h"

static const struct {
    enum alg alg;
    uint8_t first[4];
} rows[] = {
    {ALG_RS256, {0xba, 0x78, 0x16, 0xbf}}, {ALG_PS256, {0xba, 0x78, 0x16, 0xbf}},
    {ALG_ES256, {0xba, 0x78, 0x16, 0xbf}}, {ALG_RS384, {0xcb, 0x00, 0x75, 0x3f}},
    {ALG_PS384, {0xcb, 0x00, 0x75, 0x3f}}, {ALG_ES384, {0xcb, 0x00, 0x75, 0x3f}},
    {ALG_RS512, {0xdd, 0xaf, 0x35, 0xa1}}, {ALG_PS512, {0xdd, 0xaf, 0x35, 0xa1}},
    {ALG_ES512, {0xdd, 0xaf, 0x35, 0xa1}},
};

static void test_every_alg(void **state)
{
    (void)state;
    struct digests *digests = digests_new();
    assert_non_null(digests);
    struct digest_context *context = digest_context_new(digests);
    assert_non_null(context);
    uint8_t out[DIGEST_MAX];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(digest_message(context, rows[i].alg, span_of_text("abc"), out));
        assert_memory_equal(out, rows[i].first, sizeof rows[i].first);
    }
    assert_false(digest_message(context, ALG_ED25519, span_of_text("abc"), out));
    assert_true(digest_sha256(span_of_text("abc"), out));
    assert_memory_equal(out, rows[0].first, sizeof rows[0].first);
    digest_context_free(context);
    digest_context_free(NULL);
    digests_free(digests);
    digests_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_alg)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
