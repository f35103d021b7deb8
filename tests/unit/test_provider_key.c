/* SPDX-License-Identifier: Apache-2.0
 * Key references read to the last byte, and each fault with its reason. */
#include "provider/key.h"

#include "provider_rig.h"

#include <stdlib.h>

static struct rig *rig;
static struct provider provider;

static int setup(void **state)
{
    (void)state;
    rig = rig_open();
    provider.sha = sha2_speed();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(rig);
    return 0;
}

static void references_are_read(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        size_t len;
        const char *why;
        unsigned char *der = rig_reference_der(rig, (enum rig_key)i, "/run/s", &len);
        assert_true(key_is_reference(span_of(der, len)));
        struct key *key = key_from_reference(&provider, span_of(der, len), &why);
        assert_non_null(key);
        memset(der, 0, len);
        free(der);
        assert_string_equal(key->role, rig_role((enum rig_key)i));
        assert_string_equal(key->socket, "/run/s");
        assert_int_equal(strlen(key->thumbprint), 43);
        assert_int_equal(key->spki.bits, EVP_PKEY_get_bits(rig->keys[i]));
        struct key *held = key_hold(key);
        key_drop(key);
        assert_string_equal(held->socket, "/run/s");
        key_drop(held);
    }
    key_drop(NULL);
}

/* Changes one byte of a P-256 reference: SEQUENCE (2 + 1), magic 2+21, role 2+4, socket 2+6,
 * thumbprint 2+43, SPKI. */
static void expect_refused(size_t at, unsigned char byte, const char *want)
{
    size_t len;
    const char *why = NULL;
    unsigned char *der = rig_reference_der(rig, RIG_P256, "/run/s", &len);
    der[at] = byte;
    assert_null(key_from_reference(&provider, span_of(der, len), &why));
    assert_string_equal(why, want);
    free(der);
}

static void each_fault_has_its_reason(void **state)
{
    (void)state;
    enum {
        MAGIC = 3,
        ROLE = MAGIC + 23,
        SOCKET = ROLE + 6,
        THUMBPRINT = SOCKET + 8,
        SPKI = THUMBPRINT + 45
    };
    expect_refused(0, 0x31, "it is not minimal DER");
    expect_refused(1, 0x80, "it is not minimal DER");
    expect_refused(2, 0x90, "it is not minimal DER");
    expect_refused(MAGIC, 0x13, "its version is not known");
    expect_refused(MAGIC + 22, '2', "its version is not known");
    expect_refused(ROLE, 0x13, "the role is malformed");
    expect_refused(ROLE + 2, '\n', "the role is malformed");
    expect_refused(ROLE + 1, 0, "the role is malformed");
    expect_refused(SOCKET + 2, 'x', "the socket's path is not absolute, or too long");
    expect_refused(SOCKET + 4, 0, "the socket's path is not absolute, or too long");
    expect_refused(THUMBPRINT, 0x13, "the thumbprint is malformed");
    expect_refused(THUMBPRINT + 1, 44, "the thumbprint is malformed");
    expect_refused(THUMBPRINT + 2, '*', "the thumbprint is not the public key's");
    expect_refused(SPKI, 0x31, "the public key is malformed or of a type not known");
    expect_refused(SPKI + 40, 0, "the thumbprint is not the public key's");
}

static void other_der_is_no_reference(void **state)
{
    (void)state;
    assert_false(key_is_reference(span_of("\x30\x03\x0c\x01x", 5)));
    assert_false(key_is_reference(span_of("\x30\x03\x02\x01x", 5)));
    assert_false(key_is_reference(span_of("--", 2)));
    assert_false(key_is_reference(span_of(NULL, 0)));
}

static void an_empty_key_holds_nothing(void **state)
{
    (void)state;
    struct key *key = key_empty(&provider, KIND_EC);
    assert_true(key->is_empty);
    assert_int_equal(key->spki.kind, KIND_EC);
    key_drop(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_read),
        cmocka_unit_test(each_fault_has_its_reason),
        cmocka_unit_test(other_der_is_no_reference),
        cmocka_unit_test(an_empty_key_holds_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
