/* SPDX-License-Identifier: Apache-2.0
 * A caller's questions, answered without sockets: who may ask what, and what each refusal says. */
#include "signing/local.h"

#include "check.h"
#include "instance.h"
#include "jose/json.h"
#include "jose/jws.h"

#include <stdio.h>
#include <stdlib.h>

static const char jar_body[] =
    "{\"response_type\":\"code\",\"state\":\"abc\",\"nonce\":\"n-1\",\"max_age\":86400,"
    "\"redirect_uri\":\"https://localhost:8181/oauth/access_token\","
    "\"authorizationId\":\"976da7b0-1db2-410d-a5c9-e3a37bc4d7a1\"}";

static int setup(void **state)
{
    static struct instance instance;
    instance_init(&instance, "[op-jar-cof, paynet-assertion]", "[operator, custodian]");
    *state = &instance;
    return 0;
}

static int teardown(void **state)
{
    instance_fini(*state);
    return 0;
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value == NULL ? "(none)" : value;
}

static void assert_problem(const struct signing_answer *answer, const json_t *problem,
                           enum outcome outcome, const char *fragment)
{
    struct reason why = {0};
    (void)snprintf(why.detail, sizeof why.detail, "%s", text(problem, "detail"));
    assert_refused(answer->outcome, outcome, why, fragment);
    assert_int_equal(answer->media, MEDIA_PROBLEM);
    assert_string_equal(text(problem, "request_id"), answer->request_id);
}

static void a_jar_is_made_and_verifies_against_the_jwks(void **state)
{
    struct instance *instance = *state;
    instance_make_keys(instance);
    JSON_CLEANUP json_t *jar = NULL;
    JSON_CLEANUP json_t *jwks = NULL;
    JSON_CLEANUP json_t *header = NULL;
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(65536);
    struct reason why = {0};
    struct signing_answer answer =
        instance_ask(instance, ROUTE_SIGN, OPERATION_JAR, "op-jar-cof", jar_body, &jar);
    assert_int_equal(answer.outcome, OUTCOME_OK);
    assert_int_equal(answer.media, MEDIA_JSON);
    assert_string_equal(text(jar, "request_id"), answer.request_id);
    answer = instance_ask(instance, ROUTE_JWKS, OPERATION_JAR, "", "", &jwks);
    assert_int_equal(answer.media, MEDIA_JWK_SET);
    assert_int_equal(answer.max_age_s, 300);
    struct jws_rules rules = {.jwks = jwks, .algs = 1U << ALG_ES256, .require_kid = true};
    assert_done(jws_verify(span_of_text(text(jar, "request")), (struct span){NULL, 0}, &rules,
                           &header, &payload, &why),
                why);
    assert_string_equal(text(header, "kid"), text(jar, "kid"));
}

static void grants_and_names_decide(void **state)
{
    struct instance *instance = *state;
    JSON_CLEANUP json_t *unknown = NULL;
    JSON_CLEANUP json_t *other_operation = NULL;
    JSON_CLEANUP json_t *not_granted = NULL;
    struct signing_answer answer =
        instance_ask(instance, ROUTE_SIGN, OPERATION_JAR, "no-such", "{}", &unknown);
    assert_problem(&answer, unknown, OUTCOME_NOT_FOUND, "no profile no-such of the operation jar");
    answer =
        instance_ask(instance, ROUTE_SIGN, OPERATION_DPOP, "op-jar-cof", "{}", &other_operation);
    assert_problem(&answer, other_operation, OUTCOME_NOT_FOUND,
                   "no profile op-jar-cof of the operation dpop");
    answer = instance_ask(instance, ROUTE_SIGN, OPERATION_JAR, "op-jar-pis", "{}", &not_granted);
    assert_problem(&answer, not_granted, OUTCOME_NOT_GRANTED,
                   "op-jar-pis is not granted to caller flow");
}

/* What others signed: the rule is in the problem, and grants count as for signing. */
static void what_is_verified_is_refused_by_rule(void **state)
{
    struct instance *instance = *state;
    JSON_CLEANUP json_t *unknown = NULL;
    JSON_CLEANUP json_t *refused = NULL;
    JSON_CLEANUP json_t *malformed = NULL;
    instance_configure(instance, "[op-response-jws]", "[operator, custodian]");
    struct reason why = {0};
    struct signing_answer answer = instance_ask(
        instance, ROUTE_VERIFY_DETACHED_JWS, (enum operation)0, "op-response-jws", "{}", &unknown);
    assert_problem(&answer, unknown, OUTCOME_NOT_GRANTED, "op-response-jws is not granted");
    assert_done(custody_reload(instance->custody, &why), why);
    answer = instance_ask(instance, ROUTE_VERIFY_DETACHED_JWS, (enum operation)0, "op-response-jws",
                          "{\"jws\":\"e30..AA\",\"payload\":\"\",\"jwks\":{}}", &refused);
    assert_problem(&answer, refused, OUTCOME_RULE, "must have \"alg\"");
    assert_string_equal(text(refused, "rule"), "alg");
    answer = instance_ask(instance, ROUTE_VERIFY_DETACHED_JWS, (enum operation)0, "op-response-jws",
                          "{}", &malformed);
    assert_problem(&answer, malformed, OUTCOME_RULE, "missing");
    assert_string_equal(text(malformed, "claim"), "/jws");
    assert_null(json_object_get(malformed, "rule"));
}

