/* SPDX-License-Identifier: Apache-2.0
 * Who may approve what, what is done then, and what is refused. */
#include "approval_support.h"
#include "certificate_support.h"

#include "base/file.h"
#include "custody/act.h"
#include "custody/effect.h"
#include "custody/plans.h"

#include <poll.h>
#include <sys/stat.h>

static void approved(struct instance *instance, const char *digest)
{
    json_decref(done_as(instance, BERT, CUSTODY_KEY_APPROVE, digest));
}

static void refused_by(struct instance *instance, const char *digest, enum outcome outcome,
                       const char *fragment)
{
    refused_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, outcome, fragment);
}

/* A whole life, each step asked for by one and approved by another. */
static void a_rotation_by_two_persons(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char digest[100];
    char arguments[400];
    approved(instance, planned(instance, CUSTODY_KEY_PUBLISH,
                               "{\"key\":\"seal-ec\",\"reason\":\"of 2027\"}", digest));
    expect_key(instance, 2, KEY_PUBLISHED, ANNA, "of 2027; approved by uid 71002");
    expect_key(instance, 3, KEY_PUBLISHED, ANNA, "of 2027; approved by uid 71002");
    assert_int_equal(count_plans(instance), 0);
    (void)planned(instance, CUSTODY_KEY_ACTIVATE, "{\"key\":\"seal-ec\"}", digest);
    refused_by(instance, digest, OUTCOME_RULE,
               " s ago; verifiers may hold the old JWK Set for 300 s");
    assert_int_equal(count_plans(instance), 1); /* it is not yet time: it waits on */
    let_pass(instance, 301);
    approved(instance, digest);
    expect_key(instance, 0, KEY_RETIRING, ANNA, "approved by uid 71002");
    expect_key(instance, 2, KEY_ACTIVE, ANNA, "approved by uid 71002");
    (void)planned(instance, CUSTODY_KEY_RETIRE, "{\"key\":\"seal-ec\"}", digest);
    refused_by(instance, digest, OUTCOME_RULE, "the key stopped signing ");
    let_pass(instance, 400 * 86400);
    approved(instance, digest);
    expect_key(instance, 1, KEY_RETIRED, ANNA, "approved by uid 71002");
    JSON_CLEANUP json_t *result = done_as(
        instance, BERT, CUSTODY_KEY_APPROVE,
        planned(instance, CUSTODY_KEY_DESTROY, naming_key(instance, 1, "", arguments), digest));
    expect_key(instance, 1, KEY_DESTROYED, ANNA, "approved by uid 71002");
    assert_string_equal(text_of(json_object_get(result, "approved"), "verb"), "key destroy");
    assert_int_equal(json_integer_value(json_at_pointer(result, "/approved/by")), ANNA);
    assert_string_equal(text_of(json_at_pointer(result, "/result/keys/0"), "state"), "destroyed");
    approved(instance, planned(instance, CUSTODY_KEY_GENERATE,
                               "{\"role\":\"seal\",\"token\":\"hsm-a\"}", digest));
    expect_key(instance, 4, KEY_ACTIVE, ANNA, "approved by uid 71002");
    transport_instance_free(instance);
}

static void who_may_not_approve(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char digest[100];
    (void)planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", digest);
    refused_as(instance, ANNA, CUSTODY_KEY_APPROVE, digest, OUTCOME_NOT_GRANTED,
               "uid 71001 may not: key approve");
    refused_as(instance, DORA, CUSTODY_KEY_APPROVE, digest, OUTCOME_NOT_GRANTED,
               "uid 71004 may not: key approve");
    refused_as(instance, 65534, CUSTODY_PLAN_LIST, "{}", OUTCOME_NOT_GRANTED,
               "uid 65534 may not: plan list");
    refused_as(instance, 0, CUSTODY_KEY_APPROVE, digest, OUTCOME_NOT_GRANTED,
               "this needs two persons, and uid 0 is none of them: approve as yourself");
    JSON_CLEANUP json_t *own =
        done_as(instance, CARL, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}");
    (void)snprintf(digest, sizeof digest, "{\"digest\":\"%s\"}",
                   text_of(json_object_get(own, "planned"), "digest"));
    refused_as(instance, CARL, CUSTODY_KEY_APPROVE, digest, OUTCOME_NOT_GRANTED,
               "a plan is approved by another person than the one who asked for it, uid 71003");
    expect_key(instance, 2, KEY_GENERATED, geteuid(), "");
    assert_int_equal(count_plans(instance), 2);
    approved(instance, digest);
    expect_key(instance, 2, KEY_PUBLISHED, CARL, "approved by uid 71002");
    transport_instance_free(instance);
}

