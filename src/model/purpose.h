/* SPDX-License-Identifier: Apache-2.0
 * What a key is for (NIST SP 800-57 §5.1.1: one key, one purpose), written into its label when it
 * is generated in the token, so that the token itself remembers. Labels are "qseal:PURPOSE:ROLE".
 */
#ifndef QSEAL_MODEL_PURPOSE_H
#define QSEAL_MODEL_PURPOSE_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/alg.h"

#include <stdbool.h>

enum purpose {
    PURPOSE_SEAL,      /* signs JWS signing inputs, and nothing else */
    PURPOSE_TRANSPORT, /* signs a TLS client's CertificateVerify, and nothing else */
    PURPOSE_AUDIT,     /* signs checkpoints of the audit log, and nothing else; no caller uses it */
};
enum { PURPOSE_COUNT = PURPOSE_AUDIT + 1 };

enum { ROLE_NAME_MAX = 63, LABEL_SIZE = 128 };

const char *purpose_name(enum purpose purpose);
/* "a seal key", "an audit key": for sentences. */
const char *purpose_key_text(enum purpose purpose);
bool purpose_from_name(struct span name, enum purpose *out) MUST_USE;
bool purpose_is_known(unsigned int number);
/* Whether a key of this purpose and type may be granted the algorithm. A transport key may be
 * granted every operation that some TLS version asks of such a key (tls_scheme.h). */
bool purpose_alg_fits_key(enum purpose purpose, enum alg alg, enum key_type type);
/* The label of a key of this purpose and role, NUL-terminated. */
void purpose_label(enum purpose purpose, const char *role, char out[LABEL_SIZE]);
/* The purpose a label declares; false when it is none of ours. */
bool purpose_from_label(struct span label, enum purpose *out) MUST_USE;

#endif