/* Times are judged by a clock that is believed, or not at all. */
static void an_id_token_needs_a_clock_that_is_believed(void **state)
{
    struct instance *instance = *state;
    static const char body[] = "{\"id_token\":\"e30.e30.AA\",\"nonce\":\"n\",\"jwks\":{}}";
    struct reason why = {0};
    JSON_CLEANUP json_t *before = NULL;
    JSON_CLEANUP json_t *after = NULL;
    instance_configure(instance, "[fapi2-id-token]", "[operator, custodian]");
    assert_done(custody_reload(instance->custody, &why), why);
    struct signing_answer answer = instance_ask(instance, ROUTE_VERIFY_ID_TOKEN, (enum operation)0,
                                                "fapi2-id-token", body, &before);
    assert_problem(&answer, before, OUTCOME_RULE, "must have \"alg\"");
    assert_string_equal(text(before, "rule"), "alg");
    instance_jump(instance, 7200);
    answer = instance_ask(instance, ROUTE_VERIFY_ID_TOKEN, (enum operation)0, "fapi2-id-token",
                          body, &after);
    assert_problem(&answer, after, OUTCOME_CLOCK, "clock");
    instance_jump(instance, 0);
}

static void a_profile_that_signs_verifies_nothing(void **state)
{
    JSON_CLEANUP json_t *problem = NULL;
    struct signing_answer answer = instance_ask(*state, ROUTE_VERIFY_DETACHED_JWS,
                                                (enum operation)0, "op-jar-cof", "{}", &problem);
    assert_problem(&answer, problem, OUTCOME_NOT_FOUND,
                   "no profile op-jar-cof of the operation verify-detached-jws");
}

static void without_a_key_the_answer_says_what_to_do(void **state)
{
    struct instance *instance = *state;
    JSON_CLEANUP json_t *problem = NULL;
    struct signing_answer answer =
        instance_ask(instance, ROUTE_SIGN, OPERATION_JAR, "op-jar-cof", jar_body, &problem);
    assert_problem(&answer, problem, OUTCOME_NO_KEY, "qsealctl key generate seal-ec");
}

static void a_rule_names_its_claim(void **state)
{
    struct instance *instance = *state;
    instance_make_keys(instance);
    JSON_CLEANUP json_t *problem = NULL;
    struct signing_answer answer = instance_ask(instance, ROUTE_SIGN, OPERATION_JAR, "op-jar-cof",
                                                "{\"iss\":\"someone\"}", &problem);
    assert_int_equal(answer.outcome, OUTCOME_RULE);
    assert_string_equal(text(problem, "claim"), "/iss");
}

static void an_unknown_connection_or_uid_gets_nothing(void **state)
{
    struct instance *instance = *state;
    JSON_CLEANUP json_t *unknown = NULL;
    JSON_CLEANUP json_t *stranger = NULL;
    struct reason why = {0};
    struct caller nobody = {.uid = 65534};
    uint64_t mine = instance->connection;
    instance->connection = 999;
    struct signing_answer answer =
        instance_ask(instance, ROUTE_HEALTH, OPERATION_JAR, "", "", &unknown);
    assert_problem(&answer, unknown, OUTCOME_UNAVAILABLE, "connection is not known");
    assert_done(callers_connect(instance->callers, &nobody, NULL, &instance->connection, &why),
                why);
    answer = instance_ask(instance, ROUTE_JWKS, OPERATION_JAR, "", "", &stranger);
    assert_problem(&answer, stranger, OUTCOME_NOT_GRANTED, "uid 65534 is no caller");
    instance->connection = mine;
}

static void an_interaction_id_is_one_uuid(void **state)
{
    struct instance *instance = *state;
    static const char *const bad[] = {"x", "00000000-0000-4000-8000-00000000000g",
                                      "00000000+0000+4000+8000+000000000000"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        JSON_CLEANUP json_t *problem = NULL;
        struct signing_request request = {.connection = instance->connection,
                                          .route = ROUTE_HEALTH};
        struct signing_answer answer;
        struct reason why = {0};
        (void)snprintf(request.interaction_id, sizeof request.interaction_id, "%s", bad[i]);
        signing_ask(&instance->signing, instance->worker, &request, &answer);
        assert_done(json_parse_object(answer.body, &problem, &why), why);
        assert_problem(&answer, problem, OUTCOME_MALFORMED, "x-fapi-interaction-id");
    }
}

