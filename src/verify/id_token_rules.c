/* SPDX-License-Identifier: Apache-2.0
 * The rules of an ID token behind its signature (OpenID Connect Core §3.1.3.7 and §3.3.2.11, FAPI 1
 * Advanced §5.2.2.1, RFC 9207), one table in the order in which they are tried. */
#include "jose/json.h"
#include "verify/parts.h"

#include <string.h>
#include <strings.h>

static enum outcome broken(struct reason *why, const char *text)
{
    return refuse(why, OUTCOME_RULE, "%s", text);
}

/* The text of a member, NULL data when it is none. */
static struct span claim_text(const struct id_token *token, const char *name)
{
    return json_text(json_object_get(token->claims, name));
}

static struct span sent_text(const struct id_token *token, const char *name)
{
    return json_text(json_object_get(token->input, name));
}

static bool has_claim(const struct id_token *token, const char *name)
{
    return json_object_get(token->claims, name) != NULL;
}

static bool was_sent(const struct id_token *token, const char *name)
{
    return json_object_get(token->input, name) != NULL;
}

static bool is_string(const struct id_token *token, const char *name)
{
    return json_is_string(json_object_get(token->claims, name));
}

static bool list_has(const struct text_list *list, struct span text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (span_is_text(text, list->items[i])) {
            return true;
        }
    }
    return false;
}

/* RFC 8725 §3.11: a logout token or an access token of the same issuer is no ID token. */
static enum outcome check_typ(const struct id_token *token, struct reason *why)
{
    const json_t *typ = json_object_get(token->header, "typ");
    const char *text = json_string_value(typ);
    if (typ != NULL && (text == NULL || strcasecmp(text, "JWT") != 0)) {
        return broken(why, "typ of the header must be \"JWT\" where it is there");
    }
    return OUTCOME_OK;
}

static enum outcome check_iss(const struct id_token *token, struct reason *why)
{
    if (!is_string(token, "iss") || !span_is_text(claim_text(token, "iss"), token->rules->issuer)) {
        return broken(why, "iss must be there, and be the profile's issuer to the octet");
    }
    return OUTCOME_OK;
}

static enum outcome check_sub(const struct id_token *token, struct reason *why)
{
    struct span sub = claim_text(token, "sub");
    if (!is_string(token, "sub") || sub.len == 0) {
        return broken(why, "sub must be there, as a string");
    }
    if (was_sent(token, "sub") && !span_equal(sub, sent_text(token, "sub"))) {
        return broken(why, "sub is not the one that was seen before");
    }
    return OUTCOME_OK;
}

/* Each is the client or trusted; `mine` counts the client. */
static bool audience_is_known(const struct id_token *token, const json_t *one, size_t *mine)
{
    struct span text = json_text(one);
    bool is_mine = json_is_string(one) && span_is_text(text, token->rules->client_id);
    *mine += is_mine ? 1 : 0;
    return is_mine || (json_is_string(one) && list_has(&token->rules->trusted_audiences, text));
}

static enum outcome check_aud(const struct id_token *token, struct reason *why)
{
    const json_t *aud = json_object_get(token->claims, "aud");
    size_t mine = 0;
    bool known = json_is_array(aud) || audience_is_known(token, aud, &mine);
    size_t i;
    json_t *one;
    json_array_foreach (aud, i, one) {
        known = audience_is_known(token, one, &mine) && known;
    }
    if (mine == 0) {
        return broken(why, "aud must be there, and be or hold the profile's client_id");
    }
    if (!known) {
        return broken(why, "aud holds an audience that the profile does not trust");
    }
    if (json_array_size(aud) > 1 && !has_claim(token, "azp")) {
        return broken(why, "aud has several audiences, and azp is not there");
    }
    if (has_claim(token, "azp") &&
        (!is_string(token, "azp") ||
         !span_is_text(claim_text(token, "azp"), token->rules->client_id))) {
        return broken(why, "azp is not the profile's client_id");
    }
    return OUTCOME_OK;
}

/* RFC 7519 §2: seconds, and they may have a fraction. */
static bool seconds_of(const struct id_token *token, const char *name, double *out)
{
    const json_t *value = json_object_get(token->claims, name);
    *out = json_number_value(value);
    return json_is_number(value);
}

static enum outcome check_time(const struct id_token *token, struct reason *why)
{
    const double now = (double)token->now;
    const double leeway = token->rules->leeway_s;
    double at = 0;
    if (!seconds_of(token, "exp", &at)) {
        return broken(why, "exp must be there, as a number");
    }
    if (at + leeway <= now) {
        return broken(why, "exp: the token has expired");
    }
    if (!seconds_of(token, "iat", &at)) {
        return broken(why, "iat must be there, as a number");
    }
    if (at > now + leeway) {
        return broken(why, "iat is in the future");
    }
    if (at + token->rules->max_iat_age_s + leeway < now) {
        return broken(why, "iat is longer ago than the profile accepts");
    }
    if (has_claim(token, "nbf") && (!seconds_of(token, "nbf", &at) || at > now + leeway)) {
        return broken(why, "nbf must be a number, and not in the future");
    }
    return OUTCOME_OK;
}

static enum outcome check_nonce(const struct id_token *token, struct reason *why)
{
    bool sent = was_sent(token, "nonce");
    enum verify_need need = token->rules->nonce;
    if (need == NEED_REQUIRED && !sent) {
        return broken(why, "the request to verify has no nonce, which this profile wants");
    }
    if (!has_claim(token, "nonce")) {
        return sent && need != NEED_IF_PRESENT ? broken(why, "nonce is not there") : OUTCOME_OK;
    }
    if (!sent) {
        return broken(why, "nonce is there, and the request to verify has none");
    }
    return is_string(token, "nonce") &&
                   span_equal(claim_text(token, "nonce"), sent_text(token, "nonce"))
               ? OUTCOME_OK
               : broken(why, "nonce is not the one that was sent");
}

