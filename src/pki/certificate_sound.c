/* SPDX-License-Identifier: Apache-2.0
 * Whether a chain is one that anybody who checks it (RFC 5280 §6) could accept at all. */
#include "pki/certificate_parts.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

enum { SECURITY_BITS_MIN = 112 /* NIST SP 800-57 §5.6.1: RSA 2048, P-224 */, OID_SIZE = 64 };

/* OpenSSL does not count qcStatements among those it knows; we read them. */
static enum outcome check_critical(const struct link *link, struct reason *why)
{
    for (int i = 0; i < X509_get_ext_count(link->certificate); i++) {
        X509_EXTENSION *extension = X509_get_ext(link->certificate, i);
        const ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);
        if (X509_EXTENSION_get_critical(extension) == 0 ||
            X509_supported_extension(extension) == 1 || OBJ_obj2nid(object) == NID_qcStatements) {
            continue;
        }
        char oid[OID_SIZE] = "";
        (void)OBJ_obj2txt(oid, sizeof oid, object, 1);
        return refuse(why, OUTCOME_RULE,
                      "certificate %zu has the critical extension %s, which nobody may ignore and "
                      "few will know",
                      link->number, oid);
    }
    return OUTCOME_OK;
}

static const char *strength_fault(X509 *certificate)
{
    int digest = NID_undef;
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (key == NULL || EVP_PKEY_get_security_bits(key) < SECURITY_BITS_MIN) {
        return "its public key is too weak: RSA of 2048 bits or P-256 is the least";
    }
    if (X509_get_signature_info(certificate, &digest, NULL, NULL, NULL) != 1 || digest == NID_md5 ||
        digest == NID_sha1) {
        return "it is signed with MD5, SHA-1 or something unknown: SHA-256 is the least";
    }
    return NULL;
}

static const char *authority_fault(X509 *certificate, bool is_own)
{
    bool is_authority = X509_check_ca(certificate) == 1;
    if (is_own && is_authority) {
        return "it is a CA's (basicConstraints CA:TRUE), and a key of this service issues none";
    }
    return is_own || is_authority ? NULL
                                  : "it issued another one, and is no CA's (basicConstraints)";
}

enum outcome certificate_check_sound(const struct chain *chain, struct reason *why)
{
    for (size_t i = 0; i < chain->n; i++) {
        const struct link *link = &chain->links[i];
        const char *fault = authority_fault(link->certificate, i == 0);
        fault = fault == NULL ? strength_fault(link->certificate) : fault;
        if (fault != NULL) {
            return refuse(why, OUTCOME_RULE, "certificate %zu: %s", link->number, fault);
        }
        enum outcome outcome = check_critical(link, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}
