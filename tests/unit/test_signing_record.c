/* SPDX-License-Identifier: Apache-2.0
 * What the audit log says of a caller's request (docs/audit.md: sign, done, refused): each member,
 * and over which bytes its digests are. */
#include "audit_support.h"
#include "base/base64url.h"
#include "signing/tls.h"
#include "tls_client.h"

static const char interaction[] = "7d0c1f3e-5b52-4a39-9f0e-0b8f0f4f2f11";
static const char jar_body[] =
    "{\"response_type\":\"code\",\"state\":\"abc\",\"nonce\":\"n-1\",\"max_age\":86400,"
    "\"redirect_uri\":\"https://localhost:8181/oauth/access_token\","
    "\"authorizationId\":\"976da7b0-1db2-410d-a5c9-e3a37bc4d7a1\"}";

/* Role transport on hsm-a, and the keys of all roles. */
static int setup(void **state)
{
    struct instance *instance = audited_instance("[operator, custodian]");
    instance->roles_more = "  - {name: transport, purpose: transport, certificate: optional, key: "
                           "p-256, tokens: [hsm-a]}\n";
    instance->caller_more = ", roles: [transport]";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    instance_make_keys(instance);
    make_key(instance, "{\"role\":\"transport\"}");
    *state = instance;
    return 0;
}

static int teardown(void **state)
{
    transport_instance_free(*state);
    return 0;
}

static struct signing_request request_for(const struct instance *instance, enum operation operation,
                                          const char *profile, const char *body)
{
    struct signing_request request = {
        .connection = instance->connection,
        .route = ROUTE_SIGN,
        .operation = operation,
        .content_type = "application/json",
        .body = span_of_text(body),
    };
    (void)snprintf(request.name, sizeof request.name, "%s", profile);
    return request;
}

static struct signing_answer ask(struct instance *instance, const struct signing_request *request)
{
    struct signing_answer answer;
    signing_ask(&instance->signing, instance->worker, request, &answer);
    return answer;
}

/* The answer to a request that is granted, and its record. */
struct signed_request {
    struct signing_answer answer;
    json_t *json;
    json_t *record;
    json_t *done;
};

static struct signed_request sign(struct instance *instance, const struct signing_request *request)
{
    struct signed_request made = {.json = NULL};
    struct reason why = {0};
    uint64_t before = audit_mark(instance);
    made.answer = ask(instance, request);
    assert_int_equal(made.answer.outcome, OUTCOME_OK);
    if (made.answer.media == MEDIA_JSON) {
        assert_done(json_parse_object(made.answer.body, &made.json, &why), why);
    }
    made.record = audit_record(instance, before, "sign");
    made.done = audit_done_of(instance, made.record);
    expect_self(made.record);
    expect_text(made.record, "request", made.answer.request_id);
    expect_text(made.record, "caller", "flow");
    expect_members(made.done, "seq prev time kind of outcome us released_sha256");
    expect_text(made.done, "outcome", "released");
    return made;
}

static void forget(struct signed_request *made)
{
    json_decref(made->json);
    json_decref(made->record);
    json_decref(made->done);
}

/* The three parts of a compact JWS. */
struct parts {
    struct span input; /* the first two, with the dot */
    struct buffer payload;
    struct buffer signature;
};

static struct parts parts_of(const char *jws)
{
    struct parts parts = {.payload = BUFFER_INIT(65536), .signature = BUFFER_INIT(1024)};
    const char *first = strchr(jws, '.');
    assert_non_null(first);
    const char *second = strchr(first + 1, '.');
    assert_non_null(second);
    parts.input = span_of(jws, (size_t)(second - jws));
    assert_true(base64url_decode(&parts.payload, span_of(first + 1, (size_t)(second - first - 1))));
    assert_true(base64url_decode(&parts.signature, span_of_text(second + 1)));
    return parts;
}

static void parts_forget(struct parts *parts)
{
    buffer_fini(&parts->payload);
    buffer_fini(&parts->signature);
}

static void expect_profile(struct instance *instance, const json_t *record,
                           enum operation operation, const char *profile)
{
    struct view *view = view_cell_get(instance->views);
    expect_text(record, "operation", operation_name(operation));
    expect_text(record, "profile", profile);
    expect_text(record, "profile_sha256",
                profile_digest(profiles_find(view->policy->profiles, operation, profile)));
    assert_int_equal(strlen(text_of(record, "profile_sha256")), AUDIT_HASH_LEN);
    view_unref(view);
}

