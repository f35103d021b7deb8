/* SPDX-License-Identifier: Apache-2.0
 * Reading a key reference, and counting its holders. */
#include "provider/key.h"

#include "base/attributes.h"
#include "base/der.h"
#include "provider/thumbprint.h"

#include <stdlib.h>
#include <string.h>

static const char magic[] = "qseal-key-reference-1";

/* Copies printable ASCII; false when it is empty, too long or anything else. */
static bool copy_text(struct span in, char *out, size_t size)
{
    if (in.len == 0 || in.len >= size || !span_is_visible(in)) {
        return false;
    }
    memcpy(out, in.data, in.len);
    out[in.len] = '\0';
    return true;
}

static const char *read_fields(struct reader *body, struct key *key)
{
    char thumbprint[KEY_THUMBPRINT_SIZE];
    if (!span_is_text(der_take(body, DER_UTF8_STRING), magic)) {
        return "its version is not known";
    }
    if (!copy_text(der_take(body, DER_UTF8_STRING), key->role, sizeof(key->role))) {
        return "the role is malformed";
    }
    if (!copy_text(der_take(body, DER_UTF8_STRING), key->socket, sizeof(key->socket)) ||
        key->socket[0] != '/') {
        return "the socket's path is not absolute, or too long";
    }
    if (!copy_text(der_take(body, DER_UTF8_STRING), key->thumbprint, sizeof(key->thumbprint))) {
        return "the thumbprint is malformed";
    }
    struct span spki = der_take_whole(body, DER_SEQUENCE);
    if (!reader_done(body) || !spki_read(spki, &key->spki)) {
        return "the public key is malformed or of a type not known";
    }
    thumbprint_of(&key->spki, key->provider->sha, thumbprint);
    return strcmp(thumbprint, key->thumbprint) == 0 ? NULL
                                                    : "the thumbprint is not the public key's";
}

static struct key *key_make(const struct provider *provider, struct span der)
{
    struct key *key = calloc(1, sizeof(*key) + der.len);
    if (key != NULL) {
        key->provider = provider;
        atomic_init(&key->holders, 1);
        key->der_len = der.len;
        if (der.len > 0) {
            memcpy(key->der, der.data, der.len);
        }
    }
    return key;
}

bool key_is_reference(struct span der)
{
    struct reader outer = reader_of(der);
    struct reader body = reader_of(der_take(&outer, DER_SEQUENCE));
    struct span text = der_take(&body, DER_UTF8_STRING);
    return text.len == sizeof(magic) - 1 && memcmp(text.data, magic, sizeof(magic) - 2) == 0;
}

struct key *key_from_reference(const struct provider *provider, struct span der, const char **why)
{
    struct key *key = key_make(provider, der);
    if (key == NULL) {
        *why = "out of memory";
        return NULL;
    }
    struct reader outer = reader_of(span_of(key->der, key->der_len));
    struct reader body = reader_of(der_take(&outer, DER_SEQUENCE));
    *why = reader_done(&outer) ? read_fields(&body, key) : "it is not minimal DER";
    if (*why != NULL) {
        key_drop(key);
        return NULL;
    }
    return key;
}

struct key *key_empty(const struct provider *provider, enum key_kind kind)
{
    struct key *key = key_make(provider, span_of(NULL, 0));
    if (key != NULL) {
        key->is_empty = true;
        key->spki.kind = kind;
    }
    return key;
}

struct key *key_hold(struct key *key)
{
    (void)atomic_fetch_add_explicit(&key->holders, 1, memory_order_relaxed);
    return key;
}

void key_drop(struct key *key)
{
    if (key != NULL && atomic_fetch_sub_explicit(&key->holders, 1, memory_order_acq_rel) == 1) {
        free(key);
    }
}
