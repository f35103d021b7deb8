/* SPDX-License-Identifier: Apache-2.0
 * From the file to a struct config. Texts and lists move out of what libcyaml allocated (with
 * realloc, see cyaml_mem), so that each is owned once. */
#include "policy/config_fill.h"

#include "policy/config_user.h"
#include "policy/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *steal(char **text)
{
    char *stolen = *text;
    *text = NULL;
    return stolen;
}

static uint32_t number_or(const uint32_t *number, uint32_t otherwise)
{
    return number != NULL ? *number : otherwise;
}

static bool wished_or(const enum wish *wish, bool otherwise)
{
    return wish != NULL ? *wish == WISH_REQUIRED : otherwise;
}

static enum outcome out_of_memory(struct reason *why)
{
    return refuse(why, OUTCOME_INTERNAL, "out of memory");
}

/* The file's own text, or the default made of `format` (where a token's name may go in). */
static enum outcome text_or(struct reason *why, char **out, char **given, const char *format, ...)
    PRINTF_LIKE(4, 5);

static enum outcome text_or(struct reason *why, char **out, char **given, const char *format, ...)
{
    if (*given != NULL) {
        *out = steal(given);
        return OUTCOME_OK;
    }
    va_list args;
    va_start(args, format);
    int len = vasprintf(out, format, args);
    va_end(args);
    if (len < 0) {
        *out = NULL;
        return out_of_memory(why);
    }
    return OUTCOME_OK;
}

/* An array of `n` zeroed entries; one of them when n is 0, so that NULL means trouble. */
static void *array_of(size_t n, size_t size)
{
    return calloc(n == 0 ? 1 : n, size);
}

