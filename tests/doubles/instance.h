/* SPDX-License-Identifier: Apache-2.0
 * qseald's insides for one test: a real configuration in a temporary folder, the shipped templates
 * and bindings, and tokens that are doubles. */
#ifndef QSEAL_TESTS_INSTANCE_H
#define QSEAL_TESTS_INSTANCE_H

#include "custody/local.h"
#include "signing/local.h"
#include "token_double.h"

enum { INSTANCE_TOKENS = 2, INSTANCE_ASKERS = 3 };

struct instance {
    char folder[64];
    char config_path[128];
    char keyring_path[128];
    /* For instance_configure(), NULL for none: members of the caller and of role seal-ec, roles,
     * and administrators with what may stand behind them at the top, as YAML. */
    const char *caller_more;
    const char *seal_ec_more;
    const char *roles_more;
    const char *administrators_more;
    const char *audit_more; /* as the others: ", checkpoint_s: 1" */
    bool pins_typed;
    char audit_folder[128];
    struct audit *audit;                         /* NULL: no log is kept */
    struct token_double tokens[INSTANCE_TOKENS]; /* hsm-a, hsm-b */
    struct view_cell *views;
    struct watch *watch;
    struct callers *callers;
    struct custody *custody;
    struct log_limit refusals;
    struct signing signing;
    struct signing_worker *worker;
    uint64_t connection; /* of this process */
};

/* Role seal (rsa-2048) on hsm-a, role seal-ec (p-256) on hsm-a and hsm-b; this process's uid is the
 * caller "flow" with these grants (YAML flow sequence) and an administrator with these rights. No
 * keys yet. */
void instance_init(struct instance *instance, const char *grants, const char *rights);
/* The same with an audit log in a folder of its own. Nobody makes checkpoints. */
void instance_init_audited(struct instance *instance, const char *grants, const char *rights);
void instance_fini(struct instance *instance);
/* Writes qseal.yaml anew. */
void instance_configure(struct instance *instance, const char *grants, const char *rights);
/* Waits until the watch has seen this state. */
void instance_wait_state(struct instance *instance, const char *token, enum token_state state);
/* custody_do() by this peer. */
enum outcome instance_ask_as(struct instance *instance, const struct caller *peer,
                             enum custody_verb verb, const char *arguments, struct buffer *result,
                             struct reason *why);
/* custody_do() by this process; the result's text is in *result (the caller's buffer). */
enum outcome instance_admin(struct instance *instance, enum custody_verb verb,
                            const char *arguments, struct buffer *result, struct reason *why);
/* Makes the keys of both roles. What the tokens are asked is counted from then on. */
void instance_make_keys(struct instance *instance);
/* Lets all keys have lived so many seconds longer, in a view that no file knows of. */
void instance_age_keys(struct instance *instance, int64_t seconds);
/* The clock has jumped by so many seconds, as far as the watch knows: 0 ends it. */
void instance_jump(struct instance *instance, int64_t seconds);
/* Asks as a caller would, and parses the answer's body. */
struct signing_answer instance_ask(struct instance *instance, enum signing_route route,
                                   enum operation operation, const char *profile, const char *body,
                                   json_t **json);

#endif
