/* SPDX-License-Identifier: Apache-2.0
 * What has to be on record of a key before it signs, and how it comes there. */
#include "custody_support.h"

#include <stdio.h>
#include <unistd.h>

/* Role vault asks for both records, role plain for none; on both tokens, without keys. */
static struct instance *make(void)
{
    struct instance *instance = new_instance("[operator]");
    instance->roles_more =
        "  - {name: vault, purpose: seal, key: p-256, algorithms: [ES256], tokens: [hsm-a, hsm-b], "
        "backup: required, seen: required, publish_before_use_s: 0}\n"
        "  - {name: watched, purpose: seal, key: p-256, algorithms: [ES256], tokens: [hsm-a, "
        "hsm-b], seen: required, publish_before_use_s: 0}\n"
        "  - {name: audit, purpose: audit, key: p-256, algorithms: [ES256], tokens: [hsm-a]}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    return instance;
}

static void a_key_without_a_backup_does_not_sign(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[200];
    char fragment[200];
    char kid[THUMBPRINT_SIZE];
    make_key(instance, "{\"role\":\"vault\"}");
    expect_state(instance, 0, KEY_GENERATED); /* nor does the first one */
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"vault\"}"));
    kid_of(instance, 0, kid);
    (void)snprintf(fragment, sizeof fragment,
                   "role vault asks for a backup of each key, and none of this one is on record: "
                   "make it, then qsealctl key backup-recorded %.8s",
                   kid);
    refuse_verb(instance, CUSTODY_KEY_ACTIVATE, with_key(0, instance, arguments), OUTCOME_RULE,
                fragment);
    JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_KEY_BACKUP_RECORDED,
                                          "{\"key\":\"vault\",\"reason\":\"cards 3 and 4\"}");
    assert_int_equal(json_array_size(json_object_get(result, "keys")), 2);
    json_t *backup = json_at_pointer(result, "/keys/0/backup");
    assert_string_equal(text_of(backup, "reason"), "cards 3 and 4");
    assert_int_equal(json_integer_value(json_object_get(backup, "by")), geteuid());
    /* The first active key of the role is looked for by nobody: both at once. */
    json_decref(do_verb(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"vault\"}"));
    expect_state(instance, 0, KEY_ACTIVE);
    expect_state(instance, 1, KEY_ACTIVE);
    transport_instance_free(instance);
}

static void a_successor_that_nobody_sees_does_not_sign(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[200];
    char fragment[200];
    char kid[THUMBPRINT_SIZE];
    make_key(instance, "{\"role\":\"watched\",\"token\":\"hsm-a\"}");
    expect_state(instance, 0, KEY_ACTIVE);
    make_key(instance, "{\"role\":\"watched\",\"token\":\"hsm-b\"}");
    expect_state(instance, 1, KEY_GENERATED); /* there is one that signs, on the other token */
    kid_of(instance, 1, kid);
    refuse_verb(instance, CUSTODY_KEY_SEEN, with_key(1, instance, arguments), OUTCOME_RULE,
                "the key is generated: nobody sees it outside before it is published");
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, with_key(1, instance, arguments)));
    (void)snprintf(fragment, sizeof fragment,
                   "role watched asks that a key be visible outside, and since this one was "
                   "published that is not on record: look, then qsealctl key seen %.8s",
                   kid);
    refuse_verb(instance, CUSTODY_KEY_ACTIVATE, with_key(1, instance, arguments), OUTCOME_RULE,
                fragment);
    JSON_CLEANUP json_t *result =
        do_verb(instance, CUSTODY_KEY_SEEN, "{\"key\":\"watched\",\"where\":\"the directory\"}");
    assert_int_equal(json_array_size(json_object_get(result, "keys")), 1);
    assert_string_equal(text_of(json_at_pointer(result, "/keys/0"), "kid"), kid);
    assert_string_equal(text_of(json_at_pointer(result, "/keys/0/seen"), "where"), "the directory");
    json_decref(do_verb(instance, CUSTODY_KEY_ACTIVATE, with_key(1, instance, arguments)));
    expect_state(instance, 1, KEY_ACTIVE);
    /* With no successor the one that signs is meant. */
    JSON_CLEANUP json_t *again = do_verb(instance, CUSTODY_KEY_SEEN, "{\"key\":\"watched\"}");
    assert_int_equal(json_array_size(json_object_get(again, "keys")), 2);
    transport_instance_free(instance);
}

