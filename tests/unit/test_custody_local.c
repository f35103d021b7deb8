/* SPDX-License-Identifier: Apache-2.0
 * The administrators' verbs: the table of rights, and what each change does and refuses. */
#include "custody/act.h"

#include "base/fd.h"
#include "base/file.h"
#include "check.h"
#include "instance.h"
#include "jose/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct instance *make(const char *rights)
{
    struct instance *instance = calloc(1, sizeof *instance);
    assert_non_null(instance);
    instance_init(instance, "[\"*\"]", rights);
    return instance;
}

static void drop(struct instance *instance)
{
    instance_fini(instance);
    free(instance);
}

static json_t *result_of(struct buffer *result)
{
    json_t *json = NULL;
    struct reason why = {0};
    assert_done(json_parse_object(buffer_span(result), &json, &why), why);
    return json;
}

/* Every verb with every single right: allowed exactly where this table says so. */
static void the_table_of_rights_is_obeyed(void **state)
{
    (void)state;
    static const struct {
        enum custody_verb verb;
        const char *arguments;
        bool operator_may, custodian_may, auditor_may, approver_may;
    } rows[] = {
        {CUSTODY_STATUS, "{}", true, true, true, true},
        {CUSTODY_RELOAD, "{}", true, false, false, false},
        {CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}", false, true, false, false},
        {CUSTODY_KEY_LIST, "{}", true, true, true, true},
        {CUSTODY_JWKS, "{}", true, true, true, true},
        {CUSTODY_TOKEN_UNLOCK, "{\"token\":\"hsm-a\"}", true, true, false, false},
        {CUSTODY_KEY_REFERENCE, "{\"role\":\"none\"}", true, true, true, true},
        {CUSTODY_KEY_CSR, "{\"role\":\"none\"}", false, true, false, false},
        {CUSTODY_KEY_IMPORT, "{\"role\":\"none\",\"chain\":\"\"}", false, true, false, false},
        {CUSTODY_KEY_PUBLISH, "{\"key\":\"none\"}", false, true, false, false},
        {CUSTODY_KEY_ACTIVATE, "{\"key\":\"none\"}", false, true, false, false},
        {CUSTODY_KEY_RETIRE, "{\"key\":\"none\"}", false, true, false, false},
        {CUSTODY_KEY_SUSPEND, "{\"key\":\"none\"}", false, true, false, false},
        {CUSTODY_KEY_RESUME, "{\"key\":\"none\"}", false, true, false, false},
        {CUSTODY_KEY_COMPROMISED, "{\"key\":\"none\"}", false, true, false, false},
        {CUSTODY_KEY_DESTROY, "{\"key\":\"none\"}", false, true, false, false},
        {CUSTODY_KEY_SHOW, "{\"key\":\"none\"}", true, true, true, true},
        {CUSTODY_TOKEN_LIST, "{}", true, true, true, true},
    };
    static const char *const rights[] = {"[operator]", "[custodian]", "[auditor]", "[approver]"};
    for (size_t r = 0; r < COUNT_OF(rights); r++) {
        struct instance *instance = make(rights[r]);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
            struct reason why = {0};
            bool may = r == 0   ? rows[i].operator_may
                       : r == 1 ? rows[i].custodian_may
                       : r == 2 ? rows[i].auditor_may
                                : rows[i].approver_may;
            enum outcome outcome =
                instance_admin(instance, rows[i].verb, rows[i].arguments, &result, &why);
            if (may && rows[i].verb >= CUSTODY_KEY_REFERENCE &&
                rows[i].verb != CUSTODY_TOKEN_LIST) {
                assert_refused(outcome, OUTCOME_NOT_FOUND, why, "no such role"); /* let through */
            } else if (may) {
                assert_done(outcome, why);
            } else {
                assert_refused(outcome, OUTCOME_NOT_GRANTED, why, "may not");
            }
        }
        drop(instance);
    }
}

static void somebody_else_may_nothing(void **state)
{
    (void)state;
    struct instance *instance = make("[operator]");
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    struct custody_question question = {
        .verb = CUSTODY_STATUS, .peer = {.uid = 65534}, .arguments = span_of_text("{}"), .pin = -1};
    assert_refused(custody_do(instance->custody, &question, &result, &why), OUTCOME_NOT_GRANTED,
                   why, "uid 65534 may not: status");
    drop(instance);
}