/* No qseald writes one; a file may hold it. */
static void a_plan_of_uid_0_is_not_approved(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    struct reason why = {0};
    char file[128];
    char digest[100];
    PLANS_CLEANUP struct plans plans = {.n = 0};
    struct plan plan = {0};
    JSON_CLEANUP json_t *arguments = json_pack("{s:s}", "key", "seal-ec");
    JSON_CLEANUP json_t *effect = effect_new();
    assert_done(plan_make(&plan, "key publish", arguments, effect, 0, 1, 4102444800, &why), why);
    (void)snprintf(digest, sizeof digest, "{\"digest\":\"%s\"}", plan.digest);
    assert_done(plans_add(&plans, &plan, &why), why);
    assert_done(plan_make(&plan, "status", arguments, effect, ANNA, 1, 4102444800, &why), why);
    char other[100];
    (void)snprintf(other, sizeof other, "{\"digest\":\"%s\"}", plan.digest);
    assert_done(plans_add(&plans, &plan, &why), why);
    plans_path(instance, file);
    assert_done(plans_save(&plans, file, &why), why);
    refused_by(instance, digest, OUTCOME_NOT_GRANTED,
               "this needs two persons, and uid 0 is none of them: it asked for the plan");
    refused_by(instance, other, OUTCOME_NOT_FOUND, "there is no such verb that is approved");
    transport_instance_free(instance);
}

static void a_plan_is_named_clearly_or_not_at_all(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char digest[100];
    char arguments[100];
    (void)planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", digest);
    refused_by(instance, "{}", OUTCOME_MALFORMED, "\"digest\" is missing: that of a plan");
    refused_by(instance, "{\"plan\":\"x\"}", OUTCOME_MALFORMED, "unknown or not a string");
    refused_by(instance, "{\"digest\":\"0123456789abcde\"}", OUTCOME_NOT_FOUND,
               "by its digest, or the first 16 or more characters of it");
    refused_by(instance, "{\"digest\":\"0123456789abcdeX\"}", OUTCOME_NOT_FOUND,
               "there is no plan of this digest");
    (void)snprintf(arguments, sizeof arguments, "%.27s\"}", digest);
    JSON_CLEANUP json_t *shown = done_as(instance, DORA, CUSTODY_PLAN_SHOW, arguments);
    assert_string_equal(text_of(json_at_pointer(shown, "/plan/arguments"), "key"), "seal-ec");
    refused_by(instance, arguments, OUTCOME_RULE,
               "a plan is approved by its whole digest, 64 characters: others may begin so");
    approved(instance, digest);
    refused_by(instance, digest, OUTCOME_NOT_FOUND, "it was approved, withdrawn, or has expired");
    expect_key(instance, 3, KEY_PUBLISHED, ANNA, "approved by uid 71002");
    transport_instance_free(instance);
}

