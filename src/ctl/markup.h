/* SPDX-License-Identifier: Apache-2.0
 * Text for XML and HTML, of which nothing becomes markup. */
#ifndef QSEAL_CTL_MARKUP_H
#define QSEAL_CTL_MARKUP_H

#include "base/buffer.h"

/* Appends UTF-8 text: & < > " ' as references, what printable_put() makes visible in its
 * form. Good between tags and in a quoted attribute. */
void markup_put(struct buffer *out, const char *text);

#endif
