/* SPDX-License-Identifier: Apache-2.0
 * Template and binding become one profile that verifies; what is pinned is made into keys here,
 * once. */
#include "policy/verification_file.h"

#include "base/file.h"
#include "jose/json.h"
#include "policy/compiled.h"
#include "policy/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { JWKS_FILE_MAX = 1024 * 1024, LEEWAY_S = 60, MAX_IAT_AGE_S = 600 };

static const char *const kind_names[] = {[VERIFICATION_DETACHED_JWS] = "verify-detached-jws",
                                         [VERIFICATION_ID_TOKEN] = "verify-id-token"};

const char *verification_kind_name(enum verification_kind kind)
{
    return kind_names[kind];
}

static enum outcome no_memory(struct reason *why)
{
    return refuse(why, OUTCOME_INTERNAL, "out of memory while profiles are loaded");
}

/* Where the set stands in the binding. */
struct pinned {
    const char *path;
    const char *pointer;
};

/* A private or symmetric key in a set that is for everybody to see is somebody's mistake; two keys
 * of one kid would be refused at each request. */
static enum outcome check_element(const json_t *keys, size_t at, const struct pinned *pinned,
                                  struct reason *why)
{
    const json_t *jwk = json_array_get(keys, at);
    struct span kid = json_text(json_object_get(jwk, "kid"));
    if (!json_is_object(jwk)) {
        return yaml_refuse(why, pinned->path, pinned->pointer, "key %zu is no JSON object", at);
    }
    if (json_object_get(jwk, "d") != NULL || json_object_get(jwk, "k") != NULL) {
        return yaml_refuse(why, pinned->path, pinned->pointer,
                           "key %zu is a private or symmetric key: take it out of the set", at);
    }
    for (size_t i = 0; kid.data != NULL && i < at; i++) {
        if (span_equal(kid, json_text(json_object_get(json_array_get(keys, i), "kid")))) {
            return yaml_refuse(why, pinned->path, pinned->pointer,
                               "keys %zu and %zu of the set have the same kid", i, at);
        }
    }
    return OUTCOME_OK;
}

static bool key_may_serve(const struct public_key *key, uint32_t algs)
{
    for (unsigned int alg = 0; alg < ALG_COUNT; alg++) {
        if ((algs & 1U << alg) != 0 && alg_fits_key((enum alg)alg, public_key_type(key))) {
            return true;
        }
    }
    return false;
}