static void what_has_changed_since_is_not_done(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char first[100];
    char second[100];
    char arguments[400];
    (void)planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", first);
    (void)planned(instance, CUSTODY_KEY_PUBLISH, naming_key(instance, 2, "one", arguments), second);
    approved(instance, second);
    /* The role now means one key less. */
    refused_by(instance, first, OUTCOME_RULE,
               "what the plan would do has changed since: keys/0/token was \"hsm-a\" and is "
               "\"hsm-b\"; ask for it anew");
    expect_key(instance, 3, KEY_GENERATED, geteuid(), "");
    /* What was planned is not possible any more. */
    (void)planned(instance, CUSTODY_KEY_DESTROY, naming_key(instance, 3, "", arguments), first);
    (void)planned(instance, CUSTODY_KEY_PUBLISH, naming_key(instance, 3, "", arguments), second);
    approved(instance, second);
    refused_by(instance, first, OUTCOME_RULE,
               "what the plan would do has changed since: a key that is published does not become "
               "destroyed");
    /* There and back again is a change. */
    (void)planned(instance, CUSTODY_KEY_ACTIVATE, naming_key(instance, 3, "", arguments), first);
    (void)naming_key(instance, 3, "", arguments);
    json_decref(done_as(instance, ANNA, CUSTODY_KEY_SUSPEND, arguments));
    approved(instance, planned(instance, CUSTODY_KEY_RESUME, arguments, second));
    let_pass(instance, 301);
    refused_by(instance, first, OUTCOME_RULE,
               "has changed since: keys/1/changes was 2 and is 4; ask for it anew");
    /* The token is not: the plan waits on. */
    json_decref(done_as(instance, ANNA, CUSTODY_KEY_COMPROMISED, arguments));
    (void)planned(instance, CUSTODY_KEY_DESTROY, arguments, first);
    instance->tokens[1].outcome = OUTCOME_TOKEN_UNAVAILABLE;
    refused_by(instance, first, OUTCOME_TOKEN_UNAVAILABLE, "told to fail");
    instance->tokens[1].outcome = OUTCOME_OK;
    approved(instance, first);
    expect_key(instance, 3, KEY_DESTROYED, ANNA, "approved by uid 71002");
    transport_instance_free(instance);
}

/* As after a crash between doing a plan and dropping it: the file of before is there again. */
static void approved_with_a_crash(struct instance *instance, const char *digest,
                                  const char *fragment)
{
    char file[128];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(1 << 20);
    plans_path(instance, file);
    assert_int_equal(file_read(file, &text), 0);
    approved(instance, digest);
    assert_int_equal(file_replace(file, buffer_span(&text), 0640), 0);
    struct view *before = view_cell_get(instance->views);
    refused_by(instance, digest, OUTCOME_RULE, fragment);
    struct view *after = view_cell_get(instance->views);
    assert_ptr_equal(before->keyring, after->keyring);
    view_unref(before);
    view_unref(after);
    json_decref(done_as(instance, ANNA, CUSTODY_PLAN_WITHDRAW, digest));
}

static void nothing_is_done_twice(void **state)
{
    (void)state;
    static const char since[] = "what the plan would do has changed since: ";
    struct instance *instance = approval_instance();
    char digest[100];
    char arguments[400];
    approved_with_a_crash(instance,
                          planned(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal\"}", digest),
                          "keys/0/keys_before was 0 and is 1");
    approved_with_a_crash(instance,
                          planned(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal-ec\"}", digest),
                          "keys/0/keys_before was 2 and is 3");
    approved_with_a_crash(
        instance,
        planned(instance, CUSTODY_KEY_PUBLISH, naming_key(instance, 2, "", arguments), digest),
        since);
    let_pass(instance, 301);
    approved_with_a_crash(
        instance,
        planned(instance, CUSTODY_KEY_ACTIVATE, naming_key(instance, 2, "", arguments), digest),
        since);
    let_pass(instance, 400 * 86400);
    approved_with_a_crash(
        instance,
        planned(instance, CUSTODY_KEY_RETIRE, naming_key(instance, 0, "", arguments), digest),
        since);
    approved_with_a_crash(
        instance,
        planned(instance, CUSTODY_KEY_DESTROY, naming_key(instance, 0, "", arguments), digest),
        since);
    (void)naming_key(instance, 1, "", arguments);
    json_decref(done_as(instance, ANNA, CUSTODY_KEY_SUSPEND, arguments));
    approved_with_a_crash(instance, planned(instance, CUSTODY_KEY_RESUME, arguments, digest),
                          since);
    transport_instance_free(instance);
}

/* {"role":"tls","chain":…} for its active key. */
static char *certificate_for(struct instance *instance)
{
    static const struct issue leaf = {
        .subject = "leaf", .issuer = "ca", .extended_key_usage = "clientAuth"};
    struct public_key *key = pinned(instance, "tls", "hsm-a");
    struct span spki = public_key_spki(key);
    const unsigned char *at = spki.data;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
    EVP_PKEY *ca = EVP_EC_gen("P-256");
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(65536);
    put_issued(&chain, &leaf, pkey, ca);
    JSON_CLEANUP json_t *arguments =
        json_pack("{s:s, s:s}", "role", "tls", "chain", buffer_text(&chain));
    char *text = json_dumps(arguments, 0);
    assert_non_null(text);
    EVP_PKEY_free(ca);
    EVP_PKEY_free(pkey);
    public_key_free(key);
    return text;
}

