/* SPDX-License-Identifier: Apache-2.0
 * One PKCS#11 module, named by absolute path in our own configuration: no module list, proxy, user
 * configuration or remoting of p11-kit is consulted. Its code runs with all that this process may
 * do, so the file must belong to root or to the process's own user and be writable by no one else.
 *
 * The module is loaded unmanaged: calls go straight into it. It is never finalized and never
 * unloaded; the process leaves by _exit(2), because modules crash in exit handlers and while other
 * threads are inside them. */
#ifndef QSEAL_PKCS11_MODULE_H
#define QSEAL_PKCS11_MODULE_H

#include "base/attributes.h"
#include "model/outcome.h"

#include <p11-kit/pkcs11.h>
#include <stddef.h>

struct module {
    CK_FUNCTION_LIST *calls; /* lives as long as the process */
};

/* OUTCOME_RULE when the file is not acceptable or is no module. */
enum outcome module_load(const char *path, struct module *out, struct reason *why) MUST_USE;
/* C_Initialize for use by several threads. OUTCOME_TOKEN_UNAVAILABLE with the code. */
enum outcome module_initialize(const struct module *module, struct reason *why) MUST_USE;
/* "library description version", for people. */
void module_describe(const struct module *module, char *out, size_t size);

/* A fixed-width, blank-padded PKCS#11 text as a C string. */
void module_text(const unsigned char *padded, size_t width, char *out, size_t size);

#endif
