/* SPDX-License-Identifier: Apache-2.0
 * The rules of roles, their peers, and who is granted what. */
#include "pki/peer_name.h"
#include "policy/config_rule.h"
#include "policy/yaml.h"

#include <string.h>

/* Names granted, of one kind: "*" alone, or each a name, once. */
static enum outcome check_grant_names(const struct check *check, size_t index, const char *kind,
                                      char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct at place = at("/callers/%zu/%s/%zu", index, kind, i);
        bool all = strcmp(names[i], "*") == 0;
        if (all && n > 1) {
            return yaml_refuse(check->why, check->config->path, place.pointer,
                               "%s: \"*\" grants all %s and stands alone", place.pointer, kind);
        }
        enum outcome outcome = all ? OUTCOME_OK : check_name(check, place, names[i]);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0) {
                return refuse_twin(check, place, at("/callers/%zu/%s/%zu", index, kind, j));
            }
        }
    }
    return OUTCOME_OK;
}

static enum outcome check_granted_roles(const struct check *check, size_t index)
{
    const struct config_caller *caller = &check->config->callers[index];
    for (size_t i = 0; i < caller->n_roles; i++) {
        struct at place = at("/callers/%zu/roles/%zu", index, i);
        const struct config_role *role = config_role(check->config, caller->roles[i]);
        if (strcmp(caller->roles[i], "*") == 0) {
            continue;
        }
        if (role == NULL) {
            return yaml_refuse(check->why, check->config->path, place.pointer,
                               "%s: there is no role of this name under /roles", place.pointer);
        }
        if (role->purpose == PURPOSE_AUDIT) {
            return yaml_refuse(check->why, check->config->path, place.pointer,
                               "%s: a role of purpose audit is the service's own, and granted to "
                               "nobody",
                               place.pointer);
        }
        if (role->purpose != PURPOSE_TRANSPORT) {
            return yaml_refuse(
                check->why, check->config->path, place.pointer,
                "%s: a role of purpose %s is not granted by itself; `roles` are those "
                "of purpose transport, others are used through `profiles`",
                place.pointer, purpose_name(role->purpose));
        }
    }
    return OUTCOME_OK;
}

enum outcome check_grants(const struct check *check, size_t index)
{
    const struct config_caller *caller = &check->config->callers[index];
    if (caller->n_profiles == 0 && caller->n_roles == 0) {
        struct at place = at("/callers/%zu", index);
        return yaml_refuse(check->why, check->config->path, place.pointer,
                           "%s: `profiles` or `roles` is wanted here, and there is neither",
                           place.pointer);
    }
    enum outcome outcome =
        check_grant_names(check, index, "profiles", caller->profiles, caller->n_profiles);
    if (outcome == OUTCOME_OK) {
        outcome = check_grant_names(check, index, "roles", caller->roles, caller->n_roles);
    }
    return outcome == OUTCOME_OK ? check_granted_roles(check, index) : outcome;
}

static enum outcome check_role_algs(const struct check *check, size_t index)
{
    const struct config_role *role = &check->config->roles[index];
    struct at place = at("/roles/%zu/algorithms", index);
    if (role->algs == 0) {
        return yaml_refuse(check->why, check->config->path, place.pointer,
                           "%s: at least one algorithm is wanted here", place.pointer);
    }
    for (unsigned int i = 0; i < ALG_COUNT; i++) {
        if ((role->algs >> i & 1) != 0 &&
            !purpose_alg_fits_key(role->purpose, (enum alg)i, role->key_type)) {
            return yaml_refuse(check->why, check->config->path, place.pointer,
                               "%s: %s does not fit a key of type %s", place.pointer,
                               alg_name((enum alg)i), key_type_name(role->key_type));
        }
    }
    return OUTCOME_OK;
}

/* The service signs with it by itself, so that there is nothing to choose by; NULL, or what is
 * wrong with the member. */
static const char *audit_fault(const struct config_role *role, const char **member)
{
    enum alg only;
    *member = "algorithms";
    if (!alg_only_one(role->algs, &only)) {
        return "an audit key signs with one algorithm, and more are granted here";
    }
    *member = "seen";
    return role->needs_seen
               ? "keys of purpose audit are in no JWK Set, and nobody sees them outside"
               : NULL;
}

static enum outcome check_audit(const struct check *check, size_t index)
{
    const struct config *config = check->config;
    const struct config_role *role = &config->roles[index];
    const struct config_role *first = config_audit_role(config);
    const char *member = NULL;
    if (role->purpose != PURPOSE_AUDIT) {
        return OUTCOME_OK;
    }
    if (role != first) {
        struct at place = at("/roles/%zu/purpose", index);
        return yaml_refuse(check->why, config->path, place.pointer,
                           "%s: there is one audit log and one role for it, and role %s is of this "
                           "purpose already",
                           place.pointer, first->name);
    }
    const char *fault = audit_fault(role, &member);
    struct at place = at("/roles/%zu/%s", index, member);
    return fault == NULL ? OUTCOME_OK
                         : yaml_refuse(check->why, config->path, place.pointer, "%s: %s",
                                       place.pointer, fault);
}

