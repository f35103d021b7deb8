/* SPDX-License-Identifier: Apache-2.0
 * qsealctl config check: reads what qseald would read, without a running service. */
#include "ctl/command.h"

#include "jose/json.h"
#include "policy/config.h"
#include "policy/profile.h"
#include "policy/verification.h"

#include <stdio.h>

/* Where the keys of a profile that verifies come from. */
static const char *keys_of(const struct verification *profile)
{
    return profile->jwks == NULL ? "from the caller" : "pinned";
}

static void print_profiles(const struct profiles *profiles, const char *path)
{
    (void)printf("%s is good: %zu profiles\n", path, profiles_total(profiles));
    for (size_t i = 0; i < profiles_count(profiles); i++) {
        const struct profile *profile = profiles_at(profiles, i);
        (void)printf("  %-20s %-16s %-8s role %s, template %s\n", profile_name(profile),
                     operation_name(profile_operation(profile)), alg_name(profile_alg(profile)),
                     profile_role(profile), profile_template(profile));
    }
    for (size_t i = 0; i < profiles_verifications(profiles); i++) {
        const struct verification *profile = profiles_verification_at(profiles, i);
        (void)printf("  %-20s %-16s template %s, keys %s\n", profile->name,
                     verification_kind_name(profile->kind), profile->template, keys_of(profile));
    }
}

static void print_profiles_json(const struct profiles *profiles, const char *path)
{
    JSON_CLEANUP json_t *list = json_array();
    for (size_t i = 0; i < profiles_count(profiles); i++) {
        const struct profile *profile = profiles_at(profiles, i);
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", profile_name(profile), "operation",
                            operation_name(profile_operation(profile)), "alg",
                            alg_name(profile_alg(profile)), "role", profile_role(profile),
                            "template", profile_template(profile)));
    }
    for (size_t i = 0; i < profiles_verifications(profiles); i++) {
        const struct verification *profile = profiles_verification_at(profiles, i);
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s}", "name", profile->name, "operation",
                            verification_kind_name(profile->kind), "template", profile->template,
                            "keys", keys_of(profile)));
    }
    JSON_CLEANUP json_t *result =
        json_pack("{s:s, s:b, s:O}", "config", path, "good", 1, "profiles", list);
    command_print_json(result);
}

/* The issuers of `peers:` are files of their own, read at load. */
static enum outcome check_peers(const struct config *config, struct reason *why)
{
    for (size_t i = 0; i < config->n_roles; i++) {
        const struct config_role *role = &config->roles[i];
        struct peer_set *set = NULL;
        struct reason inner = {0};
        enum outcome outcome = role->n_peers == 0
                                   ? OUTCOME_OK
                                   : peer_set_new(role->peers, role->n_peers, &set, &inner);
        peer_set_free(set);
        if (outcome != OUTCOME_OK) {
            return refuse(why, outcome, "%s: peers of role %s: %.300s", config->path, role->name,
                          inner.detail);
        }
    }
    return OUTCOME_OK;
}

enum exit_code run_config_check(const struct command_line *line)
{
    const char *path = line->n_words > 0 ? line->words[0] : line->config;
    struct reason why = {0};
    struct config *config = NULL;
    struct profiles *profiles = NULL;
    enum outcome outcome = config_load(path, &config, &why);
    if (outcome == OUTCOME_OK) {
        outcome = profiles_load(config, &profiles, &why);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_peers(config, &why);
    }
    if (outcome == OUTCOME_OK && line->json) {
        print_profiles_json(profiles, path);
    } else if (outcome == OUTCOME_OK) {
        print_profiles(profiles, path);
    }
    profiles_free(profiles);
    config_free(config);
    return outcome == OUTCOME_OK ? EXIT_DONE : command_fail(outcome, &why);
}
