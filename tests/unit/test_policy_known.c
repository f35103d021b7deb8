/* SPDX-License-Identifier: Apache-2.0
 * Names that a template, or the law of kinds, gave are known; a caller's are not. */
#include "policy_support.h"

static void only_our_names_are_known(void **state)
{
    (void)state;
    static const struct {
        enum operation operation;
        const char *profile;
        const char *name;
        bool known;
    } rows[] = {
        {OPERATION_JAR, "op-jar-cof", "state", true},
        {OPERATION_JAR, "op-jar-cof", "claims", true},
        {OPERATION_JAR, "op-jar-cof", "authorizationId", true},
        {OPERATION_JAR, "op-jar-cof", "iss", true},
        {OPERATION_JAR, "op-jar-cof", "SECRET-IBAN", false},
        {OPERATION_JAR, "op-jar-cof", "", false},
        {OPERATION_DPOP, "dpop", "access_token", true},
        {OPERATION_DPOP, "dpop", "state", false},
        {OPERATION_DETACHED_JWS, "op-detached", "amountEUR", true},
        {OPERATION_DETACHED_JWS, "op-detached", "sub", true},
        {OPERATION_DETACHED_JWS, "op-detached", "message", false},
    };
    struct profiles *profiles = load_shipped();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct profile *profile = profiles_find(profiles, rows[i].operation, rows[i].profile);
        assert_non_null(profile);
        if (profile_knows_claim(profile, rows[i].name) != rows[i].known) {
            fail_msg("%s: %s", rows[i].profile, rows[i].name);
        }
    }
    profiles_free(profiles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_our_names_are_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
