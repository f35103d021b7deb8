/* SPDX-License-Identifier: Apache-2.0
 * PEM blocks (RFC 7468) in text that people edit: read line by line, CRLF and blanks at line ends
 * are fine, text around the blocks is skipped. The base64 itself is strict. */
#ifndef QSEAL_PROVIDER_PEM_H
#define QSEAL_PROVIDER_PEM_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>

#define PEM_REFERENCE "QSEAL KEY REFERENCE"
#define PEM_CERTIFICATE "CERTIFICATE"

/* Bytes one block may hold. */
enum { PEM_MAX_DER = 32 * 1024 };

struct pem {
    uint8_t *der; /* owned */
    size_t der_len;
    bool is_inside;
    bool is_closed; /* padded: no more base64 may come */
    uint32_t bits;  /* of a group of four characters */
    unsigned int characters;
    unsigned int padding;
};

enum pem_step { PEM_MORE, PEM_DONE, PEM_OTHER, PEM_BROKEN };

/* Feeds one line, with or without its end. PEM_DONE: a block of this label is complete in `der`.
 * PEM_OTHER: a block of another label begins. PEM_BROKEN: a block of this label, but damaged. */
enum pem_step pem_line(struct pem *pem, const char *label, struct span line) MUST_USE;
/* Ready for the next block; frees. */
void pem_reset(struct pem *pem);

#endif