static void expect_key_of(struct instance *instance, const json_t *record, const char *role,
                          const char *token, const char *alg)
{
    struct public_key *key = pinned(instance, role, token);
    expect_text(record, "role", role);
    expect_text(record, "kid", public_key_thumbprint(key));
    expect_text(record, "alg", alg);
    expect_text(record, "token", token);
    public_key_free(key);
}

/* The template makes no jti. */
static void a_jar_has_all_its_members(void **state)
{
    struct instance *instance = *state;
    struct signing_request request = request_for(instance, OPERATION_JAR, "op-jar-cof", jar_body);
    (void)snprintf(request.interaction_id, sizeof request.interaction_id, "%s", interaction);
    struct signed_request made = sign(instance, &request);
    struct parts parts = parts_of(text_of(made.json, "request"));
    expect_members(made.record, "seq prev time kind request interaction uid gid pid caller "
                                "operation profile profile_sha256 role kid alg token "
                                "payload_sha256 input_sha256");
    expect_text(made.record, "interaction", interaction);
    expect_profile(instance, made.record, OPERATION_JAR, "op-jar-cof");
    expect_key_of(instance, made.record, "seal-ec", "hsm-a", "ES256");
    expect_digest(made.record, "payload_sha256", buffer_span(&parts.payload));
    expect_digest(made.record, "input_sha256", parts.input);
    expect_digest(made.done, "released_sha256", buffer_span(&parts.signature));
    assert_int_equal(parts.signature.len, 64);
    parts_forget(&parts);
    forget(&made);
}

static void a_client_assertion_has_no_interaction_that_was_not_sent(void **state)
{
    struct instance *instance = *state;
    struct signing_request request =
        request_for(instance, OPERATION_CLIENT_ASSERTION, "paynet-assertion", "{}");
    struct signed_request made = sign(instance, &request);
    struct parts parts = parts_of(text_of(made.json, "client_assertion"));
    expect_members(made.record, "seq prev time kind request uid gid pid caller operation profile "
                                "profile_sha256 role kid alg token payload_sha256 input_sha256 "
                                "jti");
    expect_profile(instance, made.record, OPERATION_CLIENT_ASSERTION, "paynet-assertion");
    expect_key_of(instance, made.record, "seal", "hsm-a", "PS256");
    expect_text(made.record, "jti", text_of(made.json, "jti"));
    expect_digest(made.record, "payload_sha256", buffer_span(&parts.payload));
    expect_digest(made.record, "input_sha256", parts.input);
    expect_digest(made.done, "released_sha256", buffer_span(&parts.signature));
    parts_forget(&parts);
    forget(&made);
}

/* The signing input is the header, a dot, and the payload: encoded, or as it is (RFC 7797 §3). */
static void put_input(struct buffer *out, const char *jws, const char *body, bool encoded)
{
    buffer_put(out, jws, (size_t)(strchr(jws, '.') - jws) + 1);
    if (encoded) {
        base64url_encode(out, span_of_text(body));
    } else {
        buffer_put_text(out, body);
    }
}

static void a_detached_jws_has_the_digest_of_the_body_that_was_sent(void **state)
{
    static const struct {
        const char *profile;
        bool encoded;
    } rows[] = {{"uk-313", false}, {"uk-314", true}};
    static const char body[] = "{ \"Data\": {\"Amount\" : \"1.0\"} }";
    struct instance *instance = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct signing_request request =
            request_for(instance, OPERATION_DETACHED_JWS, rows[i].profile, body);
        struct signed_request made = sign(instance, &request);
        const char *jws = text_of(made.json, "jws");
        BUFFER_CLEANUP struct buffer input = BUFFER_INIT(65536);
        struct parts parts = parts_of(jws);
        put_input(&input, jws, body, rows[i].encoded);
        expect_members(made.record, "seq prev time kind request uid gid pid caller operation "
                                    "profile profile_sha256 role kid alg token payload_sha256 "
                                    "input_sha256");
        expect_profile(instance, made.record, OPERATION_DETACHED_JWS, rows[i].profile);
        expect_digest(made.record, "payload_sha256", span_of_text(body));
        expect_digest(made.record, "input_sha256", buffer_span(&input));
        expect_digest(made.done, "released_sha256", buffer_span(&parts.signature));
        parts_forget(&parts);
        forget(&made);
    }
}

