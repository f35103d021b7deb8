/* SPDX-License-Identifier: Apache-2.0
 * Token URIs: what p11-kit lets pass and we do not. */
#include "check.h"

#include "pkcs11/uri.h"

#include <string.h>

static const struct {
    const char *uri;
    const char *reason;
} refused[] = {
    {"token=a?pin-source=/p", "must start with pkcs11:"},
    {"pkcs11:", "matches every token"},
    {"pkcs11:?pin-source=/p", "matches every token"},
    {"pkcs11:token=a?pin-source=", "pin-source is empty"},
    {"pkcs11:token=a;token=b?pin-source=/p", "token is there twice"},
    {"pkcs11:token=a?pin-source=/p&pin-source=/q", "pin-source is there twice"},
    {"pkcs11:token=a?pin-value=1234", "a PIN does not belong into a configuration"},
    {"pkcs11:token=a?pin-source=/p&pin-value=1234", "a PIN does not belong into a configuration"},
    {"pkcs11:token=a?module-path=/m.so&pin-source=/p", "the module is named by `module:`"},
    {"pkcs11:token=a;object=k?pin-source=/p", "attribute object is not taken here"},
    {"pkcs11:token=a;type=private?pin-source=/p", "attribute type is not taken here"},
    {"pkcs11:token=a;tokem=b?pin-source=/p", "attribute tokem is not taken here"},
    {"pkcs11:token=a;x-vendor=b?pin-source=/p", "attribute x-vendor is not taken here"},
    {"pkcs11:token=a;pin-source=/p", "attribute pin-source is not taken here"},
    {"pkcs11:token=a?token=b&pin-source=/p", "attribute token is not taken here"},
    {"pkcs11:token=%zz?pin-source=/p", "uri: "},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct uri *uri = NULL;
        struct reason why = {0};
        assert_refused(uri_parse(refused[i].uri, &uri, &why), OUTCOME_RULE, why, refused[i].reason);
        assert_null(uri);
        assert_null(strstr(why.detail, "1234"));
    }
}

static void fill(CK_TOKEN_INFO *token, const char *label, const char *serial)
{
    memset(token, ' ', sizeof *token);
    memcpy(token->label, label, strlen(label));
    memcpy(token->serialNumber, serial, strlen(serial));
}

static void test_matches(void **state)
{
    (void)state;
    struct uri *uri = NULL;
    struct reason why = {0};
    assert_done(
        uri_parse("pkcs11:token=My%20Token;serial=0a1b?pin-source=file:/etc/a%20pin", &uri, &why),
        why);
    assert_string_equal(uri_pin_source(uri), "file:/etc/a pin");
    CK_TOKEN_INFO token;
    fill(&token, "My Token", "0a1b");
    assert_true(uri_matches(uri, &token));
    fill(&token, "My Token", "0a1c");
    assert_false(uri_matches(uri, &token));
    fill(&token, "My Token 2", "0a1b");
    assert_false(uri_matches(uri, &token));
    uri_free(uri);
    assert_done(uri_parse("pkcs11:token=a", &uri, &why), why);
    assert_null(uri_pin_source(uri));
    uri_free(uri);
    uri_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
