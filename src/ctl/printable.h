/* SPDX-License-Identifier: Apache-2.0
 * Texts of strangers (certificates, tokens, reasons) on somebody's terminal. */
#ifndef QSEAL_CTL_PRINTABLE_H
#define QSEAL_CTL_PRINTABLE_H

#include "base/attributes.h"
#include "base/buffer.h"

#include <jansson.h>

/* Appends UTF-8 text. What steers a terminal or hides from the eye is written as <U+001B>: control
 * characters and line ends, bidirectional controls (UAX #9), and characters without a shape. Bytes
 * that are no UTF-8 (RFC 3629) become '?'. */
void printable_put(struct buffer *out, const char *text);
/* Does so with every string in the value, in place; line ends stay in members "pem", which are PEM.
 * False when memory is short. */
bool printable_make(json_t *value) MUST_USE;

#endif
