/* SPDX-License-Identifier: Apache-2.0
 * DNS names of a rule against those of a certificate (RFC 6125 §6.4, RFC 9525 §6.3). */
#ifndef QSEAL_PKI_PEER_NAME_H
#define QSEAL_PKI_PEER_NAME_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>

/* Whether a rule may be written so: a DNS name in ASCII, or "*." before one of at least two labels.
 */
bool peer_name_is_valid(struct span name) MUST_USE;
/* Whether the certificate's dNSName is one that the rule means. Case does not count. A star stands
 * for exactly one label, the first, on either side; a rule with a star also means the certificate's
 * name with the same star. */
bool peer_name_fits(struct span rule, struct span presented) MUST_USE;

#endif