/* And the refusal says why a group does not help. */
static void a_group_gives_rights_too(void **state)
{
    (void)state;
    struct instance *instance = make("[operator]");
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    struct caller_groups groups = {.list = {70001, 70002}, .n = 2};
    struct caller peer = {.uid = 65534, .gid = 65534, .groups = &groups};
    instance->administrators_more = "  - {gid: 70002, rights: [auditor]}\n";
    instance_configure(instance, "[\"*\"]", "[operator]");
    assert_done(instance_admin(instance, CUSTODY_RELOAD, "{}", &result, &why), why);
    assert_done(instance_ask_as(instance, &peer, CUSTODY_STATUS, "{}", &result, &why), why);
    assert_refused(instance_ask_as(instance, &peer, CUSTODY_RELOAD, "{}", &result, &why),
                   OUTCOME_NOT_GRANTED, why, "uid 65534 may not: reload");
    assert_null(strstr(why.detail, "groups"));
    groups = (struct caller_groups){.too_many = true};
    assert_refused(
        instance_ask_as(instance, &peer, CUSTODY_STATUS, "{}", &result, &why), OUTCOME_NOT_GRANTED,
        why,
        "uid 65534 may not: status; it is in too many groups, so that of these only the primary "
        "one counts");
    peer.gid = 70002;
    assert_done(instance_ask_as(instance, &peer, CUSTODY_STATUS, "{}", &result, &why), why);
    drop(instance);
}

static void a_generated_key_is_active_pinned_and_on_disk(void **state)
{
    (void)state;
    struct instance *instance = make("[custodian]");
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    assert_done(instance_admin(instance, CUSTODY_KEY_GENERATE,
                               "{\"role\":\"seal-ec\",\"token\":\"hsm-b\"}", &result, &why),
                why);
    JSON_CLEANUP json_t *made = result_of(&result);
    const char *kid =
        json_string_value(json_object_get(json_array_get(json_object_get(made, "keys"), 0), "kid"));
    struct keyring *keyring = NULL;
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    const struct key *key = keyring_active(keyring, "seal-ec", "hsm-b");
    assert_non_null(key);
    assert_string_equal(public_key_thumbprint(key->public_key), kid);
    assert_int_equal(key->created_by, geteuid());
    assert_null(keyring_active(keyring, "seal-ec", "hsm-a"));
    keyring_free(keyring);

    assert_done(
        instance_admin(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}", &result, &why),
        why);
    JSON_CLEANUP json_t *rest = result_of(&result);
    assert_int_equal(json_array_size(json_object_get(rest, "keys")), 1); /* hsm-a only */
    /* with a key on each token, it is for their successors */
    assert_done(
        instance_admin(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}", &result, &why),
        why);
    JSON_CLEANUP json_t *more = result_of(&result);
    const json_t *keys = json_object_get(more, "keys");
    assert_int_equal(json_array_size(keys), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(json_string_value(json_object_get(json_array_get(keys, i), "state")),
                            "generated");
    }
    drop(instance);
}

static void generation_refuses_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        enum outcome outcome;
        const char *fragment;
    } rows[] = {
        {"{}", OUTCOME_NOT_FOUND, "no such role"},
        {"{\"role\":\"nobody\"}", OUTCOME_NOT_FOUND, "no such role"},
        {"{\"role\":\"seal\",\"token\":\"hsm-z\"}", OUTCOME_NOT_FOUND, "no such token"},
        {"{\"role\":\"seal\",\"token\":\"hsm-b\"}", OUTCOME_RULE,
         "role seal is not on token hsm-b"},
        {"{\"role\":\"seal\",\"size\":\"9\"}", OUTCOME_MALFORMED, "unknown or not a string"},
        {"{\"role\":7}", OUTCOME_MALFORMED, "unknown or not a string"},
        {"[]", OUTCOME_MALFORMED, "JSON object"},
    };
    struct instance *instance = make("[custodian]");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
        struct reason why = {0};
        assert_refused(
            instance_admin(instance, CUSTODY_KEY_GENERATE, rows[i].arguments, &result, &why),
            rows[i].outcome, why, rows[i].fragment);
    }
    drop(instance);
}

