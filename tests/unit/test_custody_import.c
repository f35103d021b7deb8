/* SPDX-License-Identifier: Apache-2.0
 * qsealctl key import-certificate, on qseald's side. */
#include "certificate_support.h"
#include "custody_support.h"

#include "base/pem.h"
#include "pki/psd2.h"

#include <openssl/params.h>
#include <sys/stat.h>
#include <unistd.h>

static EVP_PKEY *pkey_from(const struct public_key *key)
{
    struct span spki = public_key_spki(key);
    const unsigned char *at = spki.data;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
    assert_non_null(pkey);
    return pkey;
}

static EVP_PKEY *pkey_of(struct instance *instance, const char *role, const char *token)
{
    struct public_key *key = pinned(instance, role, token);
    EVP_PKEY *pkey = pkey_from(key);
    public_key_free(key);
    return pkey;
}

static char *arguments_of(const char *role, const char *token, struct buffer *chain)
{
    JSON_CLEANUP json_t *arguments =
        json_pack("{s:s, s:s, s:s*}", "role", role, "chain", buffer_text(chain), "token", token);
    char *text = json_dumps(arguments, 0);
    assert_non_null(text);
    return text;
}

/* A certificate of a CA made for the occasion. */
static void issue_for(struct buffer *chain, EVP_PKEY *key)
{
    const struct issue leaf = {
        .subject = "leaf", .issuer = "ca", .extended_key_usage = "clientAuth"};
    const struct issue own = {.subject = "ca", .issuer = "root", .constraints = "CA:TRUE"};
    EVP_PKEY *ca = EVP_EC_gen("P-256");
    EVP_PKEY *root = EVP_EC_gen("P-256");
    put_issued(chain, &leaf, key, ca);
    put_issued(chain, &own, ca, root);
    EVP_PKEY_free(root);
    EVP_PKEY_free(ca);
}

static void expect_chain(struct instance *instance, const char *role, const char *token,
                         struct buffer *chain)
{
    struct keyring *keyring = NULL;
    struct reason why = {0};
    struct view *view = view_cell_get(instance->views);
    const struct key *key = keyring_active(view->keyring, role, token);
    assert_string_equal(key->chain_pem, buffer_text(chain));
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    assert_int_equal(keyring->generation, view->keyring->generation);
    assert_string_equal(keyring_active(keyring, role, token)->chain_pem, buffer_text(chain));
    keyring_free(keyring);
    view_unref(view);
}

static void a_chain_is_in_use_and_on_disk_at_once(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls\"}");
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(65536);
    EVP_PKEY *key = pkey_of(instance, "tls", "hsm-a"); /* the second of its tokens */
    issue_for(&chain, key);
    char *arguments = arguments_of("tls", NULL, &chain);
    struct view *before = view_cell_get(instance->views);
    JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_KEY_IMPORT, arguments);
    assert_string_equal(text_of(result, "role"), "tls");
    assert_string_equal(text_of(result, "token"), "hsm-a");
    assert_string_equal(text_of(result, "subject"), "CN=leaf");
    assert_string_equal(text_of(result, "issuer"), "CN=ca");
    assert_string_equal(text_of(result, "serial"), "4711");
    assert_int_equal(strlen(text_of(result, "not_after")), strlen("2026-01-01T00:00:00Z"));
    expect_chain(instance, "tls", "hsm-a", &chain);
    assert_null(keyring_active(before->keyring, "tls", "hsm-a")->chain_pem);
    view_unref(before);
    /* Of another token it is not: the reason is the certificate's. */
    free(arguments);
    arguments = arguments_of("tls", "hsm-b", &chain);
    refuse_verb(instance, CUSTODY_KEY_IMPORT, arguments, OUTCOME_RULE,
                "none of the 2 certificates is for the public key of this key");
    free(arguments);

    JSON_CLEANUP json_t *list = do_verb(instance, CUSTODY_KEY_LIST, "{}");
    const json_t *keys = json_object_get(list, "keys");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *row = json_array_get(keys, i);
        bool has = strcmp(text_of(row, "token"), "hsm-a") == 0;
        assert_string_equal(text_of(row, "purpose"), "transport");
        assert_string_equal(text_of(row, "subject"), has ? "CN=leaf" : "(none)");
        assert_string_equal(text_of(row, "not_after"),
                            has ? text_of(result, "not_after") : "(none)");
    }
    EVP_PKEY_free(key);
    transport_instance_free(instance);
}

