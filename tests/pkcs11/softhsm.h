/* SPDX-License-Identifier: Apache-2.0
 * A SoftHSM2 token of its own for one test program: configuration, token folder, PIN file and state
 * folder under one temporary folder, and the shim's log and faults beside them. */
#ifndef QSEAL_TESTS_PKCS11_SOFTHSM_H
#define QSEAL_TESTS_PKCS11_SOFTHSM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

enum { SOFTHSM_PATH_SIZE = 160 };

struct softhsm {
    char folder[SOFTHSM_PATH_SIZE];
    char pin[SOFTHSM_PATH_SIZE];    /* path of the PIN file */
    char state[SOFTHSM_PATH_SIZE];  /* folder of the PIN record */
    char record[SOFTHSM_PATH_SIZE]; /* the PIN record itself */
    char log[SOFTHSM_PATH_SIZE];    /* QSEAL_SHIM_LOG */
    char faults[SOFTHSM_PATH_SIZE]; /* QSEAL_SHIM_FAULTS */
    char uri[2 * SOFTHSM_PATH_SIZE];
};

#define SOFTHSM_LABEL "qseal-test"
#define SOFTHSM_PIN "13572468"

/* Makes the token and sets the environment: SOFTHSM2_CONF and the shim's knobs. */
void softhsm_make(struct softhsm *softhsm);
void softhsm_remove(struct softhsm *softhsm);
/* Path of qseal-test-shim.so. */
const char *softhsm_shim(void);

void softhsm_set_pin(const struct softhsm *softhsm, const char *pin);
/* Lines of the shim's faults file. */
void softhsm_set_faults(const struct softhsm *softhsm, const char *text);
/* How often the shim has seen this call, with any result (rv NULL) or with this one ("0xa0"). */
unsigned int softhsm_count(const struct softhsm *softhsm, const char *call, const char *rv);
void softhsm_forget_calls(const struct softhsm *softhsm);
/* First word of the PIN record, or "" when there is none. */
void softhsm_record(const struct softhsm *softhsm, char out[32]);
void softhsm_clear_record(const struct softhsm *softhsm);
/* Runs a program and waits; true when it ends with 0. Its output is dropped. */
bool softhsm_run(const char *const *argv);
/* Moves the token away, and back. */
void softhsm_hide(const struct softhsm *softhsm);
void softhsm_show(const struct softhsm *softhsm);

#endif
