/* SPDX-License-Identifier: Apache-2.0
 * The table of kinds and its checks. Every row says what distinguishes one artefact from all the
 * others; a template that blurs it does not load. */
#include "policy/kinds.h"

#include "policy/template_check.h"
#include "policy/yaml.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { WHERE_SIZE = 64, NAMES_MAX = 8, DEMANDS_MAX = 8, TYPS_MAX = 4, IAT_OFFSET_MAX_S = 60 };

#define RULE(rule) (1U << (rule))
#define SET_BY_SERVICE (RULE(CLAIM_CONST) | RULE(CLAIM_CONFIG) | RULE(CLAIM_CHOICE))
#define ABSENT ""

struct demand {
    const char *claim;
    unsigned int rules; /* bits of enum claim_rule */
};

struct kind {
    bool detached;
    bool kid_wanted;
    bool jwk_wanted;                 /* and allowed: nowhere else */
    const char *typs[TYPS_MAX];      /* ABSENT where there may be none */
    struct demand must[DEMANDS_MAX]; /* claims that are always there */
    const char *only[NAMES_MAX];     /* when given, no other claims */
    unsigned int never;              /* families of claims that are never there */
    const char *same[2];             /* these two hold the same bound value */
    uint32_t cap_s;                  /* longest exp - min(iat, nbf) */
};

static const struct kind kinds[] = {
    /* RFC 9101: no sub (§10.8), neither request nor request_uri inside (§4). */
    [OPERATION_JAR] = {.kid_wanted = true,
                       .typs = {"oauth-authz-req+jwt", "JWT", ABSENT},
                       .must = {{"iss", RULE(CLAIM_CONFIG)},
                                {"client_id", RULE(CLAIM_CONFIG)},
                                {"aud", SET_BY_SERVICE},
                                {"iat", RULE(CLAIM_GENERATED)},
                                {"exp", RULE(CLAIM_GENERATED)},
                                {"response_type",
                                 RULE(CLAIM_CONST) | RULE(CLAIM_CALLER) | RULE(CLAIM_CHOICE)}},
                       .never = FAMILY_FOREIGN | FAMILY_REGISTRATION,
                       .same = {"iss", "client_id"},
                       .cap_s = 3600},
    /* RFC 10070: the caller supplies nothing at all. */
    [OPERATION_CLIENT_ASSERTION] = {.kid_wanted = true,
                                    .typs = {"client-authentication+jwt", "JWT", ABSENT},
                                    .must = {{"iss", RULE(CLAIM_CONFIG)},
                                             {"sub", RULE(CLAIM_CONFIG)},
                                             {"aud", RULE(CLAIM_CONFIG)},
                                             {"jti", RULE(CLAIM_GENERATED)},
                                             {"exp", RULE(CLAIM_GENERATED)}},
                                    .only = {"iss", "sub", "aud", "iat", "nbf", "exp", "jti"},
                                    .same = {"iss", "sub"},
                                    .cap_s = 600},
    /* RFC 7523 §2.1; never a client assertion (no sub), never a JAR (response_type token only). */
    [OPERATION_GRANT_ASSERTION] = {.kid_wanted = true,
                                   .typs = {"JWT", ABSENT},
                                   .must = {{"iss", RULE(CLAIM_CONFIG)},
                                            {"aud", SET_BY_SERVICE},
                                            {"iat", RULE(CLAIM_GENERATED)},
                                            {"exp", RULE(CLAIM_GENERATED)}},
                                   .never =
                                       FAMILY_FOREIGN | FAMILY_REGISTRATION | FAMILY_FRONT_CHANNEL,
                                   .cap_s = 600},
    /* RFC 7591 as a JWT. */
    [OPERATION_REGISTRATION] = {.kid_wanted = true,
                                .typs = {"JWT", ABSENT},
                                .must = {{"iss", RULE(CLAIM_CONFIG)},
                                         {"aud", SET_BY_SERVICE},
                                         {"iat", RULE(CLAIM_GENERATED)},
                                         {"exp", RULE(CLAIM_GENERATED)}},
                                .never =
                                    FAMILY_FOREIGN | FAMILY_FRONT_CHANNEL | FAMILY_AUTHORIZATION,
                                .cap_s = 3600},
    /* A body sent as application/jwt. */
    [OPERATION_BODY_JWT] = {.kid_wanted = true,
                            .typs = {"JWT", ABSENT},
                            .must = {{"iss", RULE(CLAIM_CONFIG)}},
                            .never = FAMILY_FOREIGN | FAMILY_REGISTRATION | FAMILY_FRONT_CHANNEL |
                                     FAMILY_AUTHORIZATION | FAMILY_RIGHTS,
                            .cap_s = 600},
    /* RFC 9449 §4.2: bound to one request by htm and htu, short-lived by iat alone. */
    [OPERATION_DPOP] = {.jwk_wanted = true,
                        .typs = {"dpop+jwt"},
                        .must = {{"jti", RULE(CLAIM_GENERATED)},
                                 {"iat", RULE(CLAIM_GENERATED)},
                                 {"htm", RULE(CLAIM_CALLER)},
                                 {"htu", RULE(CLAIM_CALLER)}},
                        .only = {"jti", "htm", "htu", "iat", "ath", "nonce"}},
    [OPERATION_DETACHED_JWS] = {.detached = true, .kid_wanted = true, .typs = {"JOSE", ABSENT}},
};
static_assert(COUNT_OF(kinds) == OPERATION_COUNT, "a row for every operation");

