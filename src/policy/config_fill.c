/* SPDX-License-Identifier: Apache-2.0
 * From the file to a struct config. Texts and lists move out of what libcyaml allocated (with
 * realloc, see cyaml_mem), so that each is owned once. */
#include "policy/config_fill.h"

#include "policy/yaml.h"
#include "policy/yaml_tree.h"

#include <pwd.h>
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

/* A user's name, or a number. (uid_t)-1 means "nobody said" to the kernel and is refused. */
static enum outcome resolve_user(const char *path, const char *pointer, const char *user,
                                 uid_t *out, struct reason *why)
{
    size_t digits = strspn(user, "0123456789");
    if (user[digits] == '\0' && digits <= 10) {
        unsigned long long number = strtoull(user, NULL, 10);
        if (number >= UINT32_MAX) {
            return yaml_refuse(why, path, pointer, "%s: no uid is that large", pointer);
        }
        *out = (uid_t)number;
        return OUTCOME_OK;
    }
    char scratch[16384];
    struct passwd entry;
    struct passwd *found = NULL;
    int error = getpwnam_r(user, &entry, scratch, sizeof scratch, &found);
    if (found == NULL) {
        char shown[YAML_SHOWN_SIZE];
        yaml_tree_printable(user, shown);
        return yaml_refuse(why, path, pointer, "%s: user \"%s\" %s", pointer, shown,
                           error == 0 ? "does not exist on this host" : "cannot be looked up");
    }
    *out = found->pw_uid;
    return OUTCOME_OK;
}

/* Exactly one of `user:` and `uid:`. */
static enum outcome resolve_either(const char *path, const char *section, size_t index,
                                   const char *user, const uint32_t *uid, uid_t *out,
                                   struct reason *why)
{
    char pointer[64];
    (void)snprintf(pointer, sizeof pointer, "/%s/%zu", section, index);
    if ((user == NULL) == (uid == NULL)) {
        return yaml_refuse(why, path, pointer, "%s: one of `user` and `uid` is wanted here, %s",
                           pointer, user == NULL ? "and there is none" : "not both");
    }
    if (user != NULL) {
        (void)snprintf(pointer, sizeof pointer, "/%s/%zu/user", section, index);
        return resolve_user(path, pointer, user, out, why);
    }
    if (*uid == UINT32_MAX) {
        (void)snprintf(pointer, sizeof pointer, "/%s/%zu/uid", section, index);
        return yaml_refuse(why, path, pointer, "%s: no uid is that large", pointer);
    }
    *out = *uid;
    return OUTCOME_OK;
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
        resolve_user(config->path, "/users/httpd", httpd, &config->httpd_uid, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    return resolve_user(config->path, "/users/qseald", qseald, &config->qseald_uid, why);
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
        enum outcome outcome =
            resolve_either(config->path, "callers", i, given->user, given->uid, &caller->uid, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

static enum outcome fill_administrators(struct config *config, struct config_file *file,
                                        struct reason *why)
{
    config->administrators = array_of(file->administrators_count, sizeof *config->administrators);
    if (config->administrators == NULL) {
        return out_of_memory(why);
    }
    for (size_t i = 0; i < file->administrators_count; i++) {
        const struct file_administrator *given = &file->administrators[i];
        struct config_administrator *administrator =
            &config->administrators[config->n_administrators++];
        administrator->rights = given->rights;
        enum outcome outcome = resolve_either(config->path, "administrators", i, given->user,
                                              given->uid, &administrator->uid, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
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
 * server chooses; a seal key nothing, since each bank says what it wants. */
static uint32_t default_algs(enum purpose purpose, enum key_type type)
{
    uint32_t algs = 0;
    for (unsigned int i = 0; purpose == PURPOSE_TRANSPORT && i < ALG_COUNT; i++) {
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
        bool transport = role->purpose == PURPOSE_TRANSPORT;
        role->needs_certificate =
            given->certificate != NULL ? *given->certificate == CERTIFICATE_REQUIRED : transport;
        role->publish_before_use_s =
            number_or(given->publish_before_use_s, transport ? 0 : config->limits.jwks_max_age_s);
        role->cryptoperiod_days = number_or(given->cryptoperiod_days, 0);
        role->warn_days = number_or(given->warn_days, 30);
        role->stops_at_end = given->at_end != NULL && *given->at_end == END_STOP;
    }
    return OUTCOME_OK;
}

enum outcome config_fill(struct config *config, struct config_file *file, struct reason *why)
{
    enum outcome (*const steps[])(struct config *, struct config_file *, struct reason *) = {
        fill_paths,   fill_templates,      fill_users,  fill_limits,
        fill_callers, fill_administrators, fill_tokens, fill_roles,
    };
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        enum outcome outcome = steps[i](config, file, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}
