/* SPDX-License-Identifier: Apache-2.0
 * The PIN, for the moment between its file (or the pipe of who types it) and C_Login. */
#ifndef QSEAL_PKCS11_PIN_H
#define QSEAL_PKCS11_PIN_H

#include "base/attributes.h"
#include "base/secret.h"
#include "model/outcome.h"

/* `source` is the URI's pin-source (RFC 7512 §2.3): "file:/path", a plain absolute path, or
 * "credential:NAME" for the file NAME in $CREDENTIALS_DIRECTORY (systemd LoadCredential=). One
 * newline at the end is not part of the PIN. OUTCOME_RULE names the file, never its content. */
enum outcome pin_read(const char *source, struct secret *out, struct reason *why) MUST_USE;
/* The same from the read end of a pipe: what is in it now, whose writer has closed it. */
enum outcome pin_read_pipe(int fd, struct secret *out, struct reason *why) MUST_USE;
#endif
