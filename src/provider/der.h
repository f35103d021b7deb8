/* SPDX-License-Identifier: Apache-2.0
 * A reader of DER (X.690) that knows definite, minimal lengths below 64 KiB and nothing else. */
#ifndef QSEAL_PROVIDER_DER_H
#define QSEAL_PROVIDER_DER_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>

enum der_tag {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT_0 = 0xa0,
};

/* Takes the next element, which must have this tag, from the front of `in`; `out` is its content.
 */
bool der_take(struct span *in, enum der_tag tag, struct span *out) MUST_USE;
/* The same for an INTEGER that is positive and minimal: its magnitude, without a leading zero. */
bool der_take_positive(struct span *in, struct span *out) MUST_USE;

#endif