static void certificates_are_approved_by_their_digest(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char digest[100];
    instance->roles_more = "  - {name: tls, purpose: transport, certificate: optional, key: p-256, "
                           "tokens: [hsm-a]}\n";
    configure(instance, "");
    make_key(instance, "{\"role\":\"tls\"}");
    configure(instance, "approval: {required: true}\n");
    char *text = certificate_for(instance);
    char *renewed = certificate_for(instance);
    JSON_CLEANUP json_t *result = done_as(instance, ANNA, CUSTODY_KEY_IMPORT, text);
    const json_t *key = json_at_pointer(result, "/planned/effect/keys/0");
    assert_string_equal(text_of(key, "from"), "active");
    assert_string_equal(text_of(key, "to"), "active");
    assert_string_equal(text_of(key, "chain_sha256_before"), "");
    assert_int_equal(strlen(text_of(key, "chain_sha256")), 64);
    (void)snprintf(digest, sizeof digest, "{\"digest\":\"%s\"}",
                   text_of(json_object_get(result, "planned"), "digest"));
    approved_with_a_crash(instance, digest, "keys/0/chain_sha256_before was \"\" and is \"");
    approved_with_a_crash(instance, planned(instance, CUSTODY_KEY_IMPORT, renewed, digest),
                          "keys/0/chain_sha256_before was \"");
    struct view *view = view_cell_get(instance->views);
    const struct key *kept = keyring_active(view->keyring, "tls", "hsm-a");
    JSON_CLEANUP json_t *arguments = json_loads(renewed, 0, NULL);
    assert_string_equal(kept->chain_pem, text_of(arguments, "chain"));
    view_unref(view);
    free(text);
    free(renewed);
    transport_instance_free(instance);
}

/* With approval off a plan that is there is still done by nobody alone. */
static void plans_outlive_a_reload(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char digest[100];
    (void)planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\",\"token\":\"hsm-a\"}",
                  digest);
    configure(instance, "");
    refused_as(instance, ANNA, CUSTODY_KEY_APPROVE, digest, OUTCOME_NOT_GRANTED, "may not");
    expect_key(instance, 2, KEY_GENERATED, geteuid(), "");
    approved(instance, digest);
    expect_key(instance, 2, KEY_PUBLISHED, ANNA, "approved by uid 71002");
    json_decref(do_verb(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}"));
    expect_key(instance, 3, KEY_PUBLISHED, geteuid(), "");
    transport_instance_free(instance);
}

static void a_plan_expires(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char digest[100];
    configure(instance, "approval: {required: true, valid_s: 1}\n");
    (void)planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", digest);
    struct deadline end = deadline_in_ms(20000);
    while (count_plans(instance) > 0 && !deadline_passed(end)) {
        (void)poll(NULL, 0, 20);
    }
    refused_by(instance, digest, OUTCOME_RULE, "the plan has expired at 20");
    configure(instance, "approval: {required: true}\n");
    (void)planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\",\"token\":\"hsm-a\"}",
                  (char[100]){0});
    refused_by(instance, digest, OUTCOME_NOT_FOUND, "or has expired"); /* dropped */
    expect_key(instance, 2, KEY_GENERATED, geteuid(), "");
    transport_instance_free(instance);
}

static void who_withdraws_a_plan(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char digest[100];
    (void)planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", digest);
    refused_as(instance, BERT, CUSTODY_PLAN_WITHDRAW, digest, OUTCOME_NOT_GRANTED,
               "a plan is withdrawn by who made it, uid 71001, or by a custodian");
    JSON_CLEANUP json_t *result = done_as(instance, CARL, CUSTODY_PLAN_WITHDRAW, digest);
    assert_int_equal(strlen(text_of(result, "withdrawn")), 64);
    refused_by(instance, digest, OUTCOME_NOT_FOUND, "it was approved, withdrawn");
    (void)planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", digest);
    json_decref(done_as(instance, ANNA, CUSTODY_PLAN_WITHDRAW, digest));
    assert_int_equal(count_plans(instance), 0);
    refused_as(instance, DORA, CUSTODY_PLAN_LIST, "{\"all\":\"yes\"}", OUTCOME_MALFORMED,
               "unknown");
    transport_instance_free(instance);
}