static void a_renewed_certificate_takes_the_place_of_the_old(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls-384\"}");
    EVP_PKEY *key = pkey_of(instance, "tls-384", "hsm-a");
    for (size_t i = 0; i < 2; i++) {
        BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(65536);
        issue_for(&chain, key);
        char *arguments = arguments_of("tls-384", "hsm-a", &chain);
        json_decref(do_verb(instance, CUSTODY_KEY_IMPORT, arguments));
        expect_chain(instance, "tls-384", "hsm-a", &chain);
        free(arguments);
    }
    EVP_PKEY_free(key);
    transport_instance_free(instance);
}

/* The reference then says the key in the certificate's words. */
static void a_pss_certificate_shows_in_the_reference(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls-rsa\"}");
    EVP_PKEY *key = pkey_of(instance, "tls-rsa", "hsm-a");
    OSSL_PARAM *numbers = NULL;
    EVP_PKEY *pss = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &numbers), 1);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &pss, EVP_PKEY_PUBLIC_KEY, numbers), 1);
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(65536);
    issue_for(&chain, pss);
    char *arguments = arguments_of("tls-rsa", NULL, &chain);
    json_decref(do_verb(instance, CUSTODY_KEY_IMPORT, arguments));
    free(arguments);
    JSON_CLEANUP json_t *result =
        do_verb(instance, CUSTODY_KEY_REFERENCE, "{\"role\":\"tls-rsa\"}");
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(4096);
    struct span text = span_of_text(text_of(result, "pem"));
    assert_true(pem_take(&text, "QSEAL KEY REFERENCE", &der));
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(pss, &spki);
    assert_true(len > 0 && (size_t)len < der.len);
    assert_memory_equal(der.data + der.len - (size_t)len, spki, (size_t)len);
    OPENSSL_free(spki);
    OSSL_PARAM_free(numbers);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(pss);
    EVP_PKEY_free(key);
    transport_instance_free(instance);
}

/* A QWAC with QcType and PSD2 statement, signed by itself. */
static void put_qwac(struct buffer *chain, EVP_PKEY *key, enum qc_type type)
{
    const struct issue issue = {.subject = "tpp", .issuer = "QTSP"};
    const struct qc_statements statements = {.type = type,
                                             .has_psd2 = true,
                                             .roles = 1U << PSD2_AI | 1U << PSD2_PI,
                                             .nca_name = "Bank Negara \xe2\x80\x9cM\xe2\x80\x9d",
                                             .nca_id = "MY-BNM"};
    BUFFER_CLEANUP struct buffer der = BUFFER_INIT(QC_STATEMENTS_MAX);
    EVP_PKEY *issuer = EVP_EC_gen("P-256");
    X509 *certificate = certificate_issue(&issue, key, issuer);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    qc_statements_put(&der, &statements);
    assert_int_equal(ASN1_OCTET_STRING_set(octets, der.data, (int)der.len), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_qcStatements, 0, octets);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate),
                                                "organizationIdentifier", MBSTRING_UTF8,
                                                (const unsigned char *)"PSDMY-BNM-77", -1, -1, 0),
                     1);
    assert_true(X509_sign(certificate, issuer, EVP_sha256()) > 0);
    certificate_put_pem(chain, certificate);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(octets);
    X509_free(certificate);
    EVP_PKEY_free(issuer);
}

static void statements_of_a_qwac_are_shown(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls-ed\"}");
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(65536);
    EVP_PKEY *key = pkey_of(instance, "tls-ed", "hsm-a");
    put_qwac(&chain, key, QC_TYPE_ESEAL);
    char *arguments = arguments_of("tls-ed", NULL, &chain);
    refuse_verb(instance, CUSTODY_KEY_IMPORT, arguments, OUTCOME_RULE,
                "certificate 1: its QcType is eseal, and this is a transport key");
    free(arguments);
    buffer_reset(&chain);
    put_qwac(&chain, key, QC_TYPE_WEB);
    arguments = arguments_of("tls-ed", NULL, &chain);
    JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_KEY_IMPORT, arguments);
    assert_string_equal(text_of(result, "qc_type"), "web");
    assert_string_equal(text_of(result, "nca_name"), "Bank Negara \xe2\x80\x9cM\xe2\x80\x9d");
    assert_string_equal(text_of(result, "nca_id"), "MY-BNM");
    assert_string_equal(text_of(result, "organization_identifier"), "PSDMY-BNM-77");
    const json_t *organization = json_object_get(result, "organization");
    assert_string_equal(text_of(organization, "scheme"), "PSD");
    assert_string_equal(text_of(organization, "country"), "MY");
    assert_string_equal(text_of(organization, "nca"), "BNM");
    assert_string_equal(text_of(organization, "id"), "77");
    const json_t *roles = json_object_get(result, "psd2_roles");
    assert_int_equal(json_array_size(roles), 2);
    assert_string_equal(json_string_value(json_array_get(roles, 0)), "PSP_PI");
    assert_string_equal(json_string_value(json_array_get(roles, 1)), "PSP_AI");
    assert_true(json_is_false(json_object_get(result, "qc_compliance")));
    assert_true(json_is_false(json_object_get(result, "qc_sscd")));
    const json_t *warnings = json_object_get(result, "warnings");
    assert_int_equal(json_array_size(warnings), 2);
    assert_string_equal(json_string_value(json_array_get(warnings, 0)),
                        "it expires within 30 days");
    assert_non_null(strstr(json_string_value(json_array_get(warnings, 1)), "no QcCompliance"));
    free(arguments);
    EVP_PKEY_free(key);
    transport_instance_free(instance);
}

