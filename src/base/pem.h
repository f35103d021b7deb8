/* SPDX-License-Identifier: Apache-2.0
 * PEM blocks in the one form that this house writes: the strict form of RFC 7468 §3, base64 in
 * lines of 64, line feeds, nothing between the blocks. */
#ifndef QSEAL_BASE_PEM_H
#define QSEAL_BASE_PEM_H

#include "base/attributes.h"
#include "base/buffer.h"

/* Appends one block; `label` is what stands behind BEGIN. */
void pem_put(struct buffer *out, const char *label, struct span der);
/* Takes the block that `text` starts with and moves `text` behind it; its bytes are appended to
 * `der`. False when the text does not start with such a block of this label, spelled as pem_put()
 * spells it, or when `der` has no room; `text` stays where it was then. */
bool pem_take(struct span *text, const char *label, struct buffer *der) MUST_USE;

#endif
