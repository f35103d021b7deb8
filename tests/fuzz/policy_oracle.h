/* SPDX-License-Identifier: Apache-2.0
 * What every artefact must satisfy, written without a look at src/policy: the harnesses abort when
 * one does not. */
#ifndef QSEAL_TESTS_POLICY_ORACLE_H
#define QSEAL_TESTS_POLICY_ORACLE_H

#include "base/base64url.h"
#include "jose/json.h"
#include "model/shape.h"
#include "policy/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "broken: %s\n", #condition);                                     \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static inline bool oracle_has(json_t *object, const char *name)
{
    return json_object_get(object, name) != NULL;
}

static inline bool oracle_none(json_t *object, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (oracle_has(object, *names)) {
            return false;
        }
    }
    return true;
}

static inline bool oracle_same(json_t *object, const char *a, const char *b)
{
    return json_is_string(json_object_get(object, a)) &&
           json_equal(json_object_get(object, a), json_object_get(object, b));
}

static inline json_t *oracle_object(struct span text)
{
    json_t *object = NULL;
    struct reason why;
    MUST(json_parse_object(text, &object, &why) == OUTCOME_OK);
    return object;
}

static inline void oracle_jar(json_t *claims)
{
    static const char *const never[] = {"sub", "request", "request_uri", NULL};
    MUST(oracle_none(claims, never));
    MUST(oracle_same(claims, "iss", "client_id"));
    MUST(oracle_has(claims, "aud"));
    const char *type = json_string_value(json_object_get(claims, "response_type"));
    MUST(type != NULL && strcmp(type, "token") != 0 && strstr(type, " token") == NULL &&
         strncmp(type, "token ", 6) != 0);
}

static inline void oracle_assertion(json_t *claims)
{
    static const char *const never[] = {"response_type", "scope", "redirect_uri", "client_id",
                                        NULL};
    MUST(oracle_none(claims, never));
    MUST(oracle_same(claims, "iss", "sub"));
    MUST(json_is_string(json_object_get(claims, "aud")));
    MUST(oracle_has(claims, "jti") && oracle_has(claims, "exp"));
}

static inline void oracle_body_jwt(json_t *claims)
{
    static const char *const never[] = {"sub",   "response_type", "client_id",          "request",
                                        "scope", "redirect_uri",  "software_statement", "events",
                                        NULL};
    MUST(oracle_none(claims, never));
    MUST(json_is_string(json_object_get(claims, "iss")));
}

static inline void oracle_claims(const struct profile *profile, json_t *header, json_t *claims)
{
    static const char *const grant[] = {"sub", "redirect_uri", "request", "request_uri", NULL};
    static const char *const registration[] = {"sub", "response_type", "client_id", "request",
                                               NULL};
    const char *typ = json_string_value(json_object_get(header, "typ"));
    bool is_proof = typ != NULL && strcmp(typ, "dpop+jwt") == 0;
    MUST(is_proof == (profile_operation(profile) == OPERATION_DPOP));
    MUST(is_proof == oracle_has(header, "jwk"));
    const json_t *type = json_object_get(claims, "response_type");
    switch (profile_operation(profile)) {
    case OPERATION_JAR:
        oracle_jar(claims);
        return;
    case OPERATION_CLIENT_ASSERTION:
        oracle_assertion(claims);
        return;
    case OPERATION_GRANT_ASSERTION:
        MUST(oracle_none(claims, grant));
        MUST(type == NULL || strcmp(json_string_value(type), "token") == 0);
        return;
    case OPERATION_REGISTRATION:
        MUST(oracle_none(claims, registration));
        return;
    case OPERATION_BODY_JWT:
        oracle_body_jwt(claims);
        return;
    case OPERATION_DPOP:
        MUST(oracle_has(claims, "htm") && oracle_has(claims, "htu") && !oracle_has(claims, "iss"));
        return;
    case OPERATION_DETACHED_JWS:
        return;
    }
}

