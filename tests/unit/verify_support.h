/* SPDX-License-Identifier: Apache-2.0
 * For the tests of verify: profiles made by hand, signers that are OpenSSL alone. */
#ifndef QSEAL_TESTS_UNIT_VERIFY_SUPPORT_H
#define QSEAL_TESTS_UNIT_VERIFY_SUPPORT_H

#include "jose_support.h"
#include "verify/verify.h"

#define ALL_ALGS ((1U << ALG_COUNT) - 1)

enum { VERIFY_TEXT_MAX = 4 * 1024 * 1024 };

/* The public half as a JWK, with these members besides ("" or "\"kid\":\"a\",…"). */
static inline json_t *jwk_of(EVP_PKEY *pkey, const char *more)
{
    struct public_key *key = public_key_of(pkey);
    char text[2000];
    (void)snprintf(text, sizeof text, "{%s%s%s", more, more[0] == '\0' ? "" : ",",
                   public_key_jwk(key) + 1);
    public_key_free(key);
    return json_of(text);
}

/* What a request ended with. */
struct verdict {
    enum outcome outcome;
    const char *rule; /* "" when none is named */
    struct reason why;
    json_t *answer; /* owned; NULL unless it is good */
};

static inline void verdict_fini(struct verdict *verdict)
{
    json_clear_ref(&verdict->answer);
}

/* The rule, and a fragment of the reason. */
#define assert_broken(got, name, fragment)                                                         \
    do {                                                                                           \
        struct verdict verdict_ = (got);                                                           \
        assert_refused(verdict_.outcome, OUTCOME_RULE, verdict_.why, fragment);                    \
        assert_string_equal(verdict_.rule, name);                                                  \
        verdict_fini(&verdict_);                                                                   \
    } while (0)

static inline struct verdict verdict_of(enum outcome outcome, const char *rule,
                                        const struct reason *why, const struct buffer *json)
{
    struct verdict verdict = {
        .outcome = outcome, .rule = rule == NULL ? "" : rule, .why = *why, .answer = NULL};
    if (outcome == OUTCOME_OK) {
        verdict.answer = json_of(buffer_text((struct buffer *)json));
        assert_true(json_is_true(json_object_get(verdict.answer, "valid")));
    } else {
        assert_int_equal(json->len, 0);
    }
    return verdict;
}

#endif
