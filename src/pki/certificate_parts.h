/* SPDX-License-Identifier: Apache-2.0
 * What the files behind certificate.h share: a chain on its way from text to text. */
#ifndef QSEAL_PKI_CERTIFICATE_PARTS_H
#define QSEAL_PKI_CERTIFICATE_PARTS_H

#include "base/attributes.h"
#include "pki/certificate.h"

#include <openssl/x509.h>

struct chain {
    struct link {
        X509 *certificate; /* owned */
        size_t number;     /* its place in the text, from 1 */
    } links[CERTIFICATES_MAX];
    size_t n;
    unsigned int warnings; /* as in struct certificate_facts */
};

void certificate_chain_fini(struct chain *chain);
/* The whole block, owned by the caller, or NULL. */
X509 *certificate_of(struct span der);
/* All blocks of the text, in its order. */
enum outcome certificate_chain_parse(struct span text, struct chain *chain,
                                     struct reason *why) MUST_USE;
bool certificate_put_own_spki(X509 *certificate, struct buffer *spki) MUST_USE;
/* Whether the certificate is for the public key. */
bool certificate_is_for(X509 *certificate, const struct certificate_owner *key);
/* The key's own first, then issuers; a self-signed root above is dropped. */
enum outcome certificate_chain_order(struct chain *chain, const struct certificate_owner *key,
                                     struct reason *why) MUST_USE;
enum outcome certificate_check_validity(const struct link *link, int64_t now,
                                        struct reason *why) MUST_USE;
/* Whether the key may be used for its purpose with this certificate, whose facts they are. */
enum outcome certificate_check_fit(const struct link *link, enum purpose purpose,
                                   const struct certificate_facts *facts,
                                   struct reason *why) MUST_USE;
/* Whether it says that its key is for TLS. */
bool certificate_is_for_tls(X509 *certificate);
/* Whether the key's own is no CA's and its issuers are, all are strong enough, and none has a
 * critical extension that is unknown. */
enum outcome certificate_check_sound(const struct chain *chain, struct reason *why) MUST_USE;
/* What the facts are read from; borrowed. */
struct certificate_pieces {
    const X509_NAME *subject;
    const X509_NAME *issuer;
    const ASN1_INTEGER *serial;
    const ASN1_TIME *not_before;
    const ASN1_TIME *not_after;
    const X509_EXTENSIONS *extensions; /* NULL when there are none */
};
struct certificate_pieces certificate_pieces_of(const X509 *certificate);
/* False when there is no memory, or no time that can be read. */
bool certificate_state_facts(const struct certificate_pieces *pieces,
                             struct certificate_facts *facts) MUST_USE;
/* The same of a certificate in DER, and only its times, without reading its public key, for which
 * OpenSSL looks for a decoder: that is nine tenths of its time. False also when the certificate is
 * not DER to its last element. */
bool certificate_cut_facts(struct span der, struct certificate_facts *facts) MUST_USE;
bool certificate_cut_validity(struct span der, int64_t *not_before, int64_t *not_after) MUST_USE;
bool certificate_seconds(const ASN1_TIME *time, int64_t *out) MUST_USE;
/* RFC 4514, cut when it is longer. */
void certificate_put_name(const X509_NAME *name, char out[CERTIFICATE_NAME_SIZE]);

#endif