/* Keys sign, and are stopped, whatever is in the file. */
static void a_damaged_file_stops_plans_alone(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char file[128];
    char digest[100];
    char arguments[400];
    static const char fragment[] = "keys sign on, but no plan is made or approved until";
    JSON_CLEANUP json_t *answer = NULL;
    (void)planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", digest);
    plans_path(instance, file);
    assert_int_equal(file_replace(file, span_of_text("{\"format\":1,"), 0640), 0);
    refused_by(instance, digest, OUTCOME_RULE, fragment);
    refused_as(instance, ANNA, CUSTODY_PLAN_LIST, "{}", OUTCOME_RULE, fragment);
    refused_as(instance, ANNA, CUSTODY_PLAN_SHOW, digest, OUTCOME_RULE, fragment);
    refused_as(instance, ANNA, CUSTODY_PLAN_WITHDRAW, digest, OUTCOME_RULE, fragment);
    refused_as(instance, ANNA, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", OUTCOME_RULE,
               fragment);
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    struct signing_answer signed_one =
        instance_ask(instance, ROUTE_SIGN, OPERATION_DPOP, "dpop",
                     "{\"htm\":\"GET\",\"htu\":\"https://rs.example/a\"}", &answer);
    assert_int_equal(signed_one.outcome, OUTCOME_OK);
    json_decref(
        done_as(instance, ANNA, CUSTODY_KEY_SUSPEND, naming_key(instance, 0, "odd", arguments)));
    expect_key(instance, 0, KEY_SUSPENDED, ANNA, "odd");
    transport_instance_free(instance);
}

/* The plan stays in the file, and is not done again. */
static void a_plan_that_cannot_be_dropped_is_done_once(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char digest[100];
    char file[128];
    (void)planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", digest);
    plans_path(instance, file);
    (void)strcat(file, ".new");
    assert_int_equal(mkdir(file, 0700), 0);
    approved(instance, digest);
    expect_key(instance, 2, KEY_PUBLISHED, ANNA, "approved by uid 71002");
    assert_int_equal(rmdir(file), 0);
    assert_int_equal(count_plans(instance), 1);
    refused_by(instance, digest, OUTCOME_RULE,
               "what the plan would do has changed since: role seal-ec has no key that is "
               "generated or certified");
    transport_instance_free(instance);
}

/* As while a token makes a key: nobody waits for it, and the door has workers left. */
static void one_plan_is_done_at_a_time(void **state)
{
    (void)state;
    struct instance *instance = approval_instance();
    char digest[100];
    (void)planned(instance, CUSTODY_KEY_GENERATE, "{\"role\":\"seal\"}", digest);
    pthread_mutex_lock(&instance->custody->approving);
    refused_by(instance, digest, OUTCOME_LIMIT, "a plan is being done; try again in a moment");
    refused_as(instance, ANNA, CUSTODY_PLAN_WITHDRAW, digest, OUTCOME_LIMIT,
               "a plan is being done; try again in a moment");
    pthread_mutex_unlock(&instance->custody->approving);
    pthread_mutex_lock(&instance->custody->generating);
    refused_by(instance, digest, OUTCOME_LIMIT,
               "another key is being generated; try again when it is done");
    pthread_mutex_unlock(&instance->custody->generating);
    approved(instance, digest);
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rotation_by_two_persons),
        cmocka_unit_test(who_may_not_approve),
        cmocka_unit_test(a_plan_of_uid_0_is_not_approved),
        cmocka_unit_test(a_plan_is_named_clearly_or_not_at_all),
        cmocka_unit_test(what_has_changed_since_is_not_done),
        cmocka_unit_test(nothing_is_done_twice),
        cmocka_unit_test(certificates_are_approved_by_their_digest),
        cmocka_unit_test(plans_outlive_a_reload),
        cmocka_unit_test(a_plan_expires),
        cmocka_unit_test(who_withdraws_a_plan),
        cmocka_unit_test(a_plan_that_cannot_be_dropped_is_done_once),
        cmocka_unit_test(one_plan_is_done_at_a_time),
        cmocka_unit_test(a_damaged_file_stops_plans_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
