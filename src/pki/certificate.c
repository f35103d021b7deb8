/* SPDX-License-Identifier: Apache-2.0
 * Certificates that come with a key, by OpenSSL. */
#include "pki/certificate.h"

#include "base/pem.h"
#include "pki/certificate_parts.h"

#include <openssl/err.h>
#include <openssl/pem.h>

enum { DAY_S = 24 * 3600 };

static enum outcome put_chain(const struct chain *chain, struct buffer *pem, struct reason *why)
{
    for (size_t i = 0; i < chain->n; i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(chain->links[i].certificate, &der);
        if (len <= 0) {
            return refuse(why, OUTCOME_INTERNAL, "out of memory");
        }
        pem_put(pem, PEM_STRING_X509, span_of(der, (size_t)len));
        OPENSSL_free(der);
    }
    return buffer_ok(pem) ? OUTCOME_OK
                          : refuse(why, OUTCOME_RULE, "the certificates are longer than %d bytes",
                                   CERTIFICATES_TEXT_MAX);
}

static enum outcome check_chain(const struct chain *chain, enum purpose purpose, int64_t now,
                                const struct certificate_facts *facts, struct reason *why)
{
    enum outcome outcome = certificate_check_fit(&chain->links[0], purpose, facts, why);
    if (outcome == OUTCOME_OK) {
        outcome = certificate_check_sound(chain, why);
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < chain->n; i++) {
        outcome = certificate_check_validity(&chain->links[i], now, why);
    }
    return outcome;
}

static enum outcome judge(struct chain *chain, const struct certificate_owner *key, int64_t now,
                          struct certificate_facts *facts, struct reason *why)
{
    enum outcome outcome = certificate_chain_order(chain, key, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    const struct certificate_pieces pieces = certificate_pieces_of(chain->links[0].certificate);
    if (!certificate_state_facts(&pieces, facts)) {
        return refuse(why, OUTCOME_RULE, "certificate %zu has no time that can be read",
                      chain->links[0].number);
    }
    facts->warnings |= chain->warnings;
    if (facts->not_after - now < (int64_t)CERTIFICATE_EXPIRES_SOON_DAYS * DAY_S) {
        facts->warnings |= 1U << CERTIFICATE_EXPIRES_SOON;
    }
    if (key->purpose != PURPOSE_TRANSPORT && certificate_is_for_tls(chain->links[0].certificate)) {
        facts->warnings |= 1U << CERTIFICATE_FOR_TLS;
    }
    return check_chain(chain, key->purpose, now, facts, why);
}

enum outcome certificate_chain_read(struct span text, const struct certificate_owner *key,
                                    int64_t now, struct buffer *pem,
                                    struct certificate_facts *facts, struct reason *why)
{
    CLEANUP(certificate_chain_fini) struct chain chain = {.n = 0};
    enum outcome outcome = certificate_chain_parse(text, &chain, why);
    if (outcome == OUTCOME_OK) {
        outcome = judge(&chain, key, now, facts, why);
    }
    return outcome == OUTCOME_OK ? put_chain(&chain, pem, why) : outcome;
}

static bool has_own(const struct chain *chain, const struct certificate_owner *key)
{
    for (size_t i = 0; i < chain->n; i++) {
        if (certificate_is_for(chain->links[i].certificate, key)) {
            return true;
        }
    }
    return false;
}

enum outcome certificate_chain_whose(struct span text, const struct certificate_owner *keys,
                                     size_t n, size_t *index, struct reason *why)
{
    CLEANUP(certificate_chain_fini) struct chain chain = {.n = 0};
    enum outcome outcome = certificate_chain_parse(text, &chain, why);
    *index = 0;
    while (outcome == OUTCOME_OK && *index < n && !has_own(&chain, &keys[*index])) {
        (*index)++;
    }
    return outcome;
}

struct certificate_pieces certificate_pieces_of(const X509 *certificate)
{
    return (struct certificate_pieces){
        .subject = X509_get_subject_name(certificate),
        .issuer = X509_get_issuer_name(certificate),
        .serial = X509_get0_serialNumber(certificate),
        .not_before = X509_get0_notBefore(certificate),
        .not_after = X509_get0_notAfter(certificate),
        .extensions = X509_get0_extensions(certificate),
    };
}

/* The first certificate as DER. */
static bool take_first(struct span pem, struct buffer *der)
{
    return pem_take(&pem, PEM_STRING_X509, der);
}

/* Owned by the caller, or NULL. */
static X509 *first_of(struct span pem)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(CERTIFICATES_TEXT_MAX);
    X509 *certificate = take_first(pem, &der) ? certificate_of(buffer_span(&der)) : NULL;
    ERR_clear_error();
    return certificate;
}

/* A chain is kept as it was brought, and OpenSSL takes more than DER. */
static bool whole_facts(struct span der, struct certificate_facts *facts)
{
    X509 *certificate = certificate_of(der);
    ERR_clear_error();
    if (certificate == NULL) {
        return false;
    }
    const struct certificate_pieces pieces = certificate_pieces_of(certificate);
    bool good = certificate_state_facts(&pieces, facts);
    X509_free(certificate);
    return good;
}

bool certificate_facts(struct span pem, struct certificate_facts *facts)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(CERTIFICATES_TEXT_MAX);
    return take_first(pem, &der) && (certificate_cut_facts(buffer_span(&der), facts) ||
                                     whole_facts(buffer_span(&der), facts));
}

bool certificate_validity(struct span pem, int64_t *not_before, int64_t *not_after)
{
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(CERTIFICATES_TEXT_MAX);
    if (!take_first(pem, &der)) {
        return false;
    }
    struct certificate_facts facts;
    if (certificate_cut_validity(buffer_span(&der), not_before, not_after)) {
        return true;
    }
    bool good = whole_facts(buffer_span(&der), &facts);
    *not_before = good ? facts.not_before : 0;
    *not_after = good ? facts.not_after : 0;
    return good;
}

bool certificate_put_spki(struct span pem, struct buffer *spki)
{
    X509 *certificate = first_of(pem);
    bool good = certificate != NULL && certificate_put_own_spki(certificate, spki);
    X509_free(certificate);
    return good;
}