static void a_token_that_fails_leaves_no_key(void **state)
{
    (void)state;
    struct instance *instance = make("[custodian]");
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    instance->tokens[0].outcome = OUTCOME_TOKEN_UNAVAILABLE;
    assert_refused(
        instance_admin(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal\"}", &result, &why),
        OUTCOME_TOKEN_UNAVAILABLE, why, "told to fail");
    struct view *view = view_cell_get(instance->views);
    assert_int_equal(view->keyring->n_keys, 0);
    view_unref(view);
    assert_int_not_equal(access(instance->keyring_path, F_OK), 0);
    drop(instance);
}

static void a_broken_reload_leaves_everything_and_status_says_why(void **state)
{
    (void)state;
    struct instance *instance = make("[operator]");
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    assert_int_equal(file_replace(instance->config_path, span_of_text("nonsense: 1\n"), 0600), 0);
    assert_refused(instance_admin(instance, CUSTODY_RELOAD, "{}", &result, &why), OUTCOME_RULE, why,
                   "qseal.yaml:1");
    assert_done(instance_admin(instance, CUSTODY_STATUS, "{}", &result, &why), why);
    JSON_CLEANUP json_t *status = result_of(&result);
    assert_int_equal(json_integer_value(json_object_get(status, "generation")), 1);
    const json_t *reload = json_object_get(status, "reload");
    assert_true(json_is_true(json_object_get(reload, "refused")));
    assert_non_null(strstr(json_string_value(json_object_get(reload, "detail")), "qseal.yaml:1"));

    instance_configure(instance, "[op-detached]", "[operator]");
    assert_done(instance_admin(instance, CUSTODY_RELOAD, "{}", &result, &why), why);
    assert_done(instance_admin(instance, CUSTODY_STATUS, "{}", &result, &why), why);
    JSON_CLEANUP json_t *after = result_of(&result);
    assert_int_equal(json_integer_value(json_object_get(after, "generation")), 2);
    assert_true(json_is_false(json_object_get(json_object_get(after, "reload"), "refused")));
    drop(instance);
}

static void a_role_keeps_its_purpose_while_it_has_keys(void **state)
{
    (void)state;
    struct instance *instance = make("[operator, custodian]");
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    instance->roles_more =
        "  - {name: third, purpose: seal, key: p-256, algorithms: [ES256], tokens: [hsm-a]}\n";
    instance_configure(instance, "[op-detached]", "[operator, custodian]");
    assert_done(instance_admin(instance, CUSTODY_RELOAD, "{}", &result, &why), why);
    assert_done(
        instance_admin(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"third\"}", &result, &why), why);
    instance->roles_more = "  - {name: third, purpose: transport, key: p-256, tokens: [hsm-a]}\n";
    instance_configure(instance, "[op-detached]", "[operator, custodian]");
    assert_refused(instance_admin(instance, CUSTODY_RELOAD, "{}", &result, &why), OUTCOME_RULE, why,
                   "qseal.yaml: role third is of purpose transport, but its key ");
    assert_refused(instance_admin(instance, CUSTODY_RELOAD, "{}", &result, &why), OUTCOME_RULE, why,
                   " is a seal key: give the role another name, or destroy its keys first");
    drop(instance);
}

static void nothing_changes_any_more_when_the_disk_has_failed(void **state)
{
    (void)state;
    struct instance *instance = make("[custodian]");
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    instance->custody->disk_failed = true; /* what it is after a failed fsync */
    assert_refused(
        instance_admin(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal\"}", &result, &why),
        OUTCOME_UNAVAILABLE, why,
        "the disk failed while the keyring was saved, and nobody knows what is on it");
    assert_int_not_equal(access(instance->keyring_path, F_OK), 0);
    drop(instance);
}

