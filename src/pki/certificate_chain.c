/* SPDX-License-Identifier: Apache-2.0
 * Which certificate is the key's own, and which ones stand above it. */
#include "pki/certificate_parts.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

static bool same_number(const EVP_PKEY *a, const EVP_PKEY *b, const char *name)
{
    BIGNUM *left = NULL;
    BIGNUM *right = NULL;
    bool same = EVP_PKEY_get_bn_param(a, name, &left) == 1 &&
                EVP_PKEY_get_bn_param(b, name, &right) == 1 && BN_cmp(left, right) == 0;
    BN_free(left);
    BN_free(right);
    return same;
}

/* id-RSASSA-PSS over the same modulus and exponent. */
static bool is_pss_of(X509 *leaf, struct span spki)
{
    const unsigned char *at = spki.data;
    EVP_PKEY *own = d2i_PUBKEY(NULL, &at, (long)spki.len);
    const EVP_PKEY *theirs = X509_get0_pubkey(leaf);
    bool same = own != NULL && theirs != NULL && EVP_PKEY_is_a(own, "RSA") &&
                EVP_PKEY_is_a(theirs, "RSA-PSS") &&
                same_number(own, theirs, OSSL_PKEY_PARAM_RSA_N) &&
                same_number(own, theirs, OSSL_PKEY_PARAM_RSA_E);
    EVP_PKEY_free(own);
    return same;
}

bool certificate_put_own_spki(X509 *certificate, struct buffer *spki)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (len > 0) {
        buffer_put(spki, der, (size_t)len);
    }
    OPENSSL_free(der);
    return len > 0 && buffer_ok(spki);
}

bool certificate_is_for(X509 *leaf, const struct certificate_owner *key)
{
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(CERTIFICATES_TEXT_MAX);
    return certificate_put_own_spki(leaf, &spki) &&
           (span_equal(buffer_span(&spki), key->spki) ||
            (key->purpose == PURPOSE_TRANSPORT && is_pss_of(leaf, key->spki)));
}

/* Moves the link at `from` up to `to`; those between move down. */
static void move_up(struct chain *chain, size_t from, size_t to)
{
    struct link link = chain->links[from];
    for (size_t i = from; i > to; i--) {
        chain->links[i] = chain->links[i - 1];
    }
    chain->links[to] = link;
    if (from != to) {
        chain->warnings |= 1U << CERTIFICATE_REORDERED;
    }
}

static enum outcome no_own(const struct chain *chain, struct reason *why)
{
    static const char question[] = "was its request made with `qsealctl key csr`?";
    return chain->n == 1
               ? refuse(why, OUTCOME_RULE,
                        "certificate 1 is for another public key than this one; %s", question)
               : refuse(why, OUTCOME_RULE,
                        "none of the %zu certificates is for the public key of this "
                        "key; %s",
                        chain->n, question);
}

static enum outcome find_own(struct chain *chain, const struct certificate_owner *key,
                             struct reason *why)
{
    size_t own = chain->n;
    for (size_t i = 0; i < chain->n; i++) {
        if (!certificate_is_for(chain->links[i].certificate, key)) {
            continue;
        }
        if (own < chain->n) {
            return refuse(why, OUTCOME_RULE,
                          "certificates %zu and %zu are both for this key: leave the one that is "
                          "to be used",
                          chain->links[own].number, chain->links[i].number);
        }
        own = i;
    }
    if (own == chain->n) {
        return no_own(chain, why);
    }
    move_up(chain, own, 0);
    return OUTCOME_OK;
}

static bool is_named_by(X509 *below, X509 *above)
{
    return X509_NAME_cmp(X509_get_issuer_name(below), X509_get_subject_name(above)) == 0;
}

static bool is_signed_by(X509 *below, X509 *above)
{
    return is_named_by(below, above) && X509_verify(below, X509_get0_pubkey(above)) == 1;
}

static enum outcome refuse_stranger(const struct chain *chain, size_t known, struct reason *why)
{
    const struct link *last = &chain->links[known - 1];
    const struct link *stranger = &chain->links[known];
    char name[CERTIFICATE_NAME_SIZE];
    if (is_named_by(last->certificate, stranger->certificate)) {
        return refuse(why, OUTCOME_RULE,
                      "certificate %zu is not signed by the key of certificate %zu", last->number,
                      stranger->number);
    }
    certificate_put_name(X509_get_subject_name(stranger->certificate), name);
    return refuse(
        why, OUTCOME_RULE,
        "certificate %zu (%.300s) does not belong to the chain: it issued neither the key's "
        "own nor one above it",
        stranger->number, name);
}

enum outcome certificate_chain_order(struct chain *chain, const struct certificate_owner *key,
                                     struct reason *why)
{
    enum outcome outcome = find_own(chain, key, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    size_t known = 1;
    for (size_t i = known; i < chain->n; i++) {
        if (is_signed_by(chain->links[known - 1].certificate, chain->links[i].certificate)) {
            move_up(chain, i, known);
            i = known++; /* look through the rest anew, for its issuer */
        }
    }
    if (known < chain->n) {
        return refuse_stranger(chain, known, why);
    }
    for (X509 *last; chain->n > 1; chain->n--) {
        last = chain->links[chain->n - 1].certificate;
        if (!is_signed_by(last, last)) {
            break;
        }
        X509_free(last);
        chain->warnings |= 1U << CERTIFICATE_ROOT_DROPPED;
    }
    return OUTCOME_OK;
}
