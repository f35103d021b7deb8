/* SPDX-License-Identifier: Apache-2.0
 * The register: what is in it, what is not, and its pages when there are a thousand keys. */
#include "custody/register.h"

#include "certificate_support.h"
#include "custody_support.h"
#include "keyring_support.h"

#include <unistd.h>

enum { KEYS = 1000, CHAIN = 4 };

static struct instance *make(void)
{
    struct instance *instance = calloc(1, sizeof *instance);
    assert_non_null(instance);
    instance_init(instance, "[op-detached]", "[auditor]");
    return instance;
}

static const json_t *member_named(const json_t *list, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        if (strcmp(text_of(item, "name"), name) == 0) {
            return item;
        }
    }
    fail_msg("there is no %s", name);
    return NULL;
}

static void an_auditor_reads_what_is_configured(void **state)
{
    (void)state;
    struct instance *instance = make();
    instance_wait_state(instance, "hsm-a", TOKEN_READY);
    JSON_CLEANUP json_t *report = do_verb(instance, CUSTODY_REPORT, "{}");
    assert_string_equal(text_of(report, "schema"), "qseal-register/1");
    assert_true(json_is_null(json_object_get(report, "next")));
    const json_t *role = member_named(json_object_get(report, "roles"), "seal-ec");
    assert_int_equal(json_integer_value(json_object_get(role, "publish_before_use_s")), 300);
    assert_true(json_is_false(json_object_get(role, "certificate_required")));
    const json_t *callers = json_object_get(role, "callers");
    assert_int_equal(json_array_size(callers), 1);
    const json_t *profiles = json_object_get(json_array_get(callers, 0), "profiles");
    assert_int_equal(json_array_size(profiles), 1);
    assert_string_equal(json_string_value(json_array_get(profiles, 0)), "op-detached");
    role = member_named(json_object_get(report, "roles"), "seal"); /* nothing of it is granted */
    assert_int_equal(json_array_size(json_object_get(role, "callers")), 0);
    assert_true(json_array_size(json_object_get(role, "profiles")) > 0);
    const json_t *device = member_named(json_object_get(report, "devices"), "hsm-a");
    assert_string_equal(text_of(device, "state"), "ready");
    const json_t *person = json_array_get(json_object_get(report, "administrators"), 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(person, "rights"), 0)),
                        "auditor");
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CUSTODY_RESULT_MAX);
    json_put(&text, report);
    assert_null(strstr(buffer_text(&text), "pin"));
    transport_instance_free(instance);
}

static void what_is_on_record_and_to_come_is_in_it(void **state)
{
    (void)state;
    struct instance *instance = make();
    instance->administrators_more = "  - {gid: 71009, rights: [custodian, approver]}\n";
    instance->roles_more = "  - {name: vault, purpose: seal, key: p-256, algorithms: [ES256], "
                           "tokens: [hsm-a], backup: required, seen: required, "
                           "cryptoperiod_days: 730, at_end: stop}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian, auditor]");
    struct reason why = {0};
    assert_done(custody_reload(instance->custody, &why), why);
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}");
    make_key(instance, "{\"role\":\"seal-ec\",\"token\":\"hsm-a\"}");
    json_decref(do_verb(instance, CUSTODY_KEY_BACKUP_RECORDED,
                        "{\"key\":\"seal-ec\",\"reason\":\"cards 3 and 4\"}"));
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}"));
    json_decref(do_verb(instance, CUSTODY_KEY_SEEN, "{\"key\":\"seal-ec\",\"where\":\"outside\"}"));
    json_decref(do_verb(instance, CUSTODY_ROTATION_APPLY,
                        "{\"role\":\"seal-ec\",\"token\":\"hsm-a\",\"reason\":\"of 2027\"}"));
    JSON_CLEANUP json_t *report = do_verb(instance, CUSTODY_REPORT, "{}");
    json_t *former = json_at_pointer(report, "/keys/0");
    json_t *key = json_at_pointer(report, "/keys/1");
    assert_null(json_object_get(former, "backup"));
    assert_string_equal(text_of(json_object_get(key, "backup"), "reason"), "cards 3 and 4");
    assert_int_equal(json_integer_value(json_at_pointer(key, "/backup/by")), geteuid());
    assert_string_equal(text_of(json_object_get(key, "seen"), "where"), "outside");
    assert_string_equal(text_of(json_at_pointer(key, "/schedule/0"), "state"), "active");
    assert_string_equal(text_of(json_at_pointer(key, "/schedule/0"), "reason"), "of 2027");
    assert_string_equal(text_of(json_at_pointer(former, "/schedule/1"), "state"), "retired");
    const json_t *role = member_named(json_object_get(report, "roles"), "vault");
    assert_true(json_is_true(json_object_get(role, "backup_required")));
    assert_true(json_is_true(json_object_get(role, "seen_required")));
    assert_true(json_is_true(json_object_get(role, "stops_at_end")));
    assert_int_equal(json_integer_value(json_object_get(role, "cryptoperiod_days")), 730);
    assert_true(json_is_false(json_object_get(report, "approval_required")));
    json_t *group = json_at_pointer(report, "/administrators/1");
    assert_null(json_object_get(group, "uid"));
    assert_int_equal(json_integer_value(json_object_get(group, "gid")), 71009);
    assert_string_equal(json_string_value(json_at_pointer(group, "/rights/1")), "approver");
    transport_instance_free(instance);
}