static bool is_listed(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count && names[i] != NULL; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum outcome check_form(const struct template *template, const struct kind *kind,
                               const char *path, struct reason *why)
{
    bool detached = template->serialization == SERIALIZATION_DETACHED;
    if (detached != kind->detached) {
        return yaml_refuse(why, path, "/serialization", "%s is always %s",
                           operation_name(template->operation),
                           kind->detached ? "detached" : "compact");
    }
    if (detached != (template->payload != PAYLOAD_CLAIMS)) {
        return yaml_refuse(why, path, "/payload", "%s has payload %s",
                           operation_name(template->operation),
                           kind->detached ? "body-b64 or body-raw" : "claims");
    }
    return OUTCOME_OK;
}

static bool typ_is_good(const struct kind *kind, const char *typ)
{
    return is_listed(typ, kind->typs, TYPS_MAX);
}

/* Every value that a bound typ can have. */
static bool bound_typ_is_good(const struct kind *kind, const struct template_binding *binding)
{
    bool good = is_required(binding->required) || typ_is_good(kind, ABSENT);
    for (uint32_t i = 0; i < binding->values_count; i++) {
        good = good && typ_is_good(kind, binding->values[i]);
    }
    return good;
}

static enum outcome check_typ(const struct template *template, const struct kind *kind,
                              const char *path, struct reason *why)
{
    const struct template_header *typ = template_header(template, "typ");
    bool good = false;
    if (typ == NULL) {
        good = typ_is_good(kind, ABSENT);
    } else if (typ->source == HEADER_CONFIG) {
        const struct template_binding *binding = template_binding(template, typ->config);
        if (binding->type != BINDING_TEXT || binding->values_count == 0) {
            return yaml_refuse(why, path, "/header", "a bound typ needs a binding with an enum");
        }
        good = bound_typ_is_good(kind, binding);
    } else {
        good = typ->value != NULL && typ_is_good(kind, typ->value);
    }
    if (!good) {
        return yaml_refuse(why, path, "/header", "this typ, or its absence, is another artefact's");
    }
    return OUTCOME_OK;
}

static enum outcome check_header(const struct template *template, const struct kind *kind,
                                 const char *path, struct reason *why)
{
    const char *operation = operation_name(template->operation);
    if (kind->kid_wanted && template_header(template, "kid") == NULL) {
        return yaml_refuse(why, path, "/header", "%s needs the header member kid", operation);
    }
    if (kind->jwk_wanted != (template_header(template, "jwk") != NULL)) {
        return yaml_refuse(why, path, "/header", "the header member jwk belongs to dpop alone");
    }
    if (!kind->detached && template_header(template, "cty") != NULL) {
        return yaml_refuse(why, path, "/header",
                           "cty in a JWT says that another is nested in it (RFC 7519 section 5.2)");
    }
    return check_typ(template, kind, path, why);
}

static bool is_always_there(const struct template *template, const struct template_claim *claim)
{
    const struct template_binding *binding =
        claim->config == NULL ? NULL : template_binding(template, claim->config);
    return is_required(claim->required) && (binding == NULL || is_required(binding->required));
}

static enum outcome check_demands(const struct template *template, const struct kind *kind,
                                  const char *path, struct reason *why)
{
    const char *operation = operation_name(template->operation);
    for (size_t i = 0; i < DEMANDS_MAX && kind->must[i].claim != NULL; i++) {
        const struct demand *demand = &kind->must[i];
        const struct template_claim *claim = template_claim(template, demand->claim);
        if (claim == NULL || (RULE(claim->rule) & demand->rules) == 0 ||
            !is_always_there(template, claim)) {
            return yaml_refuse(why, path, "/claims",
                               "%s always has the claim %s, set by another rule than here",
                               operation, demand->claim);
        }
    }
    if (kind->same[0] != NULL && strcmp(template_claim(template, kind->same[0])->config,
                                        template_claim(template, kind->same[1])->config) != 0) {
        return yaml_refuse(why, path, "/claims", "%s and %s must have the same config",
                           kind->same[0], kind->same[1]);
    }
    return OUTCOME_OK;
}

/* What a rule may be for names that have one meaning in every JWT (RFC 7519 §4.1). */
static const char *wrong_service_claim(const struct template_claim *claim)
{
    static const char *const times[] = {[GENERATED_IAT] = "iat",
                                        [GENERATED_NBF] = "nbf",
                                        [GENERATED_EXP] = "exp",
                                        [GENERATED_JTI] = "jti"};
    if (claim->rule == CLAIM_GENERATED) {
        return strcmp(claim->name, times[claim->generated]) == 0
                   ? NULL
                   : "iat, nbf, exp and jti are generated under their own name";
    }
    if (!name_is_service_set(claim->name)) {
        return NULL;
    }
    bool is_aud = strcmp(claim->name, "aud") == 0;
    if (is_aud && (RULE(claim->rule) & SET_BY_SERVICE) != 0) {
        return NULL;
    }
    if (claim->rule == CLAIM_CONFIG &&
        (strcmp(claim->name, "iss") == 0 || strcmp(claim->name, "sub") == 0)) {
        return NULL;
    }
    return "alg, kid, typ, crit, iss, sub, aud, iat, nbf, exp and jti are set by the service: iss "
           "and sub from config, aud from const, config or choice, the times and jti generated";
}

static enum outcome check_claims(const struct template *template, const struct kind *kind,
                                 const char *path, struct reason *why)
{
    for (uint32_t i = 0; i < template->claims_count; i++) {
        const struct template_claim *claim = &template->claims[i];
        if (claim->rule == CLAIM_FORBIDDEN) {
            continue;
        }
        char where[WHERE_SIZE];
        (void)snprintf(where, sizeof where, "/claims/%u", i);
        const char *wrong = wrong_service_claim(claim);
        if (wrong != NULL) {
            return yaml_refuse(why, path, where, "%s", wrong);
        }
        bool unlisted = kind->only[0] != NULL && !is_listed(claim->name, kind->only, NAMES_MAX);
        if (unlisted || kinds_name_is_of(claim->name, kind->never)) {
            return yaml_refuse(why, path, where, "%s never has this claim",
                               operation_name(template->operation));
        }
    }
    return OUTCOME_OK;
}

/* A JAR never asks for a token in the front channel; a grant never looks like a JAR (F6). */
static bool response_type_is_good(const struct template *template,
                                  const struct template_claim *claim)
{
    bool grant = template->operation == OPERATION_GRANT_ASSERTION;
    if (claim->rule == CLAIM_CONST) {
        return claim->value != NULL && (grant ? strcmp(claim->value, "token") == 0
                                              : !kinds_has_word(claim->value, "token"));
    }
    for (uint32_t i = 0; i < claim->values_count; i++) {
        if (kinds_has_word(claim->values[i], "token")) {
            return false;
        }
    }
    bool text = claim->rule == CLAIM_CHOICE || claim->type == TYPE_STRING;
    return !grant && text && claim->values_count > 0 && claim->as == AS_IS;
}

static bool is_there(const struct template_claim *claim)
{
    return claim != NULL && claim->rule != CLAIM_FORBIDDEN;
}

/* Without "token" a grant assertion with any of these is a request object: OpenID Connect Core
 * (§6.1) takes response_type and client_id from outside of it. */
static bool grant_is_a_request(const struct template *template)
{
    bool asks = false;
    for (uint32_t i = 0; i < template->claims_count; i++) {
        const struct template_claim *claim = &template->claims[i];
        asks = asks || (is_there(claim) && kinds_name_is_of(claim->name, FAMILY_AUTHORIZATION));
    }
    return asks && !is_there(template_claim(template, "response_type"));
}

static enum outcome check_response_type(const struct template *template, const char *path,
                                        struct reason *why)
{
    const struct template_claim *type = template_claim(template, "response_type");
    if (is_there(type) && !response_type_is_good(template, type)) {
        return yaml_refuse(why, path, "/claims",
                           "response_type: a JAR has a value or an enum without \"token\", a grant "
                           "assertion the value \"token\" or none");
    }
    if (template->operation == OPERATION_GRANT_ASSERTION && grant_is_a_request(template)) {
        return yaml_refuse(why, path, "/claims",
                           "a grant assertion with client_id, nonce, state, claims, acr_values or "
                           "authorization_details has response_type, const \"token\"");
    }
    return OUTCOME_OK;
}

static enum outcome check_values(const struct template *template, const char *path,
                                 struct reason *why)
{
    const struct template_claim *client = template_claim(template, "client_id");
    if (is_there(client) && client->rule != CLAIM_CONFIG) {
        return yaml_refuse(why, path, "/claims", "client_id is bound: rule config");
    }
    const struct template_claim *aud = template_claim(template, "aud");
    if (template->operation == OPERATION_CLIENT_ASSERTION &&
        (aud->as != AS_IS || template_binding(template, aud->config)->type != BINDING_TEXT)) {
        return yaml_refuse(why, path, "/claims",
                           "a client assertion's aud is one bound text (RFC 10070, FAPI 2.0)");
    }
    return OUTCOME_OK;
}

static enum outcome check_lifetime(const struct template *template, const struct kind *kind,
                                   const char *path, struct reason *why)
{
    const struct template_lifetime *lifetime = template->lifetime;
    if (lifetime == NULL) {
        return OUTCOME_OK;
    }
    if (lifetime->iat_offset_s > 0 || lifetime->iat_offset_s < -IAT_OFFSET_MAX_S) {
        return yaml_refuse(why, path, "/lifetime/iat_offset_s", "from -60 to 0 seconds");
    }
    int64_t before = lifetime->nbf_before_s;
    before = before < -lifetime->iat_offset_s ? -lifetime->iat_offset_s : before;
    if ((int64_t)lifetime->exp_after_s + before > kind->cap_s) {
        return yaml_refuse(why, path, "/lifetime",
                           "%s may be valid for %u s at most, from nbf or iat to exp",
                           operation_name(template->operation), kind->cap_s);
    }
    return OUTCOME_OK;
}

static enum outcome check_permits(const struct template *template, const char *path,
                                  struct reason *why)
{
    uint32_t count = template->body == NULL ? 0 : template->body->permit_top_level_count;
    for (uint32_t i = 0; i < count; i++) {
        if (!kinds_body_member_may_be_permitted(template->body->permit_top_level[i])) {
            return yaml_refuse(why, path, "/body/permit_top_level",
                               "only scope, nonce, events, request or client_id may be permitted");
        }
    }
    if (count > 1) {
        return yaml_refuse(why, path, "/body/permit_top_level",
                           "one member may be permitted: two begin an authorization request");
    }
    return OUTCOME_OK;
}

enum outcome kinds_check(const struct template *template, const char *path, struct reason *why)
{
    const struct kind *kind = &kinds[template->operation];
    enum outcome outcome = check_form(template, kind, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_header(template, kind, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_claims(template, kind, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_demands(template, kind, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_response_type(template, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_values(template, path, why);
    outcome = outcome != OUTCOME_OK ? outcome : check_lifetime(template, kind, path, why);
    return outcome != OUTCOME_OK ? outcome : check_permits(template, path, why);
}
