/* SPDX-License-Identifier: Apache-2.0
 * The configuration as its readers see it: load, look up, free. */
#include "policy/config.h"

#include "policy/config_check.h"
#include "policy/config_file.h"
#include "policy/config_fill.h"
#include "policy/yaml.h"
#include "policy/yaml_tree.h"

#include <stdlib.h>
#include <string.h>

static enum outcome make(struct config *config, const char *path, struct config_file *file,
                         struct reason *why)
{
    config->path = strdup(path);
    if (config->path == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    enum outcome outcome = config_fill(config, file, why);
    return outcome == OUTCOME_OK ? config_check(config, why) : outcome;
}

enum outcome config_load(const char *path, struct config **out, struct reason *why)
{
    void *file = NULL;
    struct config *config = calloc(1, sizeof *config);
    if (config == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    config->text = BUFFER_INIT(YAML_FILE_MAX);
    enum outcome outcome = yaml_load(path, &config_file_schema, &config->text, &file, why);
    if (outcome == OUTCOME_OK) {
        outcome = make(config, path, file, why);
    }
    yaml_unload(&config_file_schema, file);
    if (outcome != OUTCOME_OK) {
        config_free(config);
        return outcome;
    }
    *out = config;
    return OUTCOME_OK;
}

static void texts_free(char **texts, size_t n)
{
    for (size_t i = 0; texts != NULL && i < n; i++) {
        free(texts[i]);
    }
    free(texts);
}

static void peers_free(struct peer_rule *peers, size_t n)
{
    for (size_t i = 0; peers != NULL && i < n; i++) {
        free(peers[i].dns);
        free(peers[i].issuer);
        free(peers[i].spki);
    }
    free(peers);
}

void config_free(struct config *config)
{
    if (config == NULL) {
        return;
    }
    buffer_fini(&config->text);
    for (size_t i = 0; i < config->n_callers; i++) {
        free(config->callers[i].name);
        texts_free(config->callers[i].profiles, config->callers[i].n_profiles);
        texts_free(config->callers[i].roles, config->callers[i].n_roles);
    }
    for (size_t i = 0; i < config->n_tokens; i++) {
        free(config->tokens[i].name);
        free(config->tokens[i].socket);
        free(config->tokens[i].module);
        free(config->tokens[i].uri);
        free(config->tokens[i].state);
    }
    for (size_t i = 0; i < config->n_roles; i++) {
        free(config->roles[i].name);
        free(config->roles[i].probe_file);
        texts_free(config->roles[i].tokens, config->roles[i].n_tokens);
        peers_free(config->roles[i].peers, config->roles[i].n_peers);
    }
    texts_free(config->template_dirs, config->n_template_dirs);
    free(config->callers);
    free(config->administrators);
    free(config->tokens);
    free(config->roles);
    free(config->sockets.callers);
    free(config->sockets.callers_second);
    free(config->sockets.admin);
    free(config->sockets.signing);
    free(config->state);
    free(config->profiles_dir);
    free(config->audit.folder);
    free(config->path);
    free(config);
}

const struct config_token *config_token(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_tokens; i++) {
        if (strcmp(config->tokens[i].name, name) == 0) {
            return &config->tokens[i];
        }
    }
    return NULL;
}

const struct config_role *config_role(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_roles; i++) {
        if (strcmp(config->roles[i].name, name) == 0) {
            return &config->roles[i];
        }
    }
    return NULL;
}

const struct config_role *config_audit_role(const struct config *config)
{
    for (size_t i = 0; i < config->n_roles; i++) {
        if (config->roles[i].purpose == PURPOSE_AUDIT) {
            return &config->roles[i];
        }
    }
    return NULL;
}

const struct config_caller *config_caller(const struct config *config, uid_t uid)
{
    for (size_t i = 0; i < config->n_callers; i++) {
        if (config->callers[i].uid == uid) {
            return &config->callers[i];
        }
    }
    return NULL;
}

static bool is_in(const struct caller *peer, gid_t gid)
{
    if (peer->gid == gid) {
        return true;
    }
    for (size_t i = 0; peer->groups != NULL && i < peer->groups->n; i++) {
        if (peer->groups->list[i] == gid) {
            return true;
        }
    }
    return false;
}

unsigned int config_rights(const struct config *config, const struct caller *peer)
{
    unsigned int rights = 0;
    for (size_t i = 0; i < config->n_administrators; i++) {
        const struct config_administrator *row = &config->administrators[i];
        bool is_meant = row->is_group ? is_in(peer, row->gid) : row->uid == peer->uid;
        rights |= is_meant ? row->rights : 0;
    }
    return rights;
}

static bool is_granted(char *const *grants, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(grants[i], "*") == 0 || strcmp(grants[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool config_caller_is_granted(const struct config_caller *caller, const char *profile)
{
    return is_granted(caller->profiles, caller->n_profiles, profile);
}

bool config_caller_has_role(const struct config_caller *caller, const char *role)
{
    return is_granted(caller->roles, caller->n_roles, role);
}
