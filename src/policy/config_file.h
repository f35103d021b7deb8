/* SPDX-License-Identifier: Apache-2.0
 * qseal.yaml as libcyaml fills it in: everything optional is a pointer, NULL when the file is
 * silent. config.c makes the struct config of it. */
#ifndef QSEAL_POLICY_CONFIG_FILE_H
#define QSEAL_POLICY_CONFIG_FILE_H

#include "policy/config.h"

#include <cyaml/cyaml.h>

struct file_users {
    char *httpd;
    char *qseald;
};

struct file_limits {
    uint32_t *workers;
    uint32_t *connections;
    uint32_t *body_max;
    uint32_t *head_ms;
    uint32_t *body_ms;
    uint32_t *idle_ms;
    uint32_t *deadline_ms;
    uint32_t *drain_ms;
    uint32_t *jwks_max_age_s;
    uint32_t *clock_jump_s;
};

struct file_caller {
    char *name;
    char *user;
    uint32_t *uid;
    char **profiles;
    uint32_t profiles_count;
    char **roles;
    uint32_t roles_count;
    uint32_t *rate;
    uint32_t *burst;
    uint32_t *in_flight;
    uint32_t *connections;
};

struct file_administrator {
    char *user;
    uint32_t *uid;
    char *group;
    uint32_t *gid;
    uint32_t rights;
};

struct file_approval {
    bool required;
    uint32_t *valid_s;
};

struct file_audit {
    bool *enabled;
    char *folder;
    uint32_t *segment_mib;
    uint32_t *segment_age_s;
    uint32_t *checkpoint_records;
    uint32_t *checkpoint_s;
    uint32_t *retention_days;
};

enum pin_origin { PIN_TYPED };

struct file_token {
    char *name;
    char *socket;
    char *module;
    char *uri;
    enum pin_origin *pin;
    char *state;
    uint32_t *sessions;
    uint32_t *deadline_ms;
    enum mechanism_mode *mechanisms;
    bool session_copy;
};

enum wish { WISH_OPTIONAL, WISH_REQUIRED };
enum end_wish { END_WARN, END_STOP };

struct file_role {
    char *name;
    enum purpose purpose;
    enum key_type key;
    uint32_t *algorithms;
    char **tokens;
    uint32_t tokens_count;
    struct peer_rule *peers;
    uint32_t peers_count;
    enum wish *certificate;
    enum wish *backup;
    enum wish *seen;
    char *probe_file;
    uint32_t *publish_before_use_s;
    uint32_t *cryptoperiod_days;
    uint32_t *warn_days;
    enum end_wish *at_end;
};

struct config_file {
    struct config_sockets sockets;
    char *state;
    char **templates;
    uint32_t templates_count;
    char *profiles;
    struct file_users users;
    struct file_limits limits;
    struct file_caller *callers;
    uint32_t callers_count;
    struct file_administrator *administrators;
    uint32_t administrators_count;
    struct file_approval approval;
    struct file_audit audit;
    struct file_token *tokens;
    uint32_t tokens_count;
    struct file_role *roles;
    uint32_t roles_count;
};

/* For yaml_load(). */
extern const cyaml_schema_value_t config_file_schema;

#endif