static enum outcome check_acr(const struct id_token *token, struct reason *why)
{
    if (token->rules->acr.n > 0 &&
        (!is_string(token, "acr") || !list_has(&token->rules->acr, claim_text(token, "acr")))) {
        return broken(why, "acr must be there, and be one of the profile's");
    }
    return OUTCOME_OK;
}

/* The smaller of the profile's and the caller's; false when there is none. */
static bool max_age_of(const struct id_token *token, double *out)
{
    const json_t *sent = json_object_get(token->input, "max_age");
    const uint32_t *bound = token->rules->max_age_s;
    if (bound != NULL) {
        *out = *bound;
    }
    if (sent != NULL && (bound == NULL || json_number_value(sent) < *out)) {
        *out = json_number_value(sent);
    }
    return sent != NULL || bound != NULL;
}

static enum outcome check_auth_time(const struct id_token *token, struct reason *why)
{
    double at = 0;
    double max_age = 0;
    bool limited = max_age_of(token, &max_age);
    if (!has_claim(token, "auth_time")) {
        return limited && token->rules->auth_time == NEED_REQUIRED
                   ? broken(why, "auth_time is not there, though max_age was sent")
                   : OUTCOME_OK;
    }
    if (!seconds_of(token, "auth_time", &at)) {
        return broken(why, "auth_time must be a number");
    }
    if (at > (double)token->now + token->rules->leeway_s) {
        return broken(why, "auth_time is in the future");
    }
    return limited && at + max_age + token->rules->leeway_s < (double)token->now
               ? broken(why, "auth_time is longer ago than max_age")
               : OUTCOME_OK;
}

/* What stands for what. */
static const struct {
    const char *claim;
    const char *member;
} hashes[] = {
    [TOKEN_C_HASH] = {"c_hash", "code"},
    [TOKEN_S_HASH] = {"s_hash", "state"},
    [TOKEN_AT_HASH] = {"at_hash", "access_token"},
    [TOKEN_RT_HASH] = {"rt_hash", "refresh_token"},
};

static enum outcome check_one_hash(const struct id_token *token, size_t which, struct reason *why)
{
    const char *claim = hashes[which].claim;
    const char *member = hashes[which].member;
    enum verify_need need = token->rules->hashes[which];
    char wanted[TOKEN_HASH_SIZE];
    if (!has_claim(token, claim)) {
        bool missing = need == NEED_REQUIRED || (need == NEED_WHEN_SENT && was_sent(token, member));
        return missing ? refuse(why, OUTCOME_RULE, "%s is not there", claim) : OUTCOME_OK;
    }
    if (!was_sent(token, member)) {
        return refuse(why, OUTCOME_RULE, "%s is there, and the request to verify has no %s", claim,
                      member);
    }
    if (!token_hash_put(json_text(json_object_get(token->header, "alg")), sent_text(token, member),
                        wanted)) {
        return refuse(why, OUTCOME_INTERNAL, "no digest for %s", claim);
    }
    return is_string(token, claim) && span_is_text(claim_text(token, claim), wanted)
               ? OUTCOME_OK
               : refuse(why, OUTCOME_RULE, "%s is not the left half of the hash of the %s", claim,
                        member);
}

static enum outcome check_hashes(const struct id_token *token, struct reason *why)
{
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; outcome == OUTCOME_OK && i < TOKEN_HASH_COUNT; i++) {
        outcome = check_one_hash(token, i, why);
    }
    return outcome;
}

static enum outcome check_intent(const struct id_token *token, struct reason *why)
{
    const struct text_list *names = &token->rules->intent;
    struct span wanted = sent_text(token, "intent_id");
    for (size_t i = 0; i < names->n; i++) {
        if (!is_string(token, names->items[i]) ||
            !span_equal(claim_text(token, names->items[i]), wanted)) {
            return refuse(why, OUTCOME_RULE, "%.100s must be there, and be the intent's id",
                          names->items[i]);
        }
    }
    return OUTCOME_OK;
}

static enum outcome check_mixup(const struct id_token *token, struct reason *why)
{
    if (!was_sent(token, "iss")) {
        return token->rules->response_iss == NEED_REQUIRED
                   ? broken(why, "the request to verify has no iss of the authorization response")
                   : OUTCOME_OK;
    }
    return span_is_text(sent_text(token, "iss"), token->rules->issuer)
               ? OUTCOME_OK
               : broken(why, "iss of the authorization response is not the profile's issuer");
}

static const struct {
    const char *name;
    enum outcome (*check)(const struct id_token *token, struct reason *why);
} rules[] = {
    {"typ", check_typ},
    {"iss", check_iss},
    {"aud", check_aud},
    {"time", check_time},
    {"nonce", check_nonce},
    {"acr", check_acr},
    {"auth_time", check_auth_time},
    {"hash", check_hashes},
    {"sub", check_sub},
    {"intent", check_intent},
    {"mixup", check_mixup},
};

enum outcome id_token_judge(const struct id_token *token, const char **rule, struct reason *why)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        enum outcome outcome = rules[i].check(token, why);
        if (outcome != OUTCOME_OK) {
            *rule = outcome == OUTCOME_RULE ? rules[i].name : NULL;
            return outcome;
        }
    }
    return OUTCOME_OK;
}