static enum outcome make_keys(struct verification *verification, const struct pinned *pinned,
                              struct reason *why)
{
    const json_t *keys = json_object_get(verification->jwks, "keys");
    size_t n = json_array_size(keys);
    bool useful = false;
    verification->made = calloc(n + 1, sizeof *verification->made);
    if (verification->made == NULL) {
        return no_memory(why);
    }
    verification->n_made = n;
    for (size_t i = 0; i < n; i++) {
        struct reason unused;
        enum outcome outcome = check_element(keys, i, pinned, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        /* Sets hold keys for other uses and of other kinds, too. */
        if (public_key_from_jwk(json_array_get(keys, i), &verification->made[i], &unused) ==
            OUTCOME_OK) {
            useful = useful || key_may_serve(verification->made[i], verification->rules.algs);
        }
    }
    if (!useful) {
        return yaml_refuse(why, pinned->path, pinned->pointer,
                           "no key of the set fits an algorithm of this profile");
    }
    verification->rules.made = verification->made;
    verification->rules.jwks = verification->jwks;
    return OUTCOME_OK;
}

static enum outcome pin(struct verification *verification, const struct verify_binding *binding,
                        const char *path, struct reason *why)
{
    const struct pinned pinned = {.path = path,
                                  .pointer = binding->jwks != NULL ? "/jwks" : "/jwks_file"};
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(JWKS_FILE_MAX);
    if (binding->jwks_from_caller) {
        return OUTCOME_OK;
    }
    if (binding->jwks != NULL) {
        buffer_put_text(&text, binding->jwks);
    } else if (file_read(binding->jwks_file, &text) != 0) {
        return yaml_refuse(why, path, pinned.pointer, "the file cannot be read: %s",
                           strerror(errno));
    }
    struct reason inner = {.detail = ""};
    if (json_parse_object(buffer_span(&text), &verification->jwks, &inner) != OUTCOME_OK) {
        return yaml_refuse(why, path, pinned.pointer, "no JWK Set: %.200s", inner.detail);
    }
    if (!json_is_array(json_object_get(verification->jwks, "keys"))) {
        return yaml_refuse(why, path, pinned.pointer, "no JWK Set: it has no array \"keys\"");
    }
    return make_keys(verification, &pinned, why);
}

static uint32_t algs_of(char *const *names, uint32_t count)
{
    uint32_t algs = 0;
    for (uint32_t i = 0; i < count; i++) {
        enum alg alg;
        algs |= alg_from_name(span_of_text(names[i]), &alg) ? 1U << alg : 0;
    }
    return algs;
}

static struct text_list list_of(char *const *items, uint32_t n)
{
    return (struct text_list){.items = items, .n = n};
}

static enum verify_need need_of(enum verify_need said, enum verify_need otherwise)
{
    return said == 0 ? otherwise : said;
}

static void fill_id_token(struct id_token_rules *rules, const struct verify_id_token *from,
                          const struct verify_binding *bound)
{
    *rules = (struct id_token_rules){
        .issuer = bound->issuer,
        .client_id = bound->client_id,
        .trusted_audiences = list_of(bound->trusted_audiences, bound->trusted_audiences_count),
        .acr = bound->acr_values_count > 0 ? list_of(bound->acr_values, bound->acr_values_count)
                                           : list_of(from->acr_values, from->acr_values_count),
        .intent = list_of(from->intent_claims, from->intent_claims_count),
        .leeway_s = from->leeway_s == NULL ? LEEWAY_S : *from->leeway_s,
        .max_iat_age_s = from->max_iat_age_s == NULL ? MAX_IAT_AGE_S : *from->max_iat_age_s,
        .max_age_s = bound->max_age_s,
        .nonce = need_of(from->nonce, NEED_REQUIRED),
        .auth_time = need_of(from->auth_time, NEED_REQUIRED),
        .response_iss = need_of(from->response_iss, NEED_WHEN_SENT),
        .hashes = {[TOKEN_C_HASH] = need_of(from->c_hash, NEED_IF_PRESENT),
                   [TOKEN_S_HASH] = need_of(from->s_hash, NEED_IF_PRESENT),
                   [TOKEN_AT_HASH] = need_of(from->at_hash, NEED_IF_PRESENT),
                   [TOKEN_RT_HASH] = need_of(from->rt_hash, NEED_IF_PRESENT)},
    };
}

/* An ID token is somebody's, for somebody; nothing else is. */
static enum outcome check_parties(enum verification_kind kind, const struct verify_binding *binding,
                                  const char *path, struct reason *why)
{
    bool both = binding->issuer != NULL && binding->client_id != NULL;
    bool any = binding->issuer != NULL || binding->client_id != NULL ||
               binding->max_age_s != NULL || binding->trusted_audiences_count > 0 ||
               binding->acr_values_count > 0;
    if (kind == VERIFICATION_ID_TOKEN && !both) {
        return yaml_refuse(why, path, "/template", "its template wants issuer and client_id");
    }
    if (kind != VERIFICATION_ID_TOKEN && any) {
        return yaml_refuse(why, path, "/template",
                           "issuer, client_id, max_age_s, trusted_audiences and acr_values are for "
                           "ID tokens; its template is for something else");
    }
    return OUTCOME_OK;
}

static struct jws_rules rules_of(const struct verify_template *template, uint32_t algs)
{
    static const enum jws_b64 b64_of[] = {[VERIFY_BODY_B64] = JWS_B64_TRUE,
                                          [VERIFY_BODY_RAW] = JWS_B64_FALSE,
                                          [VERIFY_BODY_EITHER] = JWS_B64_ANY};
    const struct verify_detached *detached = template->detached;
    bool jwt = template->kind == VERIFICATION_ID_TOKEN; /* RFC 7797 §7: b64 is never false */
    return (struct jws_rules){
        .algs = algs,
        .require_kid = is_required(template->kid_required),
        .b64 = jwt ? JWS_B64_TRUE : b64_of[detached->payload],
        .require_crit = !jwt && detached->crit_required,
        .b64_without_crit = !jwt && detached->allow_b64_without_crit,
    };
}

static enum outcome fill(struct verification *verification, const char *path, struct reason *why)
{
    const struct verify_template *template = verification->from;
    const struct verify_binding *binding = verification->bound;
    uint32_t algs = algs_of(template->algorithms, template->algorithms_count);
    uint32_t bound = binding->algorithms_count == 0
                         ? algs
                         : algs_of(binding->algorithms, binding->algorithms_count);
    if ((bound & ~algs) != 0) {
        return yaml_refuse(why, path, "/algorithms",
                           "the template does not allow one of these algorithms");
    }
    enum outcome outcome = check_parties(template->kind, binding, path, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    verification->name = binding->name;
    verification->template = template->name;
    verification->kind = template->kind;
    verification->rules = rules_of(template, bound);
    if (template->kind == VERIFICATION_ID_TOKEN) {
        fill_id_token(&verification->id_token, template->id_token, binding);
    }
    outcome = pin(verification, binding, path, why);
    if (outcome == OUTCOME_OK) {
        verification->input_schema = verification_schema(verification);
        outcome = verification->input_schema != NULL ? OUTCOME_OK : no_memory(why);
    }
    return outcome;
}

enum outcome verification_compile(struct verify_template *template, struct verify_binding *binding,
                                  const char *path, struct verification **out, struct reason *why)
{
    struct verification *verification = calloc(1, sizeof *verification);
    if (verification == NULL) {
        verify_template_free_ref(&template);
        verify_binding_free_ref(&binding);
        return no_memory(why);
    }
    verification->from = template;
    verification->bound = binding;
    enum outcome outcome = fill(verification, path, why);
    if (outcome != OUTCOME_OK) {
        verification_free(verification);
        return outcome;
    }
    *out = verification;
    return OUTCOME_OK;
}

void verification_free(struct verification *verification)
{
    if (verification == NULL) {
        return;
    }
    for (size_t i = 0; i < verification->n_made; i++) {
        public_key_free(verification->made[i]);
    }
    free(verification->made);
    json_clear_ref(&verification->jwks);
    free(verification->input_schema);
    verify_template_free_ref(&verification->from);
    verify_binding_free_ref(&verification->bound);
    free(verification);
}

enum outcome verification_load(const char *template_path, const char *template_name,
                               const char *path, const char *name, struct verification **out,
                               struct reason *why)
{
    CLEANUP(verify_template_free_ref) struct verify_template *template = NULL;
    CLEANUP(verify_binding_free_ref) struct verify_binding *binding = NULL;
    enum outcome outcome = verify_template_load(template_path, template_name, &template, why);
    outcome = outcome != OUTCOME_OK ? outcome : verify_binding_load(path, name, &binding, why);
    if (outcome == OUTCOME_OK) {
        outcome = verification_compile(template, binding, path, out, why);
        template = NULL;
        binding = NULL;
    }
    return outcome;
}
