/* SPDX-License-Identifier: Apache-2.0
 * qseal-tokend as a process of its own, on a SoftHSM2 token behind the shim. */
#ifndef QSEAL_TESTS_PKCS11_TOKEND_RIG_H
#define QSEAL_TESTS_PKCS11_TOKEND_RIG_H

#include "softhsm.h"

#include "token/remote.h"

#include <sys/types.h>

struct tokend_rig {
    struct softhsm softhsm;
    char config[SOFTHSM_PATH_SIZE];
    char socket[SOFTHSM_PATH_SIZE];
    char errors[SOFTHSM_PATH_SIZE]; /* what it wrote to standard error */
    pid_t pid;                      /* 0: not running */
    struct token *token;            /* the remote body */
};

struct tokend_settings {
    uid_t qseald;
    const char *module;
    unsigned int sessions;
    unsigned int deadline_ms;
    const char *uri;  /* NULL: the token's, with its pin-source */
    const char *more; /* further members of the token, ", name: value", or "" */
};

void tokend_rig_make(struct tokend_rig *rig);
void tokend_rig_remove(struct tokend_rig *rig);

struct tokend_settings tokend_rig_settings(void);
void tokend_rig_configure(struct tokend_rig *rig, const struct tokend_settings *settings);
/* Starts it; with a listener, as systemd would hand it over. */
void tokend_rig_start(struct tokend_rig *rig, int listener);
/* Waits until it says that it is in this state. */
void tokend_rig_await(struct tokend_rig *rig, enum token_state state, struct token_status *out);
/* Waits for its end; the exit status, or -1 for a signal. */
int tokend_rig_end(struct tokend_rig *rig);
/* SIGTERM, and its end. */
int tokend_rig_stop(struct tokend_rig *rig);
/* Whether this stands in what it wrote. */
bool tokend_rig_said(const struct tokend_rig *rig, const char *text);
/* Runs it with these arguments until it ends. */
int tokend_rig_run(struct tokend_rig *rig, const char *const *arguments);

#endif
