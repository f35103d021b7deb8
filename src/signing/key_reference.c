/* SPDX-License-Identifier: Apache-2.0
 * The key reference of a key that may have a certificate. */
#include "signing/key_reference.h"

#include "keyring/reference.h"
#include "pki/certificate.h"

enum { SPELLING_MAX = 2048 };

void key_reference_put(struct buffer *pem, const struct key *key, const char *socket)
{
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(SPELLING_MAX);
    bool certified =
        key->chain_pem != NULL && certificate_put_spki(span_of_text(key->chain_pem), &spki);
    reference_put_pem(pem, key->role, socket, key->public_key,
                      certified ? buffer_span(&spki) : public_key_spki(key->public_key));
}