static void health_follows_tokens_and_keys(void **state)
{
    struct instance *instance = *state;
    JSON_CLEANUP json_t *without_keys = NULL;
    JSON_CLEANUP json_t *with_keys = NULL;
    JSON_CLEANUP json_t *one_down = NULL;
    struct signing_answer answer =
        instance_ask(instance, ROUTE_HEALTH, OPERATION_JAR, "", "", &without_keys);
    assert_int_equal(answer.outcome, OUTCOME_UNAVAILABLE);
    assert_int_equal(answer.media, MEDIA_JSON);
    assert_string_equal(text(without_keys, "status"), "unready");
    instance_make_keys(instance);
    answer = instance_ask(instance, ROUTE_HEALTH, OPERATION_JAR, "", "", &with_keys);
    assert_int_equal(answer.outcome, OUTCOME_OK);
    assert_string_equal(text(with_keys, "status"), "ready");
    assert_string_equal(text(with_keys, "audit"), "off");
    assert_string_equal(text(with_keys, "clock"), "ok");
    instance->tokens[0].state = TOKEN_LOCKED;
    instance_wait_state(instance, "hsm-a", TOKEN_LOCKED);
    answer = instance_ask(instance, ROUTE_HEALTH, OPERATION_JAR, "", "", &one_down);
    assert_int_equal(answer.outcome, OUTCOME_OK);
    assert_string_equal(text(one_down, "status"), "degraded");
}

static void health_is_unready_while_the_clock_is_not_confirmed(void **state)
{
    struct instance *instance = *state;
    JSON_CLEANUP json_t *health = NULL;
    JSON_CLEANUP json_t *problem = NULL;
    instance_make_keys(instance);
    instance_jump(instance, -7200);
    struct signing_answer answer =
        instance_ask(instance, ROUTE_HEALTH, OPERATION_JAR, "", "", &health);
    assert_int_equal(answer.outcome, OUTCOME_UNAVAILABLE);
    assert_string_equal(text(health, "status"), "unready");
    assert_string_equal(text(health, "clock"), "unconfirmed");
    answer = instance_ask(instance, ROUTE_SIGN, OPERATION_JAR, "op-jar-cof", jar_body, &problem);
    assert_problem(&answer, problem, OUTCOME_CLOCK, "the clock has jumped");
    assert_string_equal(text(problem, "type"), "urn:qseal:problem:clock-unconfirmed");
}

/* A warning alone changes nothing. */
static void health_knows_a_key_past_its_end_as_missing_where_its_role_stops(void **state)
{
    enum { DAYS_2_S = 2 * 86400 };
    static const char *const ends[] = {"warn", "stop"};
    static const char *const want[] = {"ready", "degraded"};
    struct instance *instance = *state;
    instance_make_keys(instance);
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        JSON_CLEANUP json_t *health = NULL;
        struct reason why = {0};
        char more[64];
        (void)snprintf(more, sizeof more, ", cryptoperiod_days: 1, at_end: %s", ends[i]);
        instance->seal_ec_more = more;
        instance_configure(instance, "[op-jar-cof]", "[operator, custodian]");
        assert_done(custody_reload(instance->custody, &why), why);
        instance_age_keys(instance, DAYS_2_S);
        (void)instance_ask(instance, ROUTE_HEALTH, OPERATION_JAR, "", "", &health);
        assert_string_equal(text(health, "status"), want[i]);
    }
}

static void profiles_and_keys_list_what_is_granted(void **state)
{
    struct instance *instance = *state;
    instance_make_keys(instance);
    JSON_CLEANUP json_t *profiles = NULL;
    JSON_CLEANUP json_t *keys = NULL;
    (void)instance_ask(instance, ROUTE_PROFILES, OPERATION_JAR, "", "", &profiles);
    const json_t *list = json_object_get(profiles, "profiles");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(text(json_array_get(list, 0), "name"), "op-jar-cof");
    assert_string_equal(text(json_array_get(list, 0), "alg"), "ES256");
    assert_true(json_is_object(json_object_get(json_array_get(list, 0), "input")));
    assert_string_equal(text(json_array_get(list, 1), "operation"), "client-assertion");
    (void)instance_ask(instance, ROUTE_KEYS, OPERATION_JAR, "", "", &keys);
    list = json_object_get(keys, "keys");
    assert_int_equal(json_array_size(list), 3); /* seal on hsm-a, seal-ec on both */
    assert_null(json_object_get(json_array_get(list, 0), "alg"));
    assert_string_equal(text(json_array_get(list, 1), "alg"), "ES256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_jar_is_made_and_verifies_against_the_jwks, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(grants_and_names_decide, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_key_the_answer_says_what_to_do, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_verified_is_refused_by_rule, setup, teardown),
        cmocka_unit_test_setup_teardown(an_id_token_needs_a_clock_that_is_believed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_profile_that_signs_verifies_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rule_names_its_claim, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_connection_or_uid_gets_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_interaction_id_is_one_uuid, setup, teardown),
        cmocka_unit_test_setup_teardown(health_follows_tokens_and_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(health_is_unready_while_the_clock_is_not_confirmed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            health_knows_a_key_past_its_end_as_missing_where_its_role_stops, setup, teardown),
        cmocka_unit_test_setup_teardown(profiles_and_keys_list_what_is_granted, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
