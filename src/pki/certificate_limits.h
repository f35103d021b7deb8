/* SPDX-License-Identifier: Apache-2.0
 * What a stranger's certificates must be like before libcrypto reads them. Its reading copies and
 * compares parts of a certificate by each other (RFC 5280 §4.2.1.13: the issuer's name into every
 * distribution point; §4.2.1.10: every name with every constraint), so that memory and time grow
 * with the product of what the certificate holds of each. All is found by walking over the DER. */
#ifndef QSEAL_PKI_CERTIFICATE_LIMITS_H
#define QSEAL_PKI_CERTIFICATE_LIMITS_H

#include "base/attributes.h"
#include "base/span.h"

#include <stddef.h>

enum {
    CERTIFICATE_LEN_MAX = 16 * 1024,       /* bytes of one */
    CERTIFICATE_CHAIN_LEN_MAX = 64 * 1024, /* bytes of all */
    CERTIFICATE_NAME_LEN_MAX = 1024,       /* bytes of issuer, and of subject */
    CERTIFICATE_EXTENSIONS_MAX = 64,       /* in one */
    /* in all certificates of a chain together */
    CERTIFICATE_POINTS_MAX = 32,
    CERTIFICATE_ALT_NAMES_MAX = 256,
    CERTIFICATE_SUBTREES_MAX = 512,
};

/* What the certificates of one chain hold so far; {0} at the start. */
struct certificate_tally {
    size_t len;
    size_t points;    /* of cRLDistributionPoints */
    size_t alt_names; /* of subjectAltName */
    size_t subtrees;  /* of nameConstraints */
};

/* The next certificate (DER) of the chain; NULL, or what is wrong. */
const char *certificate_limits_fault(struct certificate_tally *chain, struct span der) MUST_USE;

#endif
