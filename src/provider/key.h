/* SPDX-License-Identifier: Apache-2.0
 * A delegated key: a public key, and where its private key can be asked. Immutable and shared by
 * count, so that any thread may hold it. */
#ifndef QSEAL_PROVIDER_KEY_H
#define QSEAL_PROVIDER_KEY_H

#include "base/name.h"
#include "provider/provider.h"
#include "provider/spki.h"

#include <stdatomic.h>

enum { KEY_ROLE_SIZE = NAME_LEN_MAX + 1, KEY_THUMBPRINT_SIZE = 44 };

struct key {
    const struct provider *provider;
    atomic_uint holders;
    bool is_empty; /* made by keymgmt's new(): holds nothing, and never will */
    char role[KEY_ROLE_SIZE];
    char socket[QSEAL_MAX_SOCKET_PATH + 1];
    char thumbprint[KEY_THUMBPRINT_SIZE]; /* RFC 7638 */
    struct spki spki;                     /* points into `der` */
    size_t der_len;
    uint8_t der[];
};

/* A key reference: the DER that the PEM block QSEAL KEY REFERENCE holds,
 *   SEQUENCE { UTF8String "qseal-key-reference-1", UTF8String role, UTF8String socket,
 *              UTF8String thumbprint, SubjectPublicKeyInfo }
 * NULL with a fixed text in `why` when it is not one to the last byte, or when its thumbprint is
 * not its key's. Release with key_drop(). */
struct key *key_from_reference(const struct provider *provider, struct span der,
                               const char **why) MUST_USE;
/* One without content. */
struct key *key_empty(const struct provider *provider, enum key_kind kind) MUST_USE;
struct key *key_hold(struct key *key) MUST_USE;
/* Accepts NULL. */
void key_drop(struct key *key);
/* Whether the bytes claim to be a key reference at all. */
bool key_is_reference(struct span der);

#endif