static void only_pages_that_there_are(void **state)
{
    (void)state;
    struct instance *instance = make();
    static const char *const bad[] = {"{\"from\":\"\"}",   "{\"from\":\"x\"}",
                                      "{\"from\":\"-1\"}", "{\"from\":\"1\"}",
                                      "{\"from\":\"0 \"}", "{\"from\":\"99999999999999999999\"}"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        refuse_verb(instance, CUSTODY_REPORT, bad[i], OUTCOME_MALFORMED,
                    "\"from\" is not what the page before calls next");
    }
    refuse_verb(instance, CUSTODY_REPORT, "{\"from\":1}", OUTCOME_MALFORMED,
                "unknown or not a string");
    json_decref(do_verb(instance, CUSTODY_REPORT, "{\"from\":\"0\"}"));
    struct caller stranger = {.uid = geteuid() + 1};
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer nothing = BUFFER_INIT(CUSTODY_RESULT_MAX);
    assert_refused(instance_ask_as(instance, &stranger, CUSTODY_REPORT, "{}", &nothing, &why),
                   OUTCOME_NOT_GRANTED, why, "may not: report");
    transport_instance_free(instance);
}

/* A certificate with the longest names that are shown, and others above it. */
static char *long_chain(void)
{
    char name[65]; /* ub-common-name, RFC 5280 appendix A */
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const struct issue issue = {.subject = name, .issuer = name};
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(KEYRING_CHAIN_MAX);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *above = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    for (size_t i = 0; i < CHAIN; i++) {
        put_issued(&pem, &issue, i == 0 ? key : above, above);
    }
    EVP_PKEY_free(key);
    EVP_PKEY_free(above);
    char *text = strdup(buffer_text(&pem));
    assert_non_null(text);
    return text;
}

static struct keyring *large_keyring(const struct keyring *small)
{
    struct keyring *keyring = calloc(1, sizeof *keyring);
    char *chain = long_chain();
    assert_non_null(keyring);
    keyring->keys = calloc(KEYS, sizeof *keyring->keys);
    keyring->generation = small->generation;
    for (size_t i = 0; i < KEYS; i++) {
        keyring->keys[i] = key_of("seal-ec", "hsm-a", (uint8_t)i, 1U << ALG_ES256,
                                  public_key_ref(small->keys[0].public_key));
        keyring->keys[i].chain_pem = strdup(chain);
    }
    keyring->n_keys = KEYS;
    free(chain);
    return keyring;
}

static size_t read_page(const struct view *view, struct watch *watch, size_t first, size_t *next)
{
    struct reason why = {0};
    JSON_CLEANUP json_t *page = NULL;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CUSTODY_RESULT_MAX);
    register_put(&text, view, watch, first, REGISTER_PAGE, 1795253400);
    assert_true(buffer_ok(&text));
    assert_done(json_parse_own(buffer_span(&text), CUSTODY_VALUES_MAX, &page, &why), why);
    assert_int_equal(json_object_get(page, "roles") != NULL, first == 0);
    const json_t *keys = json_object_get(page, "keys");
    const json_t *certificate = json_object_get(json_array_get(keys, 0), "certificate");
    assert_int_equal(json_integer_value(json_object_get(certificate, "chain_length")), CHAIN);
    assert_int_equal(strlen(text_of(certificate, "sha256")), 64);
    const char *behind = json_string_value(json_object_get(page, "next"));
    *next = behind == NULL ? 0 : strtoul(behind, NULL, 10);
    return json_array_size(keys);
}

static void a_thousand_keys_with_chains_are_some_pages(void **state)
{
    (void)state;
    struct instance *instance = make();
    instance_configure(instance, "[\"*\"]", "[custodian]");
    struct reason why = {0};
    assert_done(custody_reload(instance->custody, &why), why);
    instance_make_keys(instance);
    struct view *small = view_cell_get(instance->views);
    struct view *view = NULL;
    assert_done(view_new(policy_ref(small->policy), large_keyring(small->keyring), &view, &why),
                why);
    size_t pages = 0;
    size_t n = 0;
    for (size_t next = 0; pages == 0 || next != 0; pages++) {
        n += read_page(view, instance->watch, next, &next);
        assert_true(next == 0 || next == n);
    }
    assert_int_equal(n, KEYS);
    assert_true(pages > 2 && pages < 20);
    BUFFER_CLEANUP struct buffer list = BUFFER_INIT(CUSTODY_RESULT_MAX);
    JSON_CLEANUP json_t *parsed = NULL;
    report_keys(&list, view);
    assert_true(buffer_ok(&list));
    assert_done(json_parse_own(buffer_span(&list), CUSTODY_VALUES_MAX, &parsed, &why), why);
    view_unref(view);
    view_unref(small);
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_auditor_reads_what_is_configured),
        cmocka_unit_test(what_is_on_record_and_to_come_is_in_it),
        cmocka_unit_test(only_pages_that_there_are),
        cmocka_unit_test(a_thousand_keys_with_chains_are_some_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