static enum outcome check_role_tokens(const struct check *check, size_t index)
{
    const struct config_role *role = &check->config->roles[index];
    for (size_t i = 0; i < role->n_tokens; i++) {
        struct at place = at("/roles/%zu/tokens/%zu", index, i);
        if (config_token(check->config, role->tokens[i]) == NULL) {
            return yaml_refuse(check->why, check->config->path, place.pointer,
                               "%s: there is no token of this name under /tokens", place.pointer);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(role->tokens[i], role->tokens[j]) == 0) {
                return refuse_twin(check, place, at("/roles/%zu/tokens/%zu", index, j));
            }
        }
    }
    return OUTCOME_OK;
}

static const char *peer_fault(const struct peer_rule *peer, const char **member)
{
    uint8_t digest[PEER_PIN_LEN];
    *member = "";
    if (peer->dns == NULL && peer->issuer == NULL && peer->spki == NULL) {
        return "`spki`, or `issuer` with or without `dns`, is wanted here";
    }
    if (peer->dns != NULL && peer->issuer == NULL) {
        *member = "/dns";
        return "`dns` needs `issuer` beside it: anybody can write a name into a certificate of his "
               "own";
    }
    if (peer->dns != NULL && !peer_name_is_valid(span_of_text(peer->dns))) {
        *member = "/dns";
        return "a DNS name is wanted here, \"*.\" in front of two or more labels stands for one";
    }
    if (peer->spki != NULL && !peer_pin_read(span_of_text(peer->spki), digest)) {
        *member = "/spki";
        return "BASE64URL(SHA-256(SubjectPublicKeyInfo)) is wanted here, 43 characters";
    }
    return NULL;
}

static enum outcome check_peers(const struct check *check, size_t index)
{
    const struct config_role *role = &check->config->roles[index];
    if (role->n_peers > 0 && role->purpose != PURPOSE_TRANSPORT) {
        struct at place = at("/roles/%zu/peers", index);
        return yaml_refuse(check->why, check->config->path, place.pointer,
                           "%s: only a role of purpose transport has peers", place.pointer);
    }
    for (size_t i = 0; i < role->n_peers; i++) {
        const char *member = "";
        const char *fault = peer_fault(&role->peers[i], &member);
        struct at place = at("/roles/%zu/peers/%zu%s", index, i, member);
        if (fault != NULL) {
            return yaml_refuse(check->why, check->config->path, place.pointer, "%s: %s",
                               place.pointer, fault);
        }
        if (role->peers[i].issuer != NULL) {
            enum outcome outcome = check_path(check, at("/roles/%zu/peers/%zu/issuer", index, i),
                                              role->peers[i].issuer);
            if (outcome != OUTCOME_OK) {
                return outcome;
            }
        }
    }
    return OUTCOME_OK;
}

static enum outcome check_times(const struct check *check, size_t index)
{
    enum { PUBLISHED_MAX_S = 366 * 86400, DAYS_MAX = 36525 };
    const struct config_role *role = &check->config->roles[index];
    const struct range ranges[] = {
        {"publish_before_use_s", role->publish_before_use_s, 0, PUBLISHED_MAX_S},
        {"cryptoperiod_days", role->cryptoperiod_days, 0, DAYS_MAX},
        {"warn_days", role->warn_days, 0, DAYS_MAX},
    };
    return check_ranges(check, at("/roles/%zu", index), ranges, COUNT_OF(ranges));
}

static enum outcome check_probe(const struct check *check, size_t index)
{
    const struct config_role *role = &check->config->roles[index];
    struct at place = at("/roles/%zu/probe_file", index);
    if (role->probe_file == NULL) {
        return OUTCOME_OK;
    }
    if (role->purpose != PURPOSE_SEAL) {
        return yaml_refuse(check->why, check->config->path, place.pointer,
                           "%s: only keys of purpose seal are in the JWK Set", place.pointer);
    }
    return check_path(check, place, role->probe_file);
}

enum outcome check_roles(const struct check *check)
{
    const struct config *config = check->config;
    for (size_t i = 0; i < config->n_roles; i++) {
        enum outcome outcome = check_name(check, at("/roles/%zu/name", i), config->roles[i].name);
        for (size_t j = 0; outcome == OUTCOME_OK && j < i; j++) {
            if (strcmp(config->roles[i].name, config->roles[j].name) == 0) {
                outcome = refuse_twin(check, at("/roles/%zu/name", i), at("/roles/%zu/name", j));
            }
        }
        outcome = outcome == OUTCOME_OK ? check_role_algs(check, i) : outcome;
        outcome = outcome == OUTCOME_OK ? check_audit(check, i) : outcome;
        outcome = outcome == OUTCOME_OK ? check_role_tokens(check, i) : outcome;
        outcome = outcome == OUTCOME_OK ? check_peers(check, i) : outcome;
        outcome = outcome == OUTCOME_OK ? check_times(check, i) : outcome;
        outcome = outcome == OUTCOME_OK ? check_probe(check, i) : outcome;
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}