/* A profile's digest follows its definition: another profile of the same template has another. */
static void profiles_of_one_template_have_digests_of_their_own(void **state)
{
    struct instance *instance = *state;
    struct view *view = view_cell_get(instance->views);
    const struct profiles *profiles = view->policy->profiles;
    assert_string_not_equal(profile_digest(profiles_find(profiles, OPERATION_JAR, "op-jar-cof")),
                            profile_digest(profiles_find(profiles, OPERATION_JAR, "op-jar-pis")));
    view_unref(view);
}

static struct signing_request handshake_request(const struct instance *instance, struct span body)
{
    struct signing_request request = {
        .connection = instance->connection,
        .route = ROUTE_TLS_SIGNATURE,
        .name = "transport",
        .scheme = "ecdsa_secp256r1_sha256",
        .content_type = "application/octet-stream",
        .body = body,
    };
    return request;
}

/* What leaves is DER, and a TLS 1.2 transcript names the server. */
static void a_handshake_has_its_scheme_its_peer_and_the_digest_of_what_was_released(void **state)
{
    struct instance *instance = *state;
    struct rig_identity ca;
    struct rig_identity server;
    const struct rig_certificate ca_form = {.is_ca = true};
    const struct rig_certificate server_form = {.san = "DNS:api.bank.example", .issuer = &ca};
    BUFFER_CLEANUP struct buffer messages = BUFFER_INIT(RIG_INPUT_MAX);
    struct public_key *key = pinned(instance, "transport", "hsm-a");
    rig_identity_make(RIG_P256, &ca_form, &ca);
    rig_identity_make(RIG_P256, &server_form, &server);
    tls_client_transcript(TLS1_2_VERSION, &server, &ca, public_key_spki(key), &messages);
    struct signing_request request = handshake_request(instance, buffer_span(&messages));
    struct signed_request made = sign(instance, &request);
    expect_members(made.record, "seq prev time kind request uid gid pid caller operation role kid "
                                "alg token payload_sha256 input_sha256 scheme peer");
    expect_text(made.record, "operation", "tls-signature");
    expect_text(made.record, "scheme", "ecdsa_secp256r1_sha256");
    expect_text(made.record, "peer", made.answer.peer);
    assert_non_null(strstr(made.answer.peer, "claimed-sni=api.bank.example"));
    expect_key_of(instance, made.record, "transport", "hsm-a", "ES256");
    expect_digest(made.record, "payload_sha256", buffer_span(&messages));
    expect_digest(made.record, "input_sha256", buffer_span(&messages));
    expect_digest(made.done, "released_sha256", made.answer.body);
    assert_int_equal(made.answer.body.data[0], 0x30); /* SEQUENCE */
    forget(&made);
    public_key_free(key);
    rig_identity_free(&server);
    rig_identity_free(&ca);
}

/* In transcript mode of TLS 1.3 what is signed is made here: two digests, and no other peer than
 * the one that the transcript proves. */
static void a_transcript_has_two_digests(void **state)
{
    struct instance *instance = *state;
    struct rig_identity server;
    const struct rig_certificate form = {.san = "DNS:api.bank.example"};
    BUFFER_CLEANUP struct buffer messages = BUFFER_INIT(RIG_INPUT_MAX);
    BUFFER_CLEANUP struct buffer content = BUFFER_INIT(256);
    struct public_key *key = pinned(instance, "transport", "hsm-a");
    uint8_t digest[48];
    rig_identity_make(RIG_P256, &form, &server);
    tls_client_transcript(TLS1_3_VERSION, &server, &server, public_key_spki(key), &messages);
    assert_int_equal(EVP_Digest(messages.data, messages.len, digest, NULL, EVP_sha384(), NULL), 1);
    rig_content(&content, "client", digest, sizeof digest); /* TLS_AES_256_GCM_SHA384 */
    struct signing_request request = handshake_request(instance, buffer_span(&messages));
    (void)snprintf(request.content_type, sizeof request.content_type,
                   "application/vnd.qseal.tls-transcript");
    struct signed_request made = sign(instance, &request);
    expect_digest(made.record, "payload_sha256", buffer_span(&messages));
    expect_digest(made.record, "input_sha256", buffer_span(&content));
    expect_text(made.record, "peer", made.answer.peer);
    forget(&made);
    public_key_free(key);
    rig_identity_free(&server);
}