static void what_is_refused_changes_nothing(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls-ed\"}");
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(65536);
    EVP_PKEY *stranger = EVP_EC_gen("P-256");
    issue_for(&chain, stranger);
    char *arguments = arguments_of("tls-ed", NULL, &chain);
    refuse_verb(instance, CUSTODY_KEY_IMPORT, arguments, OUTCOME_RULE,
                "none of the 2 certificates is for the public key of this key");
    free(arguments);
    refuse_verb(instance, CUSTODY_KEY_IMPORT, "{\"role\":\"tls-ed\",\"chain\":\"\"}", OUTCOME_RULE,
                "there is no certificate in PEM");
    refuse_verb(instance, CUSTODY_KEY_IMPORT, "{\"role\":\"tls-ed\"}", OUTCOME_MALFORMED,
                "\"chain\" is missing");
    refuse_verb(instance, CUSTODY_KEY_IMPORT, "{\"role\":\"tls\",\"chain\":\"\"}", OUTCOME_NO_KEY,
                "role tls has no active key");
    refuse_verb(instance, CUSTODY_KEY_IMPORT, "{\"role\":\"none\",\"chain\":\"\"}",
                OUTCOME_NOT_FOUND, "no such role");
    refuse_verb(instance, CUSTODY_KEY_IMPORT, "{\"role\":\"tls\",\"file\":\"/etc/passwd\"}",
                OUTCOME_MALFORMED, "unknown or not a string");
    struct view *view = view_cell_get(instance->views);
    assert_int_equal(view->keyring->generation, 1);
    assert_null(keyring_active(view->keyring, "tls-ed", "hsm-a")->chain_pem);
    view_unref(view);
    EVP_PKEY_free(stranger);
    transport_instance_free(instance);
}

/* A keyring that cannot be written: the old view stays. */
static void a_disk_that_fails_leaves_the_old_view(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls-ed\"}");
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(65536);
    EVP_PKEY *key = pkey_of(instance, "tls-ed", "hsm-a");
    issue_for(&chain, key);
    char *arguments = arguments_of("tls-ed", NULL, &chain);
    char blocker[140];
    (void)snprintf(blocker, sizeof blocker, "%s.new", instance->keyring_path);
    assert_int_equal(mkdir(blocker, 0700), 0);
    refuse_verb(instance, CUSTODY_KEY_IMPORT, arguments, OUTCOME_RULE, "keyring.json: ");
    assert_int_equal(rmdir(blocker), 0);
    struct view *view = view_cell_get(instance->views);
    assert_null(keyring_active(view->keyring, "tls-ed", "hsm-a")->chain_pem);
    view_unref(view);
    json_decref(do_verb(instance, CUSTODY_KEY_IMPORT, arguments));
    expect_chain(instance, "tls-ed", "hsm-a", &chain);
    free(arguments);
    EVP_PKEY_free(key);
    transport_instance_free(instance);
}

/* The first key of a role that needs a certificate and a backup is in use when it has both. */
static const char *import_first(struct instance *instance, const char *role, bool backup)
{
    static char state_name[16];
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(65536);
    char words[100];
    (void)snprintf(words, sizeof words, "{\"role\":\"%s\"}", role);
    make_key(instance, words);
    (void)snprintf(words, sizeof words, "{\"key\":\"%s\"}", role);
    if (backup) {
        json_decref(do_verb(instance, CUSTODY_KEY_BACKUP_RECORDED, words));
    }
    struct view *view = view_cell_get(instance->views);
    EVP_PKEY *key = pkey_from(view->keyring->keys[view->keyring->n_keys - 1].public_key);
    view_unref(view);
    issue_for(&chain, key);
    char *arguments = arguments_of(role, NULL, &chain);
    JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_KEY_IMPORT, arguments);
    (void)snprintf(state_name, sizeof state_name, "%s", text_of(result, "state"));
    free(arguments);
    EVP_PKEY_free(key);
    return state_name;
}

