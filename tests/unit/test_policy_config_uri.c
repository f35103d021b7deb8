/* SPDX-License-Identifier: Apache-2.0
 * URIs that name a token, and those that say too much or too little. */
#include "policy/config_uri.h"

#include "check.h"

#include <string.h>

static void test_allowed(void **state)
{
    (void)state;
    static const char *const uris[] = {
        "pkcs11:token=seal",
        "pkcs11:token=my%20token;serial=12;model=x;manufacturer=y?pin-source=file:/run/pin",
        "pkcs11:slot-id=3",
        "pkcs11:library-version=2.6;slot-description=a;slot-manufacturer=b",
        "pkcs11:token=a=b",
        "pkcs11:token=a?pin-source=file:/a?b;c=d",
    };
    for (size_t i = 0; i < COUNT_OF(uris); i++) {
        assert_null(config_uri_fault(uris[i]));
    }
}

#define ATTRIBUTE "each attribute of the URI is name=value"
#define TOKEN                                                                                      \
    "it must name a token by token, serial, model, manufacturer or slot attributes, and nothing "  \
    "else"
#define PIN "a PIN (pin-value) in a configuration file is refused; use pin-source"

static void test_denied(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        const char *fault;
    } rows[] = {
        {"", "a PKCS#11 URI (RFC 7512) is wanted here, pkcs11:token=NAME"},
        {"PKCS11:token=a", "a PKCS#11 URI (RFC 7512) is wanted here, pkcs11:token=NAME"},
        {"token=a", "a PKCS#11 URI (RFC 7512) is wanted here, pkcs11:token=NAME"},
        {"pkcs11:", ATTRIBUTE},
        {"pkcs11:token", ATTRIBUTE},
        {"pkcs11:token=", ATTRIBUTE},
        {"pkcs11:=a", TOKEN},
        {"pkcs11:token=a;", ATTRIBUTE},
        {"pkcs11:token=a?", ATTRIBUTE},
        {"pkcs11:?pin-source=/a", ATTRIBUTE},
        {"pkcs11:token=a;object=b", TOKEN},
        {"pkcs11:id=%01", TOKEN},
        {"pkcs11:token=a;type=private", TOKEN},
        {"pkcs11:token=a;pin-source=/a", TOKEN},
        {"pkcs11:token=a;x-vendor=1", TOKEN},
        {"pkcs11:token=a;token=b", "an attribute of the URI is there twice"},
        {"pkcs11:token=a?pin-source=/a&pin-source=/b", "an attribute of the URI is there twice"},
        {"pkcs11:token=a?pin-value=1234", PIN},
        {"pkcs11:token=a;pin-value=1234", PIN},
        {"pkcs11:token=a?PIN-Value=1234", PIN},
        {"pkcs11:token=a?pin-source=/a&pin-value=1234", PIN},
        {"pkcs11:token=a?module-path=/a.so",
         "behind the ? only pin-source is taken; the module is named by the key `module`"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *fault = config_uri_fault(rows[i].uri);
        assert_non_null(fault);
        assert_string_equal(fault, rows[i].fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
