/* SPDX-License-Identifier: Apache-2.0
 * What the files behind request.h share: the parts of a CertificationRequestInfo. */
#ifndef QSEAL_PKI_REQUEST_PARTS_H
#define QSEAL_PKI_REQUEST_PARTS_H

#include "base/attributes.h"
#include "pki/request_profile.h"

#include <openssl/x509.h>

/* Fills the name in the profile's order. OUTCOME_RULE with the reason. */
enum outcome request_put_subject(X509_NAME *name, const struct request_wish *wish,
                                 struct reason *why) MUST_USE;
/* Adds the extensionRequest attribute (RFC 2985 §5.4.2) that the profile has, for the public key
 * that is in the request. */
enum outcome request_put_extensions(X509_REQ *request, const struct request_wish *wish,
                                    struct reason *why) MUST_USE;

#endif
