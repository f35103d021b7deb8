/* SPDX-License-Identifier: Apache-2.0
 * The extensions that a certificate request asks for. Values that people give are put in as values,
 * never through OpenSSL's configuration language. */
#include "pki/request_parts.h"

#include "pki/psd2.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <string.h>

typedef STACK_OF(X509_EXTENSION) extensions;

/* Takes the extension over; false when it is NULL or there is no memory. */
static bool push(extensions *list, X509_EXTENSION *extension)
{
    if (extension == NULL) {
        return false;
    }
    if (sk_X509_EXTENSION_push(list, extension) <= 0) {
        X509_EXTENSION_free(extension);
        return false;
    }
    return true;
}

static bool add_usages(extensions *list, const struct request_row *row, bool is_rsa)
{
    const char *usage = is_rsa ? row->key_usage_rsa : row->key_usage;
    return push(list, X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, usage)) &&
           (row->extended_key_usage == NULL ||
            push(list,
                 X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, row->extended_key_usage)));
}

static bool add_octets(extensions *list, int nid, struct span der)
{
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    bool done = octets != NULL && ASN1_OCTET_STRING_set(octets, der.data, (int)der.len) == 1 &&
                push(list, X509_EXTENSION_create_by_NID(NULL, nid, 0, octets));
    ASN1_OCTET_STRING_free(octets);
    return done;
}

/* RFC 5280 §4.2.1.2, method 1. */
static bool add_key_identifier(extensions *list, X509_REQ *request)
{
    const unsigned char *bits = NULL;
    int len = 0;
    uint8_t value[2 + EVP_MAX_MD_SIZE] = {V_ASN1_OCTET_STRING};
    unsigned int digest_len = 0;
    if (X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, X509_REQ_get_X509_PUBKEY(request)) != 1 ||
        EVP_Digest(bits, (size_t)len, value + 2, &digest_len, EVP_sha1(), NULL) != 1) {
        return false;
    }
    value[1] = (uint8_t)digest_len;
    return add_octets(list, NID_subject_key_identifier, span_of(value, 2 + (size_t)digest_len));
}

/* Takes the name over. */
static bool push_name(GENERAL_NAMES *names, GENERAL_NAME *name)
{
    if (name == NULL || sk_GENERAL_NAME_push(names, name) <= 0) {
        GENERAL_NAME_free(name);
        return false;
    }
    return true;
}

static bool push_dns(GENERAL_NAMES *names, struct span item)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    if (name == NULL || text == NULL || ASN1_STRING_set(text, item.data, (int)item.len) != 1) {
        GENERAL_NAME_free(name);
        ASN1_IA5STRING_free(text);
        return false;
    }
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    return push_name(names, name);
}

/* ICP-Brasil (DOC-ICP-04): PrintableString under these OIDs. */
static bool push_other(GENERAL_NAMES *names, const char *oid, const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
    ASN1_TYPE *value = ASN1_TYPE_new();
    ASN1_STRING *printable = ASN1_STRING_type_new(V_ASN1_PRINTABLESTRING);
    bool made = name != NULL && type != NULL && value != NULL && printable != NULL &&
                ASN1_STRING_set(printable, text, -1) == 1;
    if (made) {
        ASN1_TYPE_set(value, V_ASN1_PRINTABLESTRING, printable);
        printable = NULL;
        made = GENERAL_NAME_set0_othername(name, type, value) == 1;
    }
    if (!made) {
        ASN1_STRING_free(printable);
        ASN1_TYPE_free(value);
        ASN1_OBJECT_free(type);
        GENERAL_NAME_free(name);
        return false;
    }
    return push_name(names, name);
}

static bool put_names(GENERAL_NAMES *names, const struct request_wish *wish)
{
    static const struct {
        const char *oid;
        enum request_value value;
    } others[] = {
        {"2.16.76.1.3.2", REQUEST_RESPONSIBLE},
        {"2.16.76.1.3.3", REQUEST_CNPJ},
        {"2.16.76.1.3.4", REQUEST_RESPONSIBLE_DATA},
        {"2.16.76.1.3.7", REQUEST_CEI},
    };
    struct span list = span_of_text(wish->values[REQUEST_DNS]);
    struct span item;
    bool done = true;
    while (done && request_next(&list, &item)) {
        done = push_dns(names, item);
    }
    for (size_t i = 0; done && i < COUNT_OF(others); i++) {
        const char *text = wish->values[others[i].value];
        done = text == NULL || push_other(names, others[i].oid, text);
    }
    return done;
}

static bool add_names(extensions *list, const struct request_wish *wish)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool done = names != NULL && put_names(names, wish);
    if (done && sk_GENERAL_NAME_num(names) > 0) {
        done = push(list, X509V3_EXT_i2d(NID_subject_alt_name, 0, names));
    }
    GENERAL_NAMES_free(names);
    return done;
}

static bool add_statements(extensions *list, const struct request_wish *wish)
{
    struct qc_statements statements = {
        .type = wish->purpose == PURPOSE_SEAL ? QC_TYPE_ESEAL : QC_TYPE_WEB, .has_psd2 = true};
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(QC_STATEMENTS_MAX);
    struct span roles = span_of_text(wish->values[REQUEST_ROLES]);
    struct span item;
    while (request_next(&roles, &item)) {
        enum psd2_role role;
        if (psd2_role_from_name(item, &role)) {
            statements.roles |= 1U << role;
        }
    }
    /* Both were checked for their length. */
    memcpy(statements.nca_name, wish->values[REQUEST_NCA_NAME],
           strlen(wish->values[REQUEST_NCA_NAME]));
    memcpy(statements.nca_id, wish->values[REQUEST_NCA_ID], strlen(wish->values[REQUEST_NCA_ID]));
    qc_statements_put(&der, &statements);
    return buffer_ok(&der) && add_octets(list, NID_qcStatements, buffer_span(&der));
}

static bool add_all(X509_REQ *request, const struct request_wish *wish)
{
    const struct request_row *row = request_row(wish->profile);
    bool is_rsa = EVP_PKEY_is_a(X509_REQ_get0_pubkey(request), "RSA") == 1;
    extensions *list = sk_X509_EXTENSION_new_null();
    bool done = list != NULL && add_usages(list, row, is_rsa) &&
                add_key_identifier(list, request) && add_names(list, wish) &&
                (!row->has_psd2 || add_statements(list, wish)) &&
                X509_REQ_add_extensions(request, list) == 1;
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return done;
}

enum outcome request_put_extensions(X509_REQ *request, const struct request_wish *wish,
                                    struct reason *why)
{
    bool done = request_row(wish->profile)->key_usage == NULL || add_all(request, wish);
    return done ? OUTCOME_OK
                : refuse(why, OUTCOME_INTERNAL, "no room for the extensions of the request");
}
