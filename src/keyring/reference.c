/* SPDX-License-Identifier: Apache-2.0
 * PEM key references. */
#include "keyring/reference.h"

#include "base/der.h"
#include "base/pem.h"

enum { DER_MAX = 2048 };

static const char format[] = "qseal-key-reference-1";

static void put_text(struct buffer *out, const char *text)
{
    der_put(out, DER_UTF8_STRING, span_of_text(text));
}

static void put_der(struct buffer *out, const char *role, const char *socket,
                    const struct public_key *key, struct span spki)
{
    BUFFER_CLEANUP struct buffer inside = BUFFER_INIT(DER_MAX);
    put_text(&inside, format);
    put_text(&inside, role);
    put_text(&inside, socket);
    put_text(&inside, public_key_thumbprint(key));
    buffer_put_span(&inside, spki);
    if (!buffer_ok(&inside)) {
        out->failed = true;
        return;
    }
    der_put(out, DER_SEQUENCE, buffer_span(&inside));
}

void reference_put_pem(struct buffer *out, const char *role, const char *socket,
                       const struct public_key *key, struct span spki)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(DER_MAX);
    put_der(&der, role, socket, key, spki);
    if (!buffer_ok(&der)) {
        out->failed = true;
        return;
    }
    pem_put(out, "QSEAL KEY REFERENCE", buffer_span(&der));
}
