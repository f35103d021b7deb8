/* SPDX-License-Identifier: Apache-2.0
 * Destination binding: which servers a transport key may be used with. Each rule is one kind of
 * server; one that fits is enough, and everything in it must fit. */
#ifndef QSEAL_PKI_PEER_H
#define QSEAL_PKI_PEER_H

#include "base/attributes.h"
#include "model/outcome.h"
#include "pki/tls_guard.h"

/* As configured. A name without an issuer proves nothing (anybody can write a name into a
 * certificate), so `dns` is refused without `issuer` where the configuration is read. */
struct peer_rule {
    char *dns;    /* NULL, or a DNS name that the certificate's subjectAltName must hold (RFC 6125;
                     "*.bank.example" in the rule fits exactly one label) */
    char *issuer; /* NULL, or the path of a PEM file: the chain must verify up to one of these.
                     Alone it admits every server that this CA certifies */
    char *spki;   /* NULL, or BASE64URL(SHA-256(SubjectPublicKeyInfo)), 43 characters */
};

/* Rules ready for use: certificates loaded. Immutable. */
struct peer_set;

/* OUTCOME_RULE naming the file when it cannot be read, holds no certificate, or one that cannot be
 * read. */
enum outcome peer_set_new(const struct peer_rule *rules, size_t n, struct peer_set **out,
                          struct reason *why) MUST_USE;
/* Accepts NULL. */
void peer_set_free(struct peer_set *set);

enum { PEER_TEXT_SIZE = 640 };
/* Whether the proven peer is one of them; `proof->has_peer` must be true. *dns is then the name of
 * the rule that fitted, borrowed from the set, or NULL when that rule has none. OUTCOME_RULE with
 * what did not fit. */
enum outcome peer_check(const struct peer_set *set, const struct tls_proof *proof, const char **dns,
                        struct reason *why) MUST_USE;
/* The peer for answers and records: "spki=<base64url>; dns=<name>; claimed-sni=<name>". Key and
 * `dns` (NULL: none) are proven, and what the client claimed is there when it claimed anything. */
void peer_text(const struct tls_proof *proof, const char *dns, char out[PEER_TEXT_SIZE]);

#endif
