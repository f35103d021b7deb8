/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key csr, on qseald's side: OpenSSL takes what comes out, and nothing wrong comes out. */
#include "custody_support.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

static X509_REQ *read_request(const json_t *result)
{
    BIO *bio = BIO_new_mem_buf(text_of(result, "pem"), -1);
    X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(request);
    return request;
}

static void expect_request(struct instance *instance, const char *role, int signature)
{
    char arguments[100];
    (void)snprintf(arguments, sizeof arguments, "{\"role\":\"%s\"}", role);
    make_key(instance, arguments);
    JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_KEY_CSR, arguments);
    X509_REQ *request = read_request(result);
    assert_int_equal(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
    assert_int_equal(X509_REQ_get_signature_nid(request), signature);
    char name[100];
    (void)X509_NAME_oneline(X509_REQ_get_subject_name(request), name, sizeof name);
    char wanted[100];
    (void)snprintf(wanted, sizeof wanted, "/CN=%s", role);
    assert_string_equal(name, wanted);
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(X509_REQ_get0_pubkey(request), &spki);
    struct public_key *key = pinned(instance, role, text_of(result, "token"));
    assert_true(span_equal(span_of(spki, (size_t)len), public_key_spki(key)));
    assert_string_equal(text_of(result, "kid"), public_key_thumbprint(key));
    public_key_free(key);
    OPENSSL_free(spki);
    X509_REQ_free(request);
}

static void each_kind_of_key_asks_for_a_certificate(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    expect_request(instance, "tls", NID_ecdsa_with_SHA256);
    expect_request(instance, "tls-384", NID_ecdsa_with_SHA384);
    expect_request(instance, "tls-rsa", NID_sha256WithRSAEncryption);
    expect_request(instance, "tls-ed", NID_ED25519);
    expect_request(instance, "seal", NID_sha256WithRSAEncryption);
    expect_request(instance, "seal-ec", NID_ecdsa_with_SHA256);
    transport_instance_free(instance);
}

/* Where only PSS, or only another digest, was granted. */
static void the_algorithm_is_one_that_was_granted(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    instance->roles_more = "  - {name: pss, purpose: transport, certificate: optional, key: "
                           "rsa-2048, algorithms: [PS384], tokens: [hsm-a]}\n"
                           "  - {name: odd, purpose: transport, certificate: optional, key: p-384, "
                           "algorithms: [ES256], tokens: [hsm-a]}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    expect_request(instance, "pss", NID_rsassaPss);
    expect_request(instance, "odd", NID_ecdsa_with_SHA384);
    transport_instance_free(instance);
}

static void the_subject_is_the_custodian_s(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls\"}");
    JSON_CLEANUP json_t *result =
        do_verb(instance, CUSTODY_KEY_CSR,
                "{\"role\":\"tls\",\"subject\":\"/C=MY/O=A Bank/CN=x\",\"token\":\"hsm-a\"}");
    assert_string_equal(text_of(result, "token"), "hsm-a");
    X509_REQ *request = read_request(result);
    char name[100];
    (void)X509_NAME_oneline(X509_REQ_get_subject_name(request), name, sizeof name);
    assert_string_equal(name, "/C=MY/O=A Bank/CN=x");
    X509_REQ_free(request);
    refuse_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"tls\",\"subject\":\"x\"}", OUTCOME_RULE,
                "subject: it is written like /C=MY/O=Bank/CN=name");
    transport_instance_free(instance);
}

static void a_profile_is_asked_for_by_name(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls\"}");
    JSON_CLEANUP json_t *result = do_verb(
        instance, CUSTODY_KEY_CSR,
        "{\"role\":\"tls\",\"profile\":\"psd2-qwac\",\"subject\":\"/CN=a.example/O=B/C=FI\","
        "\"organization_identifier\":\"PSDFI-FINFSA-1\",\"psd2_roles\":\"PSP_AI\","
        "\"nca_name\":\"Finanssivalvonta\",\"nca_id\":\"FI-FINFSA\",\"dns\":\"a.example\"}");
    assert_string_equal(text_of(result, "profile"), "psd2-qwac");
    assert_string_equal(text_of(result, "thumbprint"), text_of(result, "kid"));
    X509_REQ *request = read_request(result);
    assert_int_equal(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
    unsigned char *spki = NULL;
    unsigned char digest[32];
    char hex[65] = "";
    int len = i2d_PUBKEY(X509_REQ_get0_pubkey(request), &spki);
    assert_int_equal(EVP_Digest(spki, (size_t)len, digest, NULL, EVP_sha256(), NULL), 1);
    for (size_t i = 0; i < sizeof digest; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    assert_string_equal(text_of(result, "spki_sha256"), hex);
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    assert_int_equal(sk_X509_EXTENSION_num(extensions), 5);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    OPENSSL_free(spki);
    X509_REQ_free(request);
    refuse_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"tls\",\"profile\":\"qwac\"}", OUTCOME_RULE,
                "--profile: it is one of plain, psd2-qseal");
    refuse_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"tls\",\"profile\":\"psd2-qseal\"}",
                OUTCOME_RULE, "profile psd2-qseal is for seal keys, and this is a transport key");
    refuse_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"tls\",\"qc_statement\":\"QcSSCD\"}",
                OUTCOME_RULE, "QcSSCD is for the trust service provider to state");
    transport_instance_free(instance);
}

static void faults_leave_no_request(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    refuse_verb(
        instance, CUSTODY_KEY_CSR, "{\"role\":\"tls-rsa\"}", OUTCOME_NO_KEY,
        "role tls-rsa has no key that may ask for a certificate; a custodian runs: qsealctl "
        "key generate tls-rsa");
    make_key(instance, "{\"role\":\"tls-rsa\"}");
    instance->tokens[0].flip_a_bit = true;
    refuse_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"tls-rsa\"}", OUTCOME_VERIFY,
                "token hsm-a gave a signature that does not verify; it was withheld");
    instance->tokens[0].flip_a_bit = false;
    instance->tokens[0].outcome = OUTCOME_TOKEN_UNAVAILABLE;
    refuse_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"tls-rsa\"}", OUTCOME_TOKEN_UNAVAILABLE,
                "told to fail");
    refuse_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"tls-rsa\",\"alg\":\"PS256\"}",
                OUTCOME_MALFORMED, "unknown or not a string");
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_key_asks_for_a_certificate),
        cmocka_unit_test(the_algorithm_is_one_that_was_granted),
        cmocka_unit_test(the_subject_is_the_custodian_s),
        cmocka_unit_test(a_profile_is_asked_for_by_name),
        cmocka_unit_test(faults_leave_no_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