/* RFC 7519 times: whole numbers, and no longer apart than any kind allows. */
static inline void oracle_times(json_t *claims, int64_t now)
{
    const json_t *exp = json_object_get(claims, "exp");
    const json_t *nbf = json_object_get(claims, "nbf");
    const json_t *iat = json_object_get(claims, "iat");
    MUST(exp == NULL || (json_is_integer(exp) && json_integer_value(exp) <= now + 3600));
    MUST(nbf == NULL || (json_is_integer(nbf) && json_integer_value(nbf) <= now &&
                         json_integer_value(nbf) >= now - 3600));
    MUST(iat == NULL || (json_is_integer(iat) && json_integer_value(iat) <= now &&
                         json_integer_value(iat) >= now - 60));
}

/* Finding F1: none of these at the top of a detached body, whatever a template permits. */
static inline void oracle_body(struct span body, struct span sent)
{
    static const char *const never[] = {"iss",           "sub", "aud", "exp",
                                        "nbf",           "jti", "iat", "software_statement",
                                        "response_type", NULL};
    MUST(span_equal(body, sent));
    JSON_CLEANUP json_t *object = oracle_object(body);
    MUST(oracle_none(object, never));
}

static inline void oracle_artefact(const struct profile *profile, const struct artefact *artefact,
                                   struct span sent, int64_t now)
{
    struct span input = buffer_span(&artefact->signing_input);
    struct reason why;
    MUST(shape_check(PURPOSE_SEAL, profile_alg(profile), input, &why) == OUTCOME_OK);
    BUFFER_CLEANUP struct buffer header = BUFFER_INIT(1 << 22);
    BUFFER_CLEANUP struct buffer payload = BUFFER_INIT(1 << 22);
    MUST(base64url_decode(&header, span_part(input, 0, artefact->header_len)));
    struct span behind = span_part(input, artefact->header_len + 1, input.len);
    JSON_CLEANUP json_t *head = oracle_object(buffer_span(&header));
    MUST(json_is_string(json_object_get(head, "alg")));
    if (oracle_has(head, "b64")) {
        MUST(profile_operation(profile) == OPERATION_DETACHED_JWS);
        oracle_body(behind, sent);
        return;
    }
    MUST(base64url_decode(&payload, behind));
    if (profile_operation(profile) == OPERATION_DETACHED_JWS) {
        oracle_body(buffer_span(&payload), sent);
        return;
    }
    JSON_CLEANUP json_t *claims = oracle_object(buffer_span(&payload));
    oracle_claims(profile, head, claims);
    oracle_times(claims, now);
}

/* Builds, checks what comes out, and reads the answer back. */
static inline void oracle_try(const struct profile *profile, struct span body,
                              struct artefact *artefact)
{
    static const struct signing_key key = {.kid = "kid", .jwk = "{\"kty\":\"EC\"}"};
    static const int64_t now = 1700000000;
    struct reason why = {.claim = "", .detail = ""};
    enum outcome outcome =
        profile_build(profile, &key, body, "application/json", now, artefact, &why);
    if (outcome != OUTCOME_OK) {
        MUST(why.detail[0] != '\0');
        /* What a caller may have written into the pointer is still UTF-8. */
        JSON_CLEANUP json_t *claim = json_string(why.claim);
        MUST(claim != NULL);
        return;
    }
    oracle_artefact(profile, artefact, body, now);
    BUFFER_CLEANUP struct buffer json = BUFFER_INIT(1 << 24);
    profile_answer(profile, &key, artefact, span_of("\0\1\2", 3), "id", &json);
    MUST(buffer_ok(&json));
    JSON_CLEANUP json_t *answer = oracle_object(buffer_span(&json));
    MUST(oracle_has(answer, "kid") && oracle_has(answer, "alg") &&
         oracle_has(answer, "request_id"));
}

#endif