/* --- refusals --- */

/* The record of a request that is refused. */
static json_t *refusal_of(struct instance *instance, const struct signing_request *request,
                          enum outcome want)
{
    struct reason why = {0};
    JSON_CLEANUP json_t *problem = NULL;
    uint64_t before = audit_mark(instance);
    struct signing_answer answer = ask(instance, request);
    assert_int_equal(answer.outcome, want);
    assert_done(json_parse_object(answer.body, &problem, &why), why);
    JSON_CLEANUP json_t *none = audit_records(instance, before, "sign");
    assert_int_equal(json_array_size(none), 0);
    json_t *record = audit_record(instance, before, "refused");
    if (request->connection == instance->connection) {
        expect_self(record);
    }
    expect_text(record, "request", answer.request_id);
    expect_text(record, "outcome", outcome_name(want));
    expect_text(record, "detail", text_of(problem, "detail"));
    return record;
}

static void a_refusal_names_the_claim_and_the_reason(void **state)
{
    struct instance *instance = *state;
    struct signing_request request =
        request_for(instance, OPERATION_JAR, "op-jar-cof", "{\"iss\":\"someone\"}");
    (void)snprintf(request.interaction_id, sizeof request.interaction_id, "%s", interaction);
    JSON_CLEANUP json_t *record = refusal_of(instance, &request, OUTCOME_RULE);
    expect_members(record, "seq prev time kind request interaction uid gid pid caller operation "
                           "profile outcome claim detail");
    expect_text(record, "interaction", interaction);
    expect_text(record, "caller", "flow");
    expect_text(record, "operation", "jar");
    expect_text(record, "profile", "op-jar-cof");
    expect_text(record, "claim", "iss");
}

/* What is verified is in no record; who asked in vain, about what profile and why, is. */
static void a_refusal_to_verify_names_the_profile(void **state)
{
    struct instance *instance = *state;
    struct signing_request request =
        request_for(instance, OPERATION_JAR, "op-response-jws",
                    "{\"jws\":\"e30..AA\",\"payload\":\"cDR5bG9hZA\",\"jwks\":{}}");
    request.route = ROUTE_VERIFY_DETACHED_JWS;
    request.operation = (enum operation)0;
    JSON_CLEANUP json_t *record = refusal_of(instance, &request, OUTCOME_RULE);
    expect_members(record,
                   "seq prev time kind request uid gid pid caller operation profile outcome "
                   "detail");
    expect_text(record, "operation", "verify-detached-jws");
    expect_text(record, "profile", "op-response-jws");
    expect_text(record, "detail", "alg: the header must have \"alg\" as a string");
}

/* A name that the caller made up is payload. */
static void a_claim_of_the_callers_own_is_not_told(void **state)
{
    struct instance *instance = *state;
    struct signing_request request =
        request_for(instance, OPERATION_JAR, "op-jar-cof", "{\"s3cret\":\"p4yload\"}");
    JSON_CLEANUP json_t *record = refusal_of(instance, &request, OUTCOME_RULE);
    expect_text(record, "claim", "a claim of the caller's own");
    char *text = json_dumps(record, 0);
    assert_null(strstr(text, "s3cret"));
    assert_null(strstr(text, "p4yload"));
    free(text);
}

