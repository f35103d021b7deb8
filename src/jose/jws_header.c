/* SPDX-License-Identifier: Apache-2.0
 * What a JWS header may say, and which key that leads to. The header chooses nothing: its alg must
 * be on the list, and its kid only finds a key in the set that was there before. */
#include "jose/jws_header.h"

#include "jose/json.h"

#include <string.h>

/* "EdDSA" is the deprecated name (RFC 9864 §2.2) of what is Ed25519 here: no other Edwards curve
 * exists in this program. */
static bool alg_of(const json_t *name, enum alg *out)
{
    struct span text = json_text(name);
    if (span_is_text(text, "EdDSA")) {
        *out = ALG_ED25519;
        return true;
    }
    return alg_from_name(text, out);
}

enum outcome jws_header_alg(const json_t *header, const struct jws_rules *rules, enum alg *out,
                            struct reason *why)
{
    const json_t *name = json_object_get(header, "alg");
    if (!json_is_string(name)) {
        return refuse(why, OUTCOME_RULE, "alg: the header must have \"alg\" as a string");
    }
    if (!alg_of(name, out) || (rules->algs & 1U << *out) == 0) {
        return refuse(why, OUTCOME_RULE, "alg: not one of the algorithms that are accepted here");
    }
    return OUTCOME_OK;
}

/* RFC 7517 §4.5, and FAPI 2.0 §5.6.1: no two keys of one kid. */
static enum outcome find_kid(const json_t *keys, const char *kid, const json_t **out,
                             struct reason *why)
{
    size_t i;
    json_t *jwk;
    *out = NULL;
    json_array_foreach (keys, i, jwk) {
        const char *own = json_string_value(json_object_get(jwk, "kid"));
        if (own == NULL || strcmp(own, kid) != 0) {
            continue;
        }
        if (*out != NULL) {
            return refuse(why, OUTCOME_RULE, "key: two keys of the set have this kid");
        }
        *out = jwk;
    }
    return *out != NULL ? OUTCOME_OK
                        : refuse(why, OUTCOME_RULE, "key: no key of the set has this kid");
}

static enum outcome find_jwk(const json_t *header, const struct jws_rules *rules,
                             const json_t **out, struct reason *why)
{
    const json_t *keys = json_object_get(rules->jwks, "keys");
    const json_t *kid = json_object_get(header, "kid");
    if (!json_is_array(keys)) {
        return refuse(why, OUTCOME_RULE, "key: the key set has no array \"keys\"");
    }
    if (kid != NULL && !json_is_string(kid)) {
        return refuse(why, OUTCOME_RULE, "key: \"kid\" must be a string");
    }
    if (kid != NULL) {
        return find_kid(keys, json_string_value(kid), out, why);
    }
    if (rules->require_kid || json_array_size(keys) != 1) {
        return refuse(why, OUTCOME_RULE, "key: the header must have \"kid\"");
    }
    *out = json_array_get(keys, 0);
    return OUTCOME_OK;
}

/* RFC 7517 §4.3: when key_ops is there, it must hold "verify". */
static bool may_verify(const json_t *key_ops)
{
    size_t i;
    json_t *operation;
    json_array_foreach (key_ops, i, operation) {
        const char *name = json_string_value(operation);
        if (name != NULL && strcmp(name, "verify") == 0) {
            return true;
        }
    }
    return false;
}

static enum outcome check_usage(const json_t *jwk, enum alg alg, struct reason *why)
{
    const json_t *use = json_object_get(jwk, "use");
    const char *use_name = json_string_value(use);
    if (use != NULL && (use_name == NULL || strcmp(use_name, "sig") != 0)) {
        return refuse(why, OUTCOME_RULE, "key: the key's \"use\" is not \"sig\"");
    }
    const json_t *key_ops = json_object_get(jwk, "key_ops");
    if (key_ops != NULL && !may_verify(key_ops)) {
        return refuse(why, OUTCOME_RULE, "key: the key's \"key_ops\" do not hold \"verify\"");
    }
    const json_t *name = json_object_get(jwk, "alg");
    enum alg own;
    if (name != NULL && (!json_is_string(name) || !alg_of(name, &own) || own != alg)) {
        return refuse(why, OUTCOME_RULE, "key: the key's \"alg\" is not the header's");
    }
    return OUTCOME_OK;
}

/* One owner more of the key that was made beforehand; NULL when there is none. */
static struct public_key *made_key(const struct jws_rules *rules, const json_t *jwk)
{
    size_t i;
    json_t *element;
    json_array_foreach (json_object_get(rules->jwks, "keys"), i, element) {
        if (rules->made != NULL && element == jwk && rules->made[i] != NULL) {
            return public_key_ref(rules->made[i]);
        }
    }
    return NULL;
}