static void unlock_reaches_the_token(void **state)
{
    (void)state;
    struct instance *instance = make("[operator]");
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    assert_done(
        instance_admin(instance, CUSTODY_TOKEN_UNLOCK, "{\"token\":\"hsm-b\"}", &result, &why),
        why);
    assert_int_equal(instance->tokens[1].unlocks, 1);
    assert_refused(instance_admin(instance, CUSTODY_TOKEN_UNLOCK, "{}", &result, &why),
                   OUTCOME_NOT_FOUND, why, "no such token");
    instance->tokens[1].outcome = OUTCOME_PIN;
    assert_refused(
        instance_admin(instance, CUSTODY_TOKEN_UNLOCK, "{\"token\":\"hsm-b\"}", &result, &why),
        OUTCOME_PIN, why, "told to fail");
    drop(instance);
}

/* Asked for only where the configuration says that it is typed; passed on, and never by who may
 * not.
 */
static void a_typed_pin_is_passed_on(void **state)
{
    (void)state;
    struct instance *instance = make("[custodian]");
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    const char *arguments = "{\"token\":\"hsm-b\"}";
    instance->tokens[1].wants_pin = true;
    assert_refused(instance_admin(instance, CUSTODY_TOKEN_UNLOCK, arguments, &result, &why),
                   OUTCOME_PIN, why, "the double's PIN is typed");
    instance->pins_typed = true;
    instance_configure(instance, "[\"*\"]", "[operator]");
    assert_done(custody_reload(instance->custody, &why), why);
    assert_done(instance_admin(instance, CUSTODY_TOKEN_UNLOCK, arguments, &result, &why), why);
    JSON_CLEANUP json_t *wanted = result_of(&result);
    assert_string_equal(json_string_value(json_object_get(wanted, "pin")), "wanted");
    assert_string_equal(json_string_value(json_object_get(wanted, "state")), "locked");
    assert_string_equal(json_string_value(json_object_get(wanted, "detail")),
                        "the double's PIN is typed");

    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "4711", 4), 4);
    const struct custody_question question = {.verb = CUSTODY_TOKEN_UNLOCK,
                                              .peer = {.uid = geteuid()},
                                              .arguments = span_of_text(arguments),
                                              .pin = ends[0]};
    struct custody_question by_nobody = question;
    by_nobody.peer.uid = 65534;
    assert_refused(custody_do(instance->custody, &by_nobody, &result, &why), OUTCOME_NOT_GRANTED,
                   why, "uid 65534 may not: token unlock");
    assert_string_equal(instance->tokens[1].typed, "");
    buffer_reset(&result);
    assert_done(custody_do(instance->custody, &question, &result, &why), why);
    assert_string_equal(buffer_text(&result), "{\"token\":\"hsm-b\",\"state\":\"ready\"}");
    assert_string_equal(instance->tokens[1].typed, "4711");
    fd_close(&ends[0]);
    fd_close(&ends[1]);
    drop(instance);
}

static void an_unknown_verb_is_not_found(void **state)
{
    (void)state;
    struct instance *instance = make("[operator]");
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct reason why = {0};
    assert_refused(instance_admin(instance, (enum custody_verb)0, "{}", &result, &why),
                   OUTCOME_NOT_FOUND, why, "no such verb");
    assert_refused(instance_admin(instance, (enum custody_verb)99, "{}", &result, &why),
                   OUTCOME_NOT_FOUND, why, "no such verb");
    drop(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_rights_is_obeyed),
        cmocka_unit_test(somebody_else_may_nothing),
        cmocka_unit_test(a_group_gives_rights_too),
        cmocka_unit_test(a_generated_key_is_active_pinned_and_on_disk),
        cmocka_unit_test(generation_refuses_with_the_reason),
        cmocka_unit_test(a_token_that_fails_leaves_no_key),
        cmocka_unit_test(a_broken_reload_leaves_everything_and_status_says_why),
        cmocka_unit_test(a_role_keeps_its_purpose_while_it_has_keys),
        cmocka_unit_test(nothing_changes_any_more_when_the_disk_has_failed),
        cmocka_unit_test(unlock_reaches_the_token),
        cmocka_unit_test(a_typed_pin_is_passed_on),
        cmocka_unit_test(an_unknown_verb_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