/* What is no profile's affair has no profile, and what was asked by a role has that. */
static void a_refusal_without_a_profile_says_what_was_asked(void **state)
{
    struct instance *instance = *state;
    static const struct {
        enum signing_route route;
        const char *operation;
    } rows[] = {{ROUTE_TLS_SIGNATURE, "tls-signature"},
                {ROUTE_CERTIFICATE, "certificate"},
                {ROUTE_REFERENCE, "reference"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct signing_request request = {
            .connection = instance->connection, .route = rows[i].route, .name = "no-such"};
        JSON_CLEANUP json_t *record = refusal_of(instance, &request, OUTCOME_NOT_FOUND);
        expect_members(record, "seq prev time kind request uid gid pid caller operation role "
                               "outcome detail");
        expect_text(record, "operation", rows[i].operation);
        expect_text(record, "role", "no-such");
    }
}

/* Nobody is named for a connection that is gone, root least of all. */
static void a_refusal_of_nobody_names_nobody(void **state)
{
    struct instance *instance = *state;
    struct signing_request request =
        request_for(instance, OPERATION_JAR, "op-jar-cof", "{\"iss\":\"someone\"}");
    request.connection = 999;
    JSON_CLEANUP json_t *record = refusal_of(instance, &request, OUTCOME_UNAVAILABLE);
    expect_members(record, "seq prev time kind request operation profile outcome detail");
}

static void an_interaction_id_that_is_none_is_refused_and_not_recorded(void **state)
{
    struct instance *instance = *state;
    struct signing_request request = {
        .connection = instance->connection, .route = ROUTE_HEALTH, .interaction_id = "mine"};
    JSON_CLEANUP json_t *record = refusal_of(instance, &request, OUTCOME_MALFORMED);
    expect_members(record,
                   "seq prev time kind request uid gid pid caller operation outcome detail");
    expect_text(record, "operation", "health");
}

static void a_uid_that_is_no_caller_is_recorded(void **state)
{
    struct instance *instance = *state;
    struct reason why = {0};
    const struct caller stranger = {.uid = 65534, .gid = 65533, .pid = 4242};
    uint64_t mine = instance->connection;
    uint64_t before = audit_mark(instance);
    assert_done(callers_connect(instance->callers, &stranger, NULL, &instance->connection, &why),
                why);
    struct signing_request request = request_for(instance, OPERATION_JAR, "op-jar-cof", "{}");
    assert_int_equal(ask(instance, &request).outcome, OUTCOME_NOT_GRANTED);
    instance->connection = mine;
    JSON_CLEANUP json_t *record = audit_record(instance, before, "refused");
    expect_members(record, "seq prev time kind request uid gid pid operation profile outcome "
                           "detail");
    assert_int_equal(number_of(record, "uid"), 65534);
    assert_int_equal(number_of(record, "gid"), 65533);
    assert_int_equal(number_of(record, "pid"), 4242);
    expect_text(record, "detail", "uid 65534 is no caller in the configuration");
}

/* What is only read leaves no record. */
static void reading_is_not_recorded(void **state)
{
    static const enum signing_route routes[] = {ROUTE_HEALTH, ROUTE_PROFILES, ROUTE_KEYS,
                                                ROUTE_JWKS};
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        struct signing_request request = {.connection = instance->connection, .route = routes[i]};
        assert_int_equal(ask(instance, &request).outcome, OUTCOME_OK);
    }
    assert_int_equal(audit_mark(instance), before + 1);
}

/* The base64url of what was signed, and the body, are nowhere in the log. */
static void no_payload_is_in_the_log(void **state)
{
    struct instance *instance = *state;
    struct signing_request request = request_for(instance, OPERATION_DETACHED_JWS, "uk-314",
                                                 "{\"iban\":\"FI2112345600000785\"}");
    struct signed_request made = sign(instance, &request);
    char path[200];
    BUFFER_CLEANUP struct buffer log = BUFFER_INIT(AUDIT_SEGMENT_MAX);
    (void)snprintf(path, sizeof path, "%s/audit-0000000001.jsonl", instance->audit_folder);
    assert_int_equal(file_read(path, &log), 0);
    assert_null(strstr(buffer_text(&log), "FI2112345600000785"));
    assert_null(strstr(buffer_text(&log), "FI21"));
    assert_null(strstr(buffer_text(&log), strrchr(text_of(made.json, "jws"), '.') + 1));
    forget(&made);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_jar_has_all_its_members),
        TEST(a_client_assertion_has_no_interaction_that_was_not_sent),
        TEST(a_detached_jws_has_the_digest_of_the_body_that_was_sent),
        TEST(profiles_of_one_template_have_digests_of_their_own),
        TEST(a_handshake_has_its_scheme_its_peer_and_the_digest_of_what_was_released),
        TEST(a_transcript_has_two_digests),
        TEST(a_refusal_names_the_claim_and_the_reason),
        TEST(a_refusal_to_verify_names_the_profile),
        TEST(a_claim_of_the_callers_own_is_not_told),
        TEST(a_refusal_without_a_profile_says_what_was_asked),
        TEST(a_refusal_of_nobody_names_nobody),
        TEST(an_interaction_id_that_is_none_is_refused_and_not_recorded),
        TEST(a_uid_that_is_no_caller_is_recorded),
        TEST(reading_is_not_recorded),
        TEST(no_payload_is_in_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
