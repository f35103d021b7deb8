/* SPDX-License-Identifier: Apache-2.0
 * qseal.yaml, read and checked. Immutable after loading. Unknown keys, aliases, a second document
 * and wrong values are refused with "file:line: what is wrong, what would be right". */
#ifndef QSEAL_POLICY_CONFIG_H
#define QSEAL_POLICY_CONFIG_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/alg.h"
#include "model/caller.h"
#include "model/outcome.h"
#include "model/purpose.h"
#include "pki/peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct config_sockets {
    char *callers;        /* /run/qseal/qseal.sock: qseald listens, flow engines connect */
    char *callers_second; /* NULL, or the same door inside a chroot */
    char *admin;          /* /run/qseal-admin/admin.sock: qseald listens, qsealctl connects */
    char *signing;        /* /run/qseal-signing/signing.sock: qseald listens, httpd connects */
};

struct config_limits {
    uint32_t workers;        /* qseald's threads = httpd's channels; 24 */
    uint32_t connections;    /* all callers together; 1000 */
    uint32_t body_max;       /* bytes; 1048576, never more */
    uint32_t head_ms;        /* 2000 */
    uint32_t body_ms;        /* 5000 */
    uint32_t idle_ms;        /* 60000 */
    uint32_t deadline_ms;    /* a whole answer; 10000 */
    uint32_t drain_ms;       /* at SIGTERM; 5000 */
    uint32_t jwks_max_age_s; /* 300 */
    uint32_t clock_jump_s;   /* of the wall clock, then nothing is signed; 60, 0: never */
};

struct config_caller {
    char *name;
    uid_t uid;       /* from `user:` (a name, resolved at load) or `uid:` */
    char **profiles; /* names granted; "*" grants all */
    size_t n_profiles;
    char **roles; /* of purpose transport, granted; "*" grants all */
    size_t n_roles;
    uint32_t rate;        /* requests per second; 0: no limit */
    uint32_t burst;       /* default: rate */
    uint32_t in_flight;   /* default 64 */
    uint32_t connections; /* default 256 */
};

enum admin_right {
    RIGHT_OPERATOR = 1,
    RIGHT_CUSTODIAN = 2,
    RIGHT_AUDITOR = 4,
    RIGHT_APPROVER = 8, /* the second custodian */
};

/* A user, or whoever is in a group. */
struct config_administrator {
    bool is_group;
    uid_t uid;           /* unless it is one */
    gid_t gid;           /* if it is one */
    unsigned int rights; /* bits of enum admin_right */
};

/* Whether changes of keys wait for a second person. */
struct config_approval {
    bool required;    /* false */
    uint32_t valid_s; /* how long a plan may be approved; 86400 */
};

/* The audit log (docs/audit.md). */
struct config_audit {
    bool enabled;                /* true */
    char *folder;                /* /var/log/qseal/audit */
    uint32_t segment_mib;        /* a longer segment is closed; 64 */
    uint32_t segment_age_s;      /* an older one, too; 86400 */
    uint32_t checkpoint_records; /* 10000 */
    uint32_t checkpoint_s;       /* 300 */
    uint32_t retention_days;     /* of sealed segments; 0: they are kept */
};

enum mechanism_mode { MECHANISMS_AUTO, MECHANISMS_PREHASH, MECHANISMS_TOKEN_HASH };

struct config_token {
    char *name;
    char *socket;         /* tokend listens, qseald connects */
    char *module;         /* absolute path of the PKCS#11 module */
    char *uri;            /* RFC 7512: token attributes and pin-source; pin-value is refused */
    bool pin_typed;       /* `pin: typed`: a person types it, and the URI has no pin-source */
    char *state;          /* folder of tokend's PIN attempt record */
    uint32_t sessions;    /* PKCS#11 sessions = worker threads; 8 */
    uint32_t deadline_ms; /* of one PKCS#11 call, then tokend ends itself; 5000 */
    enum mechanism_mode mechanisms; /* auto */
    bool session_copy;              /* sign with a session copy of the key (C_CopyObject); false */
};

struct config_role {
    char *name;
    enum purpose purpose;
    enum key_type key_type;
    uint32_t algs; /* bits: what keys of this role are granted; all must fit the key type */
    char **tokens; /* names, in order of preference */
    size_t n_tokens;
    struct peer_rule *peers; /* transport only: servers its keys may be used with; none: any */
    size_t n_peers;
    /* A key is published only with a certificate; default for transport, not for the others. */
    bool needs_certificate;
    bool needs_backup; /* a key signs only when a backup of it is on record */
    bool needs_seen;   /* a successor signs only when it is on record that it is visible outside */
    char *probe_file;  /* seal only: the JWK Set as a program outside sees it; NULL: none */
    /* How long a key is published before it may sign; for seal jwks_max_age_s, for others 0. */
    uint32_t publish_before_use_s;
    uint32_t cryptoperiod_days; /* from when a key first signed; 0: no end */
    uint32_t warn_days;         /* before the end of a key; 30 */
    bool stops_at_end;          /* a key past its end signs nothing; otherwise it is warned of */
};

struct config {
    char *path;
    struct buffer text; /* the file's octets, which all of this was made of */
    struct config_sockets sockets;
    char *state;          /* /var/lib/qseal: the keyring */
    char **template_dirs; /* earlier ones win: /etc/qseal/templates, /usr/share/qseal/templates */
    size_t n_template_dirs;
    char *profiles_dir;
    uid_t httpd_uid;  /* may connect to `signing` */
    uid_t qseald_uid; /* may connect to the tokens' sockets */
    struct config_limits limits;
    struct config_caller *callers;
    size_t n_callers;
    struct config_administrator *administrators;
    size_t n_administrators;
    struct config_approval approval;
    struct config_audit audit;
    struct config_token *tokens;
    size_t n_tokens;
    struct config_role *roles;
    size_t n_roles;
};

/* OUTCOME_RULE with file, line and reason. *out is owned by the caller. */
enum outcome config_load(const char *path, struct config **out, struct reason *why) MUST_USE;
/* Accepts NULL. */
void config_free(struct config *config);

/* NULL when there is none of that name (uid). */
const struct config_token *config_token(const struct config *config, const char *name);
const struct config_role *config_role(const struct config *config, const char *name);
/* The one of purpose audit; NULL when there is none. */
const struct config_role *config_audit_role(const struct config *config);
const struct config_caller *config_caller(const struct config *config, uid_t uid);
/* Those of the uid and of all its groups together. */
unsigned int config_rights(const struct config *config, const struct caller *peer);
bool config_caller_is_granted(const struct config_caller *caller, const char *profile);
/* Whether the caller may use the transport keys of this role. */
bool config_caller_has_role(const struct config_caller *caller, const char *role);

#endif
