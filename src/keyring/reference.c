/* SPDX-License-Identifier: Apache-2.0
 * PEM key references. */
#include "keyring/reference.h"

#include "base/pem.h"

#include <string.h>

enum { DER_MAX = 2048, TAG_UTF8STRING = 0x0c, TAG_SEQUENCE = 0x30, SHORT_LENGTH_MAX = 0x7f };

static const char format[] = "qseal-key-reference-1";

/* X.690 §10.1: the shortest form. */
static void put_head(struct buffer *out, uint8_t tag, size_t len)
{
    buffer_put_u8(out, tag);
    if (len > UINT8_MAX) {
        buffer_put_u8(out, 0x82);
        buffer_put_u16(out, (uint16_t)len);
        return;
    }
    if (len > SHORT_LENGTH_MAX) {
        buffer_put_u8(out, 0x81);
    }
    buffer_put_u8(out, (uint8_t)len);
}

static void put_text(struct buffer *out, const char *text)
{
    put_head(out, TAG_UTF8STRING, strlen(text));
    buffer_put_text(out, text);
}

void reference_put_der(struct buffer *out, const char *role, const char *socket,
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
    put_head(out, TAG_SEQUENCE, inside.len);
    buffer_put_span(out, buffer_span(&inside));
}

void reference_put_pem(struct buffer *out, const char *role, const char *socket,
                       const struct public_key *key)
{
    reference_put_pem_as(out, role, socket, key, public_key_spki(key));
}

void reference_put_pem_as(struct buffer *out, const char *role, const char *socket,
                          const struct public_key *key, struct span spki)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(DER_MAX);
    reference_put_der(&der, role, socket, key, spki);
    if (!buffer_ok(&der)) {
        out->failed = true;
        return;
    }
    pem_put(out, "QSEAL KEY REFERENCE", buffer_span(&der));
}