enum outcome jws_header_key(const json_t *header, const struct jws_rules *rules, enum alg alg,
                            struct public_key **out, struct reason *why)
{
    *out = NULL;
    const json_t *jwk = NULL;
    enum outcome outcome = find_jwk(header, rules, &jwk, why);
    if (outcome == OUTCOME_OK) {
        outcome = check_usage(jwk, alg, why);
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct reason inner;
    struct public_key *key = made_key(rules, jwk);
    outcome = key != NULL ? OUTCOME_OK : public_key_from_jwk(jwk, &key, &inner);
    if (outcome != OUTCOME_OK) {
        return refuse(why, outcome, "key: %.400s", inner.detail);
    }
    if (!alg_fits_key(alg, public_key_type(key))) {
        outcome = refuse(why, OUTCOME_RULE, "key: a key of type %s does not make %s signatures",
                         key_type_name(public_key_type(key)), alg_name(alg));
        public_key_free(key);
        return outcome;
    }
    *out = key;
    return OUTCOME_OK;
}

static bool is_in_list(const char *name, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(name, *list) == 0) {
            return true;
        }
    }
    return false;
}

static size_t count_of(const json_t *names, const char *name)
{
    size_t i;
    size_t count = 0;
    json_t *other;
    json_array_foreach (names, i, other) {
        const char *text = json_string_value(other);
        count += text != NULL && strcmp(text, name) == 0 ? 1 : 0;
    }
    return count;
}

/* RFC 7515 §4.1.11: not the names of RFC 7515 and RFC 7518 themselves, each once, each there, each
 * understood. */
static enum outcome check_critical(const json_t *header, const json_t *crit, const json_t *member,
                                   const char *const *understood, struct reason *why)
{
    static const char *const registered[] = {"alg", "jku",      "jwk", "kid",  "x5u", "x5c", "x5t",
                                             "typ", "x5t#S256", "cty", "crit", "enc", "zip", "epk",
                                             "apu", "apv",      "iv",  "tag",  "p2s", "p2c", NULL};
    const char *name = json_string_value(member);
    if (name == NULL) {
        return refuse(why, OUTCOME_RULE, "crit: every element must be a string");
    }
    if (is_in_list(name, registered)) {
        return refuse(why, OUTCOME_RULE, "crit: a registered header name stands in it");
    }
    if (count_of(crit, name) != 1) {
        return refuse(why, OUTCOME_RULE, "crit: a name stands in it twice");
    }
    if (json_object_get(header, name) == NULL) {
        return refuse(why, OUTCOME_RULE, "crit: a name in it is no member of the header");
    }
    if (!is_in_list(name, understood)) {
        return refuse(why, OUTCOME_RULE, "crit: a name in it is not understood here");
    }
    return OUTCOME_OK;
}

static enum outcome check_b64(const json_t *header, const struct jws_rules *rules, bool critical,
                              struct reason *why)
{
    const json_t *b64 = json_object_get(header, "b64");
    /* RFC 7797 §6 */
    if (b64 != NULL && !critical && !rules->b64_without_crit) {
        return refuse(why, OUTCOME_RULE, "crit: \"b64\" is in the header and not in \"crit\"");
    }
    if (rules->require_crit && !critical) {
        return refuse(why, OUTCOME_RULE, "crit: \"b64\" must stand in it");
    }
    if (rules->b64 == JWS_B64_TRUE && json_is_false(b64)) {
        return refuse(why, OUTCOME_RULE, "crit: \"b64\" may not be false here");
    }
    if (rules->b64 == JWS_B64_FALSE && !json_is_false(b64)) {
        return refuse(why, OUTCOME_RULE, "crit: \"b64\" must be false here");
    }
    return OUTCOME_OK;
}

enum outcome jws_header_crit(const json_t *header, const struct jws_rules *rules,
                             struct reason *why)
{
    static const char *const only_b64[] = {"b64", NULL};
    const char *const *understood = rules->crit == NULL ? only_b64 : rules->crit;
    const json_t *crit = json_object_get(header, "crit");
    if (crit != NULL && (!json_is_array(crit) || json_array_size(crit) == 0)) {
        return refuse(why, OUTCOME_RULE, "crit: must be an array that is not empty");
    }
    size_t i;
    json_t *member;
    json_array_foreach (crit, i, member) {
        enum outcome outcome = check_critical(header, crit, member, understood, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return check_b64(header, rules, count_of(crit, "b64") != 0, why);
}
