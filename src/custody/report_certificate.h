/* SPDX-License-Identifier: Apache-2.0
 * What a certificate says, for people and their programs. */
#ifndef QSEAL_CUSTODY_REPORT_CERTIFICATE_H
#define QSEAL_CUSTODY_REPORT_CERTIFICATE_H

#include "base/buffer.h"
#include "pki/certificate.h"

/* Appends members of a JSON object, from "subject" to "warnings", without the braces. */
void report_certificate(struct buffer *out, const struct certificate_facts *facts);

#endif
