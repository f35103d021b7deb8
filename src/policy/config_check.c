/* SPDX-License-Identifier: Apache-2.0
 * The rules of qseal.yaml, section by section in the order of the file. A configuration that passes
 * is one that every room can start with. */
#include "policy/config_check.h"

#include "base/fd.h"
#include "policy/config_rule.h"
#include "policy/config_uri.h"
#include "policy/yaml.h"

#include <string.h>

static enum outcome check_socket(const struct check *check, struct at place, const char *path)
{
    enum outcome outcome = check_path(check, place, path);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct sockaddr_un address;
    if (!fd_unix_address(path, &address)) {
        return yaml_refuse(check->why, check->config->path, place.pointer,
                           "%s: the path of a socket has at most 107 bytes, this one has %zu",
                           place.pointer, strlen(path));
    }
    return OUTCOME_OK;
}

/* The sockets in a row: first those of the rooms, then the tokens'. */
static const char *socket_at(const struct config *config, size_t index, struct at *place)
{
    const struct config_sockets *sockets = &config->sockets;
    const char *const paths[] = {sockets->callers, sockets->callers_second, sockets->admin,
                                 sockets->signing};
    static const char *const keys[] = {"callers", "callers_second", "admin", "signing"};
    if (index < COUNT_OF(paths)) {
        *place = at("/sockets/%s", keys[index]);
        return paths[index];
    }
    *place = at("/tokens/%zu/socket", index - COUNT_OF(paths));
    return config->tokens[index - COUNT_OF(paths)].socket;
}

static enum outcome check_sockets(const struct check *check)
{
    size_t n = 4 + check->config->n_tokens;
    for (size_t i = 0; i < n; i++) {
        struct at place;
        const char *path = socket_at(check->config, i, &place);
        if (path == NULL) {
            continue; /* there is no second door */
        }
        enum outcome outcome = check_socket(check, place, path);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        for (size_t j = 0; j < i; j++) {
            struct at first;
            const char *other = socket_at(check->config, j, &first);
            if (other != NULL && strcmp(path, other) == 0) {
                return refuse_twin(check, place, first);
            }
        }
    }
    return OUTCOME_OK;
}

static enum outcome check_folders(const struct check *check)
{
    const struct config *config = check->config;
    enum outcome outcome = check_path(check, at("/state"), config->state);
    if (outcome == OUTCOME_OK) {
        outcome = check_path(check, at("/profiles"), config->profiles_dir);
    }
    if (outcome == OUTCOME_OK) {
        outcome = check_path(check, at("/audit/folder"), config->audit.folder);
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < config->n_template_dirs; i++) {
        outcome = check_path(check, at("/templates/%zu", i), config->template_dirs[i]);
    }
    return outcome;
}

static enum outcome check_limits(const struct check *check)
{
    const struct config_limits *limits = &check->config->limits;
    const struct range ranges[] = {
        {"workers", limits->workers, 1, 256},
        {"connections", limits->connections, 1, 100000},
        {"body_max", limits->body_max, 1024, 1024 * 1024},
        {"head_ms", limits->head_ms, 100, 60000},
        {"body_ms", limits->body_ms, 100, 60000},
        {"idle_ms", limits->idle_ms, 100, 3600000},
        {"deadline_ms", limits->deadline_ms, 100, 60000},
        {"drain_ms", limits->drain_ms, 0, 60000},
        {"jwks_max_age_s", limits->jwks_max_age_s, 0, 86400},
        {"clock_jump_s", limits->clock_jump_s, 0, 86400},
    };
    return check_ranges(check, at("/limits"), ranges, COUNT_OF(ranges));
}

static enum outcome check_caller_limits(const struct check *check, size_t index)
{
    const struct config_caller *caller = &check->config->callers[index];
    if (caller->rate == 0 && caller->burst != 0) {
        struct at place = at("/callers/%zu/burst", index);
        return yaml_refuse(check->why, check->config->path, place.pointer,
                           "%s: a burst means nothing without a rate", place.pointer);
    }
    const struct range ranges[] = {
        {"rate", caller->rate, 0, 1000000},
        {"burst", caller->burst, caller->rate == 0 ? 0 : 1, 1000000},
        {"in_flight", caller->in_flight, 1, 10000},
        {"connections", caller->connections, 1, 10000},
    };
    return check_ranges(check, at("/callers/%zu", index), ranges, COUNT_OF(ranges));
}