static void records_are_shown(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[200];
    make_key(instance, "{\"role\":\"seal-ec\"}");
    JSON_CLEANUP json_t *before = do_verb(instance, CUSTODY_KEY_LIST, "{}");
    assert_null(json_at_pointer(before, "/keys/0/backup"));
    assert_null(json_at_pointer(before, "/keys/0/seen"));
    assert_null(json_at_pointer(before, "/keys/0/schedule"));
    json_decref(do_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, with_key(0, instance, arguments)));
    json_decref(do_verb(instance, CUSTODY_KEY_SEEN, with_key(0, instance, arguments)));
    JSON_CLEANUP json_t *list = do_verb(instance, CUSTODY_KEY_LIST, "{}");
    assert_string_equal(text_of(json_at_pointer(list, "/keys/0/backup"), "reason"), "");
    assert_string_equal(text_of(json_at_pointer(list, "/keys/0/seen"), "where"), "");
    JSON_CLEANUP json_t *shown =
        do_verb(instance, CUSTODY_KEY_SHOW, with_key(0, instance, arguments));
    assert_non_null(json_at_pointer(shown, "/keys/0/backup/at"));
    assert_non_null(json_at_pointer(shown, "/keys/0/seen/at"));
    assert_null(json_at_pointer(list, "/keys/1/seen"));
    transport_instance_free(instance);
}

static void nobody_sees_an_audit_key(void **state)
{
    (void)state;
    struct instance *instance = make();
    make_key(instance, "{\"role\":\"audit\"}");
    refuse_verb(instance, CUSTODY_KEY_SEEN, "{\"key\":\"audit\"}", OUTCOME_RULE,
                "the key is of purpose audit: it is in no JWK Set, and nobody sees it outside");
    json_decref(do_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, "{\"key\":\"audit\"}"));
    transport_instance_free(instance);
}

static void what_cannot_be_vouched_for(void **state)
{
    (void)state;
    struct instance *instance = make();
    char arguments[400];
    char kid[THUMBPRINT_SIZE];
    refuse_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, "{}", OUTCOME_MALFORMED,
                "\"key\" is missing: a thumbprint, or a role");
    refuse_verb(instance, CUSTODY_KEY_SEEN, "{\"key\":\"vault\"}", OUTCOME_RULE,
                "role vault has no key that is active");
    refuse_verb(instance, CUSTODY_KEY_SEEN, "{\"key\":\"vault\",\"reason\":\"x\"}",
                OUTCOME_MALFORMED, "unknown or not a string");
    make_key(instance, "{\"role\":\"vault\",\"token\":\"hsm-a\"}");
    kid_of(instance, 0, kid);
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\",\"reason\":\"%0201d\"}", kid, 0);
    refuse_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, arguments, OUTCOME_RULE,
                "a reason has at most 200 printable ASCII characters");
    (void)snprintf(arguments, sizeof arguments, "{\"key\":\"%s\",\"reason\":\"\\u0007\"}", kid);
    refuse_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, arguments, OUTCOME_RULE, "printable ASCII");
    json_decref(do_verb(instance, CUSTODY_KEY_DESTROY, with_key(0, instance, arguments)));
    refuse_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, with_key(0, instance, arguments),
                OUTCOME_RULE, "the key is destroyed: there is nothing to vouch for");
    instance_configure(instance, "[\"*\"]", "[auditor, operator]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    refuse_verb(instance, CUSTODY_KEY_SEEN, "{\"key\":\"vault\"}", OUTCOME_RULE, "has no key");
    instance_configure(instance, "[\"*\"]", "[auditor]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    refuse_verb(instance, CUSTODY_KEY_SEEN, "{\"key\":\"vault\"}", OUTCOME_NOT_GRANTED,
                "may not: key seen");
    refuse_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, "{\"key\":\"vault\"}", OUTCOME_NOT_GRANTED,
                "may not: key backup-recorded");
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_without_a_backup_does_not_sign),
        cmocka_unit_test(a_successor_that_nobody_sees_does_not_sign),
        cmocka_unit_test(records_are_shown),
        cmocka_unit_test(nobody_sees_an_audit_key),
        cmocka_unit_test(what_cannot_be_vouched_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
