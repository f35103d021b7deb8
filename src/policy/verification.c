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

enum { JWKS_FILE_MAX = 1024 * 1024 };

static const char *const kind_names[] = {[VERIFICATION_DETACHED_JWS] = "verify-detached-jws"};

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

/* The body of POST /v1/verify/detached-jws. */
static char *detached_schema(bool pinned)
{
    JSON_CLEANUP json_t *schema = json_pack(
        "{s:s, s:{s:{s:s,s:s}, s:{s:s,s:s,s:s}, s:{s:s,s:s}}, s:[s,s], s:b}", "type", "object",
        "properties", "jws", "type", "string", "pattern", "^[A-Za-z0-9_-]+\\.\\.[A-Za-z0-9_-]+$",
        "payload", "type", "string", "pattern", "^[A-Za-z0-9_-]*$", "description",
        "BASE64URL of the exact octets that were received", "jwks", "type", "object", "description",
        pinned ? "ignored: the keys of this profile are pinned" : "the signer's JWK Set",
        "required", "jws", "payload", "additionalProperties", 0);
    if (!pinned) {
        (void)json_array_append_new(json_object_get(schema, "required"), json_string("jwks"));
    }
    return text_json(schema);
}

static enum outcome fill(struct verification *verification, const struct verify_template *template,
                         const struct verify_binding *binding, const char *path, struct reason *why)
{
    static const enum jws_b64 b64_of[] = {[VERIFY_BODY_B64] = JWS_B64_TRUE,
                                          [VERIFY_BODY_RAW] = JWS_B64_FALSE,
                                          [VERIFY_BODY_EITHER] = JWS_B64_ANY};
    const struct verify_detached *detached = template->detached;
    uint32_t algs = algs_of(template->algorithms, template->algorithms_count);
    uint32_t bound = binding->algorithms_count == 0
                         ? algs
                         : algs_of(binding->algorithms, binding->algorithms_count);
    if ((bound & ~algs) != 0) {
        return yaml_refuse(why, path, "/algorithms",
                           "the template does not allow one of these algorithms");
    }
    verification->kind = template->kind;
    verification->rules = (struct jws_rules){
        .algs = bound,
        .require_kid = is_required(template->kid_required),
        .b64 = b64_of[detached->payload],
        .require_crit = detached->crit_required,
        .b64_without_crit = detached->allow_b64_without_crit,
    };
    verification->name = strdup(binding->name);
    verification->template = strdup(template->name);
    verification->input_schema = detached_schema(!binding->jwks_from_caller);
    if (verification->name == NULL || verification->template == NULL ||
        verification->input_schema == NULL) {
        return no_memory(why);
    }
    return pin(verification, binding, path, why);
}

enum outcome verification_compile(const struct verify_template *template,
                                  const struct verify_binding *binding, const char *path,
                                  struct verification **out, struct reason *why)
{
    struct verification *verification = calloc(1, sizeof *verification);
    if (verification == NULL) {
        return no_memory(why);
    }
    enum outcome outcome = fill(verification, template, binding, path, why);
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
    free(verification->name);
    free(verification->template);
    free(verification->input_schema);
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
    return outcome != OUTCOME_OK ? outcome
                                 : verification_compile(template, binding, path, out, why);
}