static enum outcome check_callers(const struct check *check)
{
    const struct config *config = check->config;
    for (size_t i = 0; i < config->n_callers; i++) {
        const struct config_caller *caller = &config->callers[i];
        enum outcome outcome = check_name(check, at("/callers/%zu/name", i), caller->name);
        for (size_t j = 0; outcome == OUTCOME_OK && j < i; j++) {
            if (strcmp(caller->name, config->callers[j].name) == 0) {
                outcome =
                    refuse_twin(check, at("/callers/%zu/name", i), at("/callers/%zu/name", j));
            } else if (caller->uid == config->callers[j].uid) {
                struct at place = at("/callers/%zu", i);
                outcome = yaml_refuse(check->why, config->path, place.pointer,
                                      "%s: the same uid %u as /callers/%zu; one caller, one uid",
                                      place.pointer, (unsigned int)caller->uid, j);
            }
        }
        outcome = outcome == OUTCOME_OK ? check_grants(check, i) : outcome;
        outcome = outcome == OUTCOME_OK ? check_caller_limits(check, i) : outcome;
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

static bool is_same(const struct config_administrator *a, const struct config_administrator *b)
{
    return a->is_group == b->is_group && (a->is_group ? a->gid == b->gid : a->uid == b->uid);
}

/* What nobody could approve nobody could do. */
static enum outcome check_approval(const struct check *check)
{
    const struct config *config = check->config;
    const struct range ranges[] = {{"valid_s", config->approval.valid_s, 1, 2592000}};
    unsigned int rights = 0;
    for (size_t i = 0; i < config->n_administrators; i++) {
        const struct config_administrator *row = &config->administrators[i];
        rights |= row->is_group || row->uid != 0 ? row->rights : 0;
    }
    if (config->approval.required && (rights & RIGHT_APPROVER) == 0) {
        return yaml_refuse(check->why, config->path, "/approval/required",
                           "/approval/required: no administrator but uid 0 has the right "
                           "approver, and uid 0 is not a second person");
    }
    return check_ranges(check, at("/approval"), ranges, COUNT_OF(ranges));
}

static enum outcome check_audit(const struct check *check)
{
    const struct config_audit *audit = &check->config->audit;
    const struct range ranges[] = {
        {"segment_mib", audit->segment_mib, 1, 4096},
        {"segment_age_s", audit->segment_age_s, 60, 31622400},
        {"checkpoint_records", audit->checkpoint_records, 1, 10000000},
        {"checkpoint_s", audit->checkpoint_s, 1, 86400},
        {"retention_days", audit->retention_days, 0, 36525},
    };
    return check_ranges(check, at("/audit"), ranges, COUNT_OF(ranges));
}

static enum outcome check_administrators(const struct check *check)
{
    const struct config *config = check->config;
    for (size_t i = 0; i < config->n_administrators; i++) {
        if (config->administrators[i].rights == 0) {
            struct at place = at("/administrators/%zu/rights", i);
            return yaml_refuse(check->why, config->path, place.pointer,
                               "%s: at least one of operator, custodian, auditor, approver is "
                               "wanted here",
                               place.pointer);
        }
        for (size_t j = 0; j < i; j++) {
            const struct config_administrator *row = &config->administrators[i];
            if (is_same(row, &config->administrators[j])) {
                struct at place = at("/administrators/%zu", i);
                return yaml_refuse(
                    check->why, config->path, place.pointer,
                    "%s: the same %s %u as /administrators/%zu; list its rights there",
                    place.pointer, row->is_group ? "gid" : "uid",
                    (unsigned int)(row->is_group ? row->gid : row->uid), j);
            }
        }
    }
    return OUTCOME_OK;
}

static enum outcome check_pin(const struct check *check, size_t index)
{
    const struct config_token *token = &check->config->tokens[index];
    bool has_source = config_uri_has_pin_source(token->uri);
    if (token->pin_typed != has_source) {
        return OUTCOME_OK;
    }
    struct at place = at("/tokens/%zu", index);
    return yaml_refuse(check->why, check->config->path, place.pointer,
                       has_source ? "%s: `pin: typed` and a pin-source in the URI; one of the two "
                                    "is wanted here"
                                  : "%s: neither a pin-source in the URI nor `pin: typed`; one of "
                                    "the two is wanted here",
                       place.pointer);
}

static enum outcome check_token(const struct check *check, size_t index)
{
    const struct config_token *token = &check->config->tokens[index];
    enum outcome outcome = check_path(check, at("/tokens/%zu/module", index), token->module);
    if (outcome == OUTCOME_OK) {
        outcome = check_path(check, at("/tokens/%zu/state", index), token->state);
    }
    const struct range ranges[] = {
        {"sessions", token->sessions, 1, 256},
        {"deadline_ms", token->deadline_ms, 100, 60000},
    };
    if (outcome == OUTCOME_OK) {
        outcome = check_ranges(check, at("/tokens/%zu", index), ranges, COUNT_OF(ranges));
    }
    const char *fault = outcome == OUTCOME_OK ? config_uri_fault(token->uri) : NULL;
    if (fault != NULL) {
        struct at place = at("/tokens/%zu/uri", index);
        return yaml_refuse(check->why, check->config->path, place.pointer, "%s: %s", place.pointer,
                           fault);
    }
    return outcome == OUTCOME_OK ? check_pin(check, index) : outcome;
}

static enum outcome check_token_names(const struct check *check)
{
    const struct config *config = check->config;
    for (size_t i = 0; i < config->n_tokens; i++) {
        enum outcome outcome = check_name(check, at("/tokens/%zu/name", i), config->tokens[i].name);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(config->tokens[i].name, config->tokens[j].name) == 0) {
                return refuse_twin(check, at("/tokens/%zu/name", i), at("/tokens/%zu/name", j));
            }
            /* The record of PIN attempts is one token's own. */
            if (strcmp(config->tokens[i].state, config->tokens[j].state) == 0) {
                return refuse_twin(check, at("/tokens/%zu/state", i), at("/tokens/%zu/state", j));
            }
        }
    }
    return OUTCOME_OK;
}

static enum outcome check_tokens(const struct check *check)
{
    enum outcome outcome = OUTCOME_OK;
    for (size_t i = 0; outcome == OUTCOME_OK && i < check->config->n_tokens; i++) {
        outcome = check_token(check, i);
    }
    return outcome;
}

enum outcome config_check(const struct config *config, struct reason *why)
{
    enum outcome (*const checks[])(const struct check *) = {
        /* Names first: default paths are made of them. */
        check_token_names,    check_sockets,  check_folders, check_limits, check_callers,
        check_administrators, check_approval, check_audit,   check_tokens, check_roles,
    };
    const struct check check = {.config = config, .why = why};
    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        enum outcome outcome = checks[i](&check);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}