static void a_first_key_waits_for_its_backup(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    instance->roles_more = "  - {name: one, purpose: transport, key: p-256, tokens: [hsm-a], "
                           "backup: required}\n"
                           "  - {name: two, purpose: transport, key: p-256, tokens: [hsm-a], "
                           "backup: required}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    assert_string_equal(import_first(instance, "one", false), "certified");
    assert_string_equal(import_first(instance, "two", true), "active");
    transport_instance_free(instance);
}

/* A chain for the key in the keyring's place, valid until so many seconds from now; arguments for
 * role tls. */
static char *arguments_for(struct instance *instance, size_t index, const char *token, long to_s)
{
    const struct issue leaf = {
        .subject = "leaf", .issuer = "ca", .to_s = to_s, .extended_key_usage = "clientAuth"};
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(65536);
    struct view *view = view_cell_get(instance->views);
    EVP_PKEY *key = pkey_from(view->keyring->keys[index].public_key);
    EVP_PKEY *ca = EVP_EC_gen("P-256");
    view_unref(view);
    put_issued(&chain, &leaf, key, ca);
    EVP_PKEY_free(ca);
    EVP_PKEY_free(key);
    return arguments_of("tls", token, &chain);
}

static void refuse_import(struct instance *instance, char *arguments, const char *fragment)
{
    refuse_verb(instance, CUSTODY_KEY_IMPORT, arguments, OUTCOME_RULE, fragment);
    free(arguments);
}

/* The certificate says which of several keys is meant, and is judged for that one. */
static void the_reason_is_that_of_the_key_it_is_for(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    make_key(instance, "{\"role\":\"tls\"}"); /* 0 and 1, on hsm-b and hsm-a */
    make_key(instance, "{\"role\":\"tls-ed\"}");
    for (size_t i = 0; i < 2; i++) {
        refuse_import(instance, arguments_for(instance, i, NULL, -60),
                      "certificate 1 expired at 20");
    }
    refuse_import(instance, arguments_for(instance, 2, NULL, 0),
                  "no certificate is for the public key of one of the 2 keys of role tls; was its "
                  "request made with `qsealctl key csr`?");
    refuse_import(instance, arguments_for(instance, 0, "hsm-a", 0),
                  "certificate 1 is for another public key than this one");
    refuse_verb(instance, CUSTODY_KEY_IMPORT, "{\"role\":\"tls\",\"chain\":\"\"}", OUTCOME_RULE,
                "there is no certificate in PEM");
    char stopped[100];
    struct view *view = view_cell_get(instance->views);
    (void)snprintf(stopped, sizeof stopped, "{\"key\":\"%s\"}",
                   public_key_thumbprint(view->keyring->keys[0].public_key));
    view_unref(view);
    json_decref(do_verb(instance, CUSTODY_KEY_COMPROMISED, stopped));
    refuse_import(instance, arguments_for(instance, 0, NULL, 0),
                  ", which is compromised: it gets none any more");
    char *arguments = arguments_for(instance, 1, NULL, 0);
    json_decref(do_verb(instance, CUSTODY_KEY_IMPORT, arguments));
    free(arguments);
    transport_instance_free(instance);
}

/* One key on two tokens: both have the certificate, and both go on with it. */
static void a_certificate_is_for_a_key_on_all_its_tokens(void **state)
{
    (void)state;
    struct instance *instance = transport_instance();
    instance->roles_more =
        "  - {name: tls, purpose: transport, key: p-256, tokens: [hsm-b, hsm-a], "
        "certificate: required}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
    make_key(instance, "{\"role\":\"tls\",\"token\":\"hsm-a\"}");
    add_twin(instance, 0, "hsm-b");
    char *arguments = arguments_for(instance, 0, "hsm-b", 0);
    JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_KEY_IMPORT, arguments);
    assert_string_equal(text_of(result, "token"), "hsm-b");
    assert_string_equal(text_of(result, "state"), "active");
    assert_int_equal(json_array_size(json_object_get(result, "tokens")), 2);
    struct view *view = view_cell_get(instance->views);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(view->keyring->keys[i].state, KEY_ACTIVE);
        assert_non_null(view->keyring->keys[i].chain_pem);
    }
    view_unref(view);
    free(arguments);
    transport_instance_free(instance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_in_use_and_on_disk_at_once),
        cmocka_unit_test(a_renewed_certificate_takes_the_place_of_the_old),
        cmocka_unit_test(a_pss_certificate_shows_in_the_reference),
        cmocka_unit_test(statements_of_a_qwac_are_shown),
        cmocka_unit_test(what_is_refused_changes_nothing),
        cmocka_unit_test(a_first_key_waits_for_its_backup),
        cmocka_unit_test(the_reason_is_that_of_the_key_it_is_for),
        cmocka_unit_test(a_certificate_is_for_a_key_on_all_its_tokens),
        cmocka_unit_test(a_disk_that_fails_leaves_the_old_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