static enum outcome fill_paths(struct config *config, struct config_file *file, struct reason *why)
{
    struct config_sockets *sockets = &config->sockets;
    struct config_sockets *given = &file->sockets;
    sockets->callers_second = steal(&given->callers_second);
    const struct {
        char **out;
        char **given;
        const char *otherwise;
    } rows[] = {
        {&sockets->callers, &given->callers, "/run/qseal/qseal.sock"},
        {&sockets->admin, &given->admin, "/run/qseal-admin/admin.sock"},
        {&sockets->signing, &given->signing, "/run/qseal-signing/signing.sock"},
        {&config->state, &file->state, "/var/lib/qseal"},
        {&config->profiles_dir, &file->profiles, "/etc/qseal/profiles.d"},
        {&config->audit.folder, &file->audit.folder, "/var/log/qseal/audit"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum outcome outcome = text_or(why, rows[i].out, rows[i].given, "%s", rows[i].otherwise);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

static enum outcome fill_templates(struct config *config, struct config_file *file,
                                   struct reason *why)
{
    static const char *const otherwise[] = {"/etc/qseal/templates", "/usr/share/qseal/templates"};
    if (file->templates != NULL) {
        config->template_dirs = file->templates;
        config->n_template_dirs = file->templates_count;
        file->templates = NULL;
        file->templates_count = 0;
        return OUTCOME_OK;
    }
    config->template_dirs = array_of(COUNT_OF(otherwise), sizeof *config->template_dirs);
    if (config->template_dirs == NULL) {
        return out_of_memory(why);
    }
    config->n_template_dirs = COUNT_OF(otherwise);
    for (size_t i = 0; i < COUNT_OF(otherwise); i++) {
        config->template_dirs[i] = strdup(otherwise[i]);
        if (config->template_dirs[i] == NULL) {
            return out_of_memory(why);
        }
    }
    return OUTCOME_OK;
}

static enum outcome fill_users(struct config *config, struct config_file *file, struct reason *why)
{
    const char *httpd = file->users.httpd != NULL ? file->users.httpd : "qseal-httpd";
    const char *qseald = file->users.qseald != NULL ? file->users.qseald : "qseald";
    enum outcome outcome =
        config_resolve_user(config->path, "/users/httpd", httpd, &config->httpd_uid, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    return config_resolve_user(config->path, "/users/qseald", qseald, &config->qseald_uid, why);
}

static enum outcome fill_limits(struct config *config, struct config_file *file, struct reason *why)
{
    (void)why;
    const struct file_limits *given = &file->limits;
    config->limits = (struct config_limits){
        .workers = number_or(given->workers, 24),
        .connections = number_or(given->connections, 1000),
        .body_max = number_or(given->body_max, 1024 * 1024),
        .head_ms = number_or(given->head_ms, 2000),
        .body_ms = number_or(given->body_ms, 5000),
        .idle_ms = number_or(given->idle_ms, 60000),
        .deadline_ms = number_or(given->deadline_ms, 10000),
        .drain_ms = number_or(given->drain_ms, 5000),
        .jwks_max_age_s = number_or(given->jwks_max_age_s, 300),
        .clock_jump_s = number_or(given->clock_jump_s, 60),
    };
    return OUTCOME_OK;
}

/* A list moves as a whole: its texts and the array itself. */
static void take_list(char ***out, size_t *n, char ***given, uint32_t *given_n)
{
    *out = *given;
    *n = *given_n;
    *given = NULL;
    *given_n = 0;
}

static enum outcome fill_callers(struct config *config, struct config_file *file,
                                 struct reason *why)
{
    config->callers = array_of(file->callers_count, sizeof *config->callers);
    if (config->callers == NULL) {
        return out_of_memory(why);
    }
    for (size_t i = 0; i < file->callers_count; i++) {
        struct file_caller *given = &file->callers[i];
        struct config_caller *caller = &config->callers[config->n_callers++];
        caller->name = steal(&given->name);
        take_list(&caller->profiles, &caller->n_profiles, &given->profiles, &given->profiles_count);
        take_list(&caller->roles, &caller->n_roles, &given->roles, &given->roles_count);
        caller->rate = number_or(given->rate, 0);
        caller->burst = number_or(given->burst, caller->rate);
        caller->in_flight = number_or(given->in_flight, 64);
        caller->connections = number_or(given->connections, 256);
        enum outcome outcome = config_resolve_either(config->path, "callers", i, given->user,
                                                     given->uid, &caller->uid, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

/* Exactly one of `user:`, `uid:`, `group:` and `gid:`. */
static enum outcome fill_administrator(const struct config *config, size_t index,
                                       const struct file_administrator *given,
                                       struct config_administrator *out, struct reason *why)
{
    char pointer[64];
    int n = (given->user != NULL) + (given->uid != NULL) + (given->group != NULL) +
            (given->gid != NULL);
    out->rights = given->rights;
    out->is_group = given->group != NULL || given->gid != NULL;
    if (n != 1) {
        (void)snprintf(pointer, sizeof pointer, "/administrators/%zu", index);
        return yaml_refuse(why, config->path, pointer,
                           "%s: one of `user`, `uid`, `group` and `gid` is wanted here, %s",
                           pointer, n == 0 ? "and there is none" : "not several");
    }
    if (!out->is_group) {
        return config_resolve_either(config->path, "administrators", index, given->user, given->uid,
                                     &out->uid, why);
    }
    (void)snprintf(pointer, sizeof pointer, "/administrators/%zu/%s", index,
                   given->group != NULL ? "group" : "gid");
    return given->group != NULL
               ? config_resolve_group(config->path, pointer, given->group, &out->gid, why)
               : config_take_number(config->path, pointer, "gid", *given->gid, &out->gid, why);
}

static enum outcome fill_administrators(struct config *config, struct config_file *file,
                                        struct reason *why)
{
    config->administrators = array_of(file->administrators_count, sizeof *config->administrators);
    if (config->administrators == NULL) {
        return out_of_memory(why);
    }
    for (size_t i = 0; i < file->administrators_count; i++) {
        enum outcome outcome =
            fill_administrator(config, i, &file->administrators[i],
                               &config->administrators[config->n_administrators++], why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    config->approval = (struct config_approval){
        .required = file->approval.required,
        .valid_s = number_or(file->approval.valid_s, 86400),
    };
    return OUTCOME_OK;
}

/* Its folder is among the paths. */
static enum outcome fill_audit(struct config *config, struct config_file *file, struct reason *why)
{
    (void)why;
    const struct file_audit *given = &file->audit;
    struct config_audit *audit = &config->audit;
    audit->enabled = given->enabled == NULL || *given->enabled;
    audit->segment_mib = number_or(given->segment_mib, 64);
    audit->segment_age_s = number_or(given->segment_age_s, 86400);
    audit->checkpoint_records = number_or(given->checkpoint_records, 10000);
    audit->checkpoint_s = number_or(given->checkpoint_s, 300);
    audit->retention_days = number_or(given->retention_days, 0);
    return OUTCOME_OK;
}

static enum outcome fill_tokens(struct config *config, struct config_file *file, struct reason *why)
{
    config->tokens = array_of(file->tokens_count, sizeof *config->tokens);
    if (config->tokens == NULL) {
        return out_of_memory(why);
    }
    for (size_t i = 0; i < file->tokens_count; i++) {
        struct file_token *given = &file->tokens[i];
        struct config_token *token = &config->tokens[config->n_tokens++];
        token->name = steal(&given->name);
        token->module = steal(&given->module);
        token->uri = steal(&given->uri);
        token->pin_typed = given->pin != NULL;
        token->sessions = number_or(given->sessions, 8);
        token->deadline_ms = number_or(given->deadline_ms, 5000);
        token->mechanisms = given->mechanisms != NULL ? *given->mechanisms : MECHANISMS_AUTO;
        token->session_copy = given->session_copy;
        enum outcome outcome =
            text_or(why, &token->socket, &given->socket, "/run/qseal-token/%s.sock", token->name);
        if (outcome == OUTCOME_OK) {
            outcome =
                text_or(why, &token->state, &given->state, "/var/lib/qseal-tokend/%s", token->name);
        }
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

/* What a role is granted that does not say: a transport key all that TLS may ask of it, since the
 * server chooses; a seal key nothing, since each bank says what it wants; an audit key the one that
 * fits, of RSA's PS256. */
static uint32_t default_algs(enum purpose purpose, enum key_type type)
{
    uint32_t algs = 0;
    if (purpose == PURPOSE_AUDIT && alg_fits_key(ALG_PS256, type)) {
        return 1U << ALG_PS256;
    }
    for (unsigned int i = 0; purpose != PURPOSE_SEAL && i < ALG_COUNT; i++) {
        algs |= purpose_alg_fits_key(purpose, (enum alg)i, type) ? 1U << i : 0;
    }
    return algs;
}

static enum outcome fill_roles(struct config *config, struct config_file *file, struct reason *why)
{
    config->roles = array_of(file->roles_count, sizeof *config->roles);
    if (config->roles == NULL) {
        return out_of_memory(why);
    }
    for (size_t i = 0; i < file->roles_count; i++) {
        struct file_role *given = &file->roles[i];
        struct config_role *role = &config->roles[config->n_roles++];
        role->name = steal(&given->name);
        role->purpose = given->purpose;
        role->key_type = given->key;
        role->algs = given->algorithms != NULL ? *given->algorithms
                                               : default_algs(given->purpose, given->key);
        take_list(&role->tokens, &role->n_tokens, &given->tokens, &given->tokens_count);
        role->peers = given->peers;
        role->n_peers = given->peers_count;
        given->peers = NULL;
        given->peers_count = 0;
        role->needs_certificate = wished_or(given->certificate, role->purpose == PURPOSE_TRANSPORT);
        role->needs_backup = wished_or(given->backup, false);
        role->needs_seen = wished_or(given->seen, false);
        role->probe_file = steal(&given->probe_file);
        role->publish_before_use_s =
            number_or(given->publish_before_use_s,
                      role->purpose == PURPOSE_SEAL ? config->limits.jwks_max_age_s : 0);
        role->cryptoperiod_days = number_or(given->cryptoperiod_days, 0);
        role->warn_days = number_or(given->warn_days, 30);
        role->stops_at_end = given->at_end != NULL && *given->at_end == END_STOP;
    }
    return OUTCOME_OK;
}

enum outcome config_fill(struct config *config, struct config_file *file, struct reason *why)
{
    enum outcome (*const steps[])(struct config *, struct config_file *, struct reason *) = {
        fill_paths,          fill_templates, fill_users,  fill_limits, fill_callers,
        fill_administrators, fill_audit,     fill_tokens, fill_roles,
    };
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        enum outcome outcome = steps[i](config, file, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}
