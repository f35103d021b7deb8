/* SPDX-License-Identifier: Apache-2.0
 * The public keys that an auditor takes away. */
#include "custody_support.h"

#include "base/pem.h"

#include <stdio.h>
#include <unistd.h>

/* Role audit: 0 and 1 are active, on hsm-a and hsm-b, and 2 waits on hsm-a; 3 is a seal key. */
static struct instance *make(void)
{
    struct instance *instance = calloc(1, sizeof *instance);
    assert_non_null(instance);
    instance_init(instance, "[\"*\"]", "[operator]");
    instance->roles_more =
        "  - {name: audit, purpose: audit, key: p-256, tokens: [hsm-a, hsm-b]}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    refuse_verb(instance, CUSTODY_AUDIT_KEY, "{}", OUTCOME_NO_KEY,
                "there is no key of purpose audit");
    make_key(instance, "{\"role\":\"audit\"}");
    make_key(instance, "{\"role\":\"audit\",\"token\":\"hsm-a\"}");
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}");
    return instance;
}

/* The entry is about this key, and its PEM is that key. */
static void expect_key(struct instance *instance, const json_t *result, size_t at, size_t index,
                       const char *state)
{
    char kid[THUMBPRINT_SIZE];
    struct public_key *key = NULL;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(2000);
    json_t *entry = json_array_get(json_object_get(result, "keys"), at);
    kid_of(instance, index, kid);
    assert_string_equal(text_of(entry, "kid"), kid);
    assert_string_equal(text_of(entry, "role"), "audit");
    assert_string_equal(text_of(entry, "token"), index == 1 ? "hsm-b" : "hsm-a");
    assert_string_equal(text_of(entry, "state"), state);
    struct span pem = span_of_text(text_of(entry, "pem"));
    assert_true(pem_take(&pem, "PUBLIC KEY", &der));
    assert_int_equal(pem.len, 0);
    assert_done(public_key_from_spki(buffer_span(&der), &key, &why), why);
    assert_string_equal(public_key_thumbprint(key), kid);
    public_key_free(key);
}

static size_t count(const json_t *result)
{
    return json_array_size(json_object_get(result, "keys"));
}

static void the_newest_that_is_active_is_given(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[100];
    char kid[THUMBPRINT_SIZE];
    JSON_CLEANUP json_t *newest = do_verb(instance, CUSTODY_AUDIT_KEY, "{}");
    assert_int_equal(count(newest), 1);
    expect_key(instance, newest, 0, 1, "active");
    kid_of(instance, 0, kid);
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%.8s\"}", kid);
    JSON_CLEANUP json_t *named = do_verb(instance, CUSTODY_AUDIT_KEY, arguments);
    assert_int_equal(count(named), 1);
    expect_key(instance, named, 0, 0, "active");
    /* What it has signed is still to be verified. */
    for (size_t i = 0; i < 2; i++) {
        kid_of(instance, i, kid);
        (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%.8s\"}", kid);
        json_decref(do_verb(instance, CUSTODY_KEY_COMPROMISED, arguments));
    }
    refuse_verb(instance, CUSTODY_AUDIT_KEY, "{}", OUTCOME_NO_KEY,
                "no key of purpose audit is active; --all prints those that there are");
    JSON_CLEANUP json_t *all = do_verb(instance, CUSTODY_AUDIT_KEY, "{\"all\":\"yes\"}");
    assert_int_equal(count(all), 3);
    expect_key(instance, all, 0, 0, "compromised");
    expect_key(instance, all, 1, 1, "compromised");
    expect_key(instance, all, 2, 2, "generated");
    transport_instance_free(instance);
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[100];
    char kid[THUMBPRINT_SIZE];
    kid_of(instance, 3, kid);
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\"}", kid);
    refuse_verb(instance, CUSTODY_AUDIT_KEY, arguments, OUTCOME_RULE,
                "of role seal-ec is a seal key: no checkpoint is signed with it");
    refuse_verb(instance, CUSTODY_AUDIT_KEY, "{\"key\":\"AAAAAAAA\"}", OUTCOME_NOT_FOUND,
                "no key whose thumbprint begins so");
    refuse_verb(instance, CUSTODY_AUDIT_KEY, "{\"key\":\"AAAAAAAA\",\"all\":\"yes\"}",
                OUTCOME_MALFORMED, "either \"key\" or \"all\"");
    refuse_verb(instance, CUSTODY_AUDIT_KEY, "{\"all\":true}", OUTCOME_MALFORMED,
                "an argument is unknown or not a string");
    transport_instance_free(instance);
}

static void who_has_any_right_may(void **state)
{
    (void)state;
    static const char *const rights[] = {"[operator]", "[custodian]", "[auditor]", "[approver]"};
    struct instance *instance = make();
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer nothing = BUFFER_INIT(CUSTODY_RESULT_MAX);
    for (size_t i = 0; i < COUNT_OF(rights); i++) {
        instance_configure(instance, "[\"*\"]", rights[i]);
        assert_done(custody_reload(instance->custody, &why), why);
        json_decref(do_verb(instance, CUSTODY_AUDIT_KEY, "{}"));
    }
    struct caller stranger = {.uid = geteuid() + 1};
    assert_refused(instance_ask_as(instance, &stranger, CUSTODY_AUDIT_KEY, "{}", &nothing, &why),
                   OUTCOME_NOT_GRANTED, why, "may not: audit key");
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_that_is_active_is_given),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(who_has_any_right_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
