/* SPDX-License-Identifier: Apache-2.0
 * The PIN, for the moment between its file (or the pipe of who types it) and C_Login: in a page of
 * its own that is locked into memory and left out of core dumps, and wiped at once. */
#ifndef QSEAL_PKCS11_PIN_H
#define QSEAL_PKCS11_PIN_H

#include "base/attributes.h"
#include "model/outcome.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pin {
    uint8_t *page; /* owned mapping, or NULL */
    size_t room;
    size_t len;
};

/* `source` is the URI's pin-source (RFC 7512 §2.3): "file:/path", a plain absolute path, or
 * "credential:NAME" for the file NAME in $CREDENTIALS_DIRECTORY (systemd LoadCredential=). One
 * newline at the end is not part of the PIN. OUTCOME_RULE names the file, never its content. */
enum outcome pin_read(const char *source, struct pin *out, struct reason *why) MUST_USE;
/* The same from the read end of a pipe: what is in it now, whose writer has closed it. */
enum outcome pin_read_pipe(int fd, struct pin *out, struct reason *why) MUST_USE;
/* Wipes and unmaps; accepts an empty one. */
void pin_wipe(struct pin *pin);

#define PIN_CLEANUP CLEANUP(pin_wipe)

#endif
