/* SPDX-License-Identifier: Apache-2.0
 * DNS names of rules against those of certificates. */
#include "pki/peer_name.h"

#include "check.h"

static void test_valid(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool valid;
    } rows[] = {
        {"bank.example", true},
        {"localhost", true},
        {"A-1.b_c.Example", true},
        {"*.bank.example", true},
        {"", false},
        {".", false},
        {"*", false},
        {"*.", false},
        {"*.example", false},
        {"*.*.example", false},
        {"a.*.example", false},
        {"a*.bank.example", false},
        {".bank.example", false},
        {"bank.example.", false},
        {"bank..example", false},
        {"-a.example", false},
        {"a-.example", false},
        {"a b.example", false},
        {"b\xC3\xA4nk.example", false},
        {"a.example\n", false},
        {"192.0.2.1", false},
        {"1", false},
        {"1.2.3.4x", true},
        {"1.example", true},
        {"*.1", false},
        {"*.a.1", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(peer_name_is_valid(span_of_text(rows[i].name)), rows[i].valid);
    }
    assert_false(peer_name_is_valid(span_of("a\0b.example", 11)));
    assert_true(peer_name_is_valid(span_of_text("1.2.3.x4")));
    char label[65];
    memset(label, 'a', sizeof label);
    assert_true(peer_name_is_valid(span_of(label, 63)));
    assert_false(peer_name_is_valid(span_of(label, 64)));
    char name[255];
    for (size_t i = 0; i < sizeof name; i++) {
        name[i] = i % 2 == 0 ? 'a' : '.';
    }
    assert_true(peer_name_is_valid(span_of(name, 253)));
    assert_false(peer_name_is_valid(span_of(name, 255)));
}

static void test_fits(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        const char *presented;
        bool fits;
    } rows[] = {
        {"api.bank.example", "api.bank.example", true},
        {"api.bank.example", "API.Bank.EXAMPLE", true},
        {"api.bank.example", "*.bank.example", true},
        {"api.bank.example", "*.example", false},
        {"api.bank.example", "api.bank.example.evil.example", false},
        {"api.bank.example", "xapi.bank.example", false},
        {"api.bank.example", "bank.example", false},
        {"api.bank.example", "*", false},
        {"api.bank.example", "a*.bank.example", false},
        {"a.b.bank.example", "*.bank.example", false},
        {"*.bank.example", "api.bank.example", true},
        {"*.bank.example", "*.bank.example", true},
        {"*.bank.example", "bank.example", false},
        {"*.bank.example", "a.b.bank.example", false},
        {"*.bank.example", "*.b.bank.example", false},
        {"*.bank.example", "api.tank.example", false},
        {"api.bank.example", "", false},
        {"", "", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(
            peer_name_fits(span_of_text(rows[i].rule), span_of_text(rows[i].presented)),
            rows[i].fits);
    }
    assert_false(peer_name_fits(span_of_text("bank.example"), span_of("bank.example\0.evil", 18)));
}

static void test_pin(void **state)
{
    (void)state;
    static const char pin[] = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    uint8_t digest[PEER_PIN_LEN];
    assert_true(peer_pin_read(span_of_text(pin), digest));
    assert_int_equal(digest[0], 0xE3);
    assert_int_equal(digest[31], 0x55);
    assert_false(peer_pin_read(span_of_text(""), digest));
    assert_false(peer_pin_read(span_of(pin, 42), digest));
    assert_false(peer_pin_read(span_of(pin, 44), digest)); /* with its NUL */
    assert_false(
        peer_pin_read(span_of_text("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"), digest));
    assert_false(
        peer_pin_read(span_of_text("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV"), digest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_valid), cmocka_unit_test(test_fits),
                                       cmocka_unit_test(test_pin)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
