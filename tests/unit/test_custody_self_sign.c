/* SPDX-License-Identifier: Apache-2.0
 * What the audit log says of signatures that custody asks of keys: certificate requests and trials.
 */
#include "custody/self_sign.h"

#include "audit_faults.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

static int setup(void **state)
{
    *state = disk_instance("[operator, custodian]");
    return 0;
}

static void expect_sign(struct instance *instance, const json_t *record, const char *operation)
{
    struct public_key *key = pinned(instance, "seal", "hsm-a");
    expect_members(record, "seq prev time kind uid gid pid operation role kid alg token "
                           "payload_sha256 input_sha256");
    expect_self(record);
    expect_text(record, "operation", operation);
    expect_text(record, "role", "seal");
    expect_text(record, "kid", public_key_thumbprint(key));
    expect_text(record, "token", "hsm-a");
    expect_text(record, "payload_sha256", text_of(record, "input_sha256"));
    public_key_free(key);
}

/* What was signed is the CertificationRequestInfo (RFC 2986 §4.2). */
static void a_certificate_request_is_on_record(void **state)
{
    struct instance *instance = *state;
    make_key(instance, "{\"role\":\"seal\"}");
    uint64_t before = audit_mark(instance);
    JSON_CLEANUP json_t *result = do_verb(instance, CUSTODY_KEY_CSR, "{\"role\":\"seal\"}");
    JSON_CLEANUP json_t *record = audit_record(instance, before, "sign");
    JSON_CLEANUP json_t *done = audit_done_of(instance, record);
    expect_sign(instance, record, "certificate-request");
    BIO *bio = BIO_new_mem_buf(text_of(result, "pem"), -1);
    X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    const ASN1_BIT_STRING *signature = NULL;
    unsigned char *info = NULL;
    assert_non_null(request);
    int len = i2d_re_X509_REQ_tbs(request, &info);
    assert_true(len > 0);
    X509_REQ_get0_signature(request, &signature, NULL);
    expect_digest(record, "input_sha256", span_of(info, (size_t)len));
    expect_text(done, "outcome", "released");
    expect_digest(done, "released_sha256",
                  span_of(ASN1_STRING_get0_data(signature), (size_t)ASN1_STRING_length(signature)));
    OPENSSL_free(info);
    X509_REQ_free(request);
    BIO_free(bio);
}

/* The first key of a role signs once before it is active. */
static void a_trial_is_on_record(void **state)
{
    struct instance *instance = *state;
    uint64_t before = audit_mark(instance);
    make_key(instance, "{\"role\":\"seal\"}");
    JSON_CLEANUP json_t *record = audit_record(instance, before, "sign");
    JSON_CLEANUP json_t *done = audit_done_of(instance, record);
    expect_sign(instance, record, "trial");
    expect_text(done, "outcome", "done");
    assert_null(json_object_get(done, "released_sha256"));
}

static void a_token_that_does_not_sign_is_on_record(void **state)
{
    static const struct {
        enum outcome outcome;
        bool flip_a_bit;
        const char *name;
    } rows[] = {{OUTCOME_PIN, false, "pin-refused"}, {OUTCOME_OK, true, "signature-not-verified"}};
    struct instance *instance = *state;
    make_key(instance, "{\"role\":\"seal\"}");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reason why = {0};
        BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
        uint64_t before = audit_mark(instance);
        instance->tokens[0].outcome = rows[i].outcome;
        instance->tokens[0].flip_a_bit = rows[i].flip_a_bit;
        enum outcome outcome =
            instance_admin(instance, CUSTODY_KEY_CSR, "{\"role\":\"seal\"}", &result, &why);
        assert_string_equal(outcome_name(outcome), rows[i].name);
        JSON_CLEANUP json_t *record = audit_record(instance, before, "sign");
        expect_done(instance, record, rows[i].name);
    }
}

/* Asked of the key itself: a command would be refused before. */
static void without_a_log_no_token_is_asked(void **state)
{
    struct instance *instance = *state;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer signature = BUFFER_INIT(SIGNATURE_MAX);
    make_key(instance, "{\"role\":\"seal\"}");
    struct view *view = view_cell_get(instance->views);
    const struct self_signer signer = {.config = view->policy->config,
                                       .audit = instance->audit,
                                       .caller = {.uid = geteuid()},
                                       .operation = "certificate-request"};
    unsigned int asked = instance->tokens[0].asked;
    disk_break(instance);
    assert_refused(self_sign(&signer, &view->keyring->keys[0], span_of_text("x"),
                             deadline_in_ms(AUDIT_PATIENCE_MS), &signature, &why),
                   OUTCOME_AUDIT, why, WHY_NOT);
    assert_int_equal(instance->tokens[0].asked, asked);
    disk_mend(instance);
    atomic_store(&disk_fault, EIO); /* the record is lost while the token signs */
    assert_refused(self_sign(&signer, &view->keyring->keys[0], span_of_text("x"),
                             deadline_in_ms(AUDIT_PATIENCE_MS), &signature, &why),
                   OUTCOME_AUDIT, why, "audit-0000000002.jsonl: writing it: Input/output error");
    assert_int_equal(instance->tokens[0].asked, asked + 1);
    disk_mend(instance);
    view_unref(view);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, disk_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_request_is_on_record),
        TEST(a_trial_is_on_record),
        TEST(a_token_that_does_not_sign_is_on_record),
        TEST(without_a_log_no_token_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
