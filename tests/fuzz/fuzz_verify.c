/* SPDX-License-Identifier: Apache-2.0
 * The body of a request to verify something: whatever a caller sends, there is either an answer
 * that is JSON, or a reason; and a rule is named only by its name. */
#include "jose/json.h"
#include "policy_oracle.h"
#include "verify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(enum outcome outcome, const char *rule, const struct reason *why,
                  const struct buffer *json)
{
    static const char *const names[] = {
        "malformed", "alg",   "key", "crit",      "signature", "typ", "iss",    "aud",
        "time",      "nonce", "acr", "auth_time", "hash",      "sub", "intent", "mixup"};
    bool known = rule == NULL;
    for (size_t i = 0; !known && i < COUNT_OF(names); i++) {
        known = strcmp(rule, names[i]) == 0;
    }
    MUST(known);
    if (outcome == OUTCOME_OK) {
        /* one level deeper than what is in it */
        JSON_CLEANUP json_t *answer =
            json_loadb((const char *)json->data, json->len, JSON_REJECT_DUPLICATES, NULL);
        MUST(json_is_true(json_object_get(answer, "valid")));
        MUST(rule == NULL);
    } else {
        MUST(why->detail[0] != '\0' && json->len == 0);
    }
}

/* The corpus has a token of this issuer, for this client, at this time. */
static void try_id_token(struct span body)
{
    const struct verification profile = {
        .kind = VERIFICATION_ID_TOKEN,
        .rules = {.algs = (1U << ALG_COUNT) - 1, .b64 = JWS_B64_TRUE},
        .id_token = {.issuer = "https://as.example",
                     .client_id = "tpp",
                     .leeway_s = 60,
                     .max_iat_age_s = 600,
                     .nonce = NEED_WHEN_SENT,
                     .auth_time = NEED_IF_PRESENT,
                     .response_iss = NEED_WHEN_SENT,
                     .hashes = {NEED_IF_PRESENT, NEED_IF_PRESENT, NEED_IF_PRESENT,
                                NEED_IF_PRESENT}},
    };
    const struct verify_request request = {
        .profile = &profile, .body = body, .content_type = "", .now = 1700000000};
    BUFFER_CLEANUP struct buffer json = BUFFER_INIT(4 * 1024 * 1024);
    struct reason why = {.detail = ""};
    const char *rule = NULL;
    enum outcome outcome = verify_id_token(&request, &json, &rule, &why);
    check(outcome, rule, &why, &json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum jws_b64 forms[] = {JWS_B64_ANY, JWS_B64_TRUE, JWS_B64_FALSE};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        const struct verification profile = {
            .rules = {.algs = (1U << ALG_COUNT) - 1,
                      .require_kid = forms[i] == JWS_B64_TRUE,
                      .b64 = forms[i],
                      .b64_without_crit = forms[i] == JWS_B64_FALSE},
        };
        const struct verify_request request = {
            .profile = &profile, .body = span_of(data, len), .content_type = ""};
        BUFFER_CLEANUP struct buffer json = BUFFER_INIT(4 * 1024 * 1024);
        struct reason why = {.detail = ""};
        const char *rule = NULL;
        enum outcome outcome = verify_detached_jws(&request, &json, &rule, &why);
        check(outcome, rule, &why, &json);
    }
    try_id_token(span_of(data, len));
    return 0;
}
