/* SPDX-License-Identifier: Apache-2.0
 * Certificate requests of every profile, as openssl(1) reads them; and each wish that is refused,
 * with its reason. */
#include "pki/request.h"

#include "certificate_support.h"
#include "model/shape_csr.h"
#include "openssl_program.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

struct stand {
    EVP_PKEY *rsa, *ec;
};

static int setup(void **state)
{
    static struct stand stand;
    stand = (struct stand){.rsa = EVP_RSA_gen(2048), .ec = EVP_EC_gen("P-256")};
    *state = &stand;
    return 0;
}

static int teardown(void **state)
{
    struct stand *stand = *state;
    EVP_PKEY_free(stand->rsa);
    EVP_PKEY_free(stand->ec);
    return 0;
}

static struct request_wish wish_of(enum request_profile profile)
{
    struct request_wish wish = {.profile = profile, .purpose = PURPOSE_SEAL};
    const char **values = wish.values;
    const struct request_row *row = request_row(profile);
    if (!row->for_seal) {
        wish.purpose = PURPOSE_TRANSPORT;
    }
    values[REQUEST_SUBJECT] = "/CN=Bank plc/O=Bank/C=FI";
    if (row->has_psd2) {
        values[REQUEST_ORGANIZATION] = "PSDFI-FINFSA-1234567-8";
        values[REQUEST_ROLES] = "PSP_AI,PSP_PI";
        values[REQUEST_NCA_NAME] = "Finanssivalvonta";
        values[REQUEST_NCA_ID] = "FI-FINFSA";
    }
    if (profile == PROFILE_PSD2_QWAC) {
        values[REQUEST_SUBJECT] = "/CN=tpp.bank.example/O=Bank/C=FI";
        values[REQUEST_DNS] = "tpp.bank.example,b.bank.example";
    }
    if (profile == PROFILE_OBSEAL || profile == PROFILE_OBWAC) {
        values[REQUEST_SUBJECT] = "/C=GB/O=Bank/CN=0015800001041RHAAY";
        values[REQUEST_ORGANIZATION] = "PSDGB-FCA-123456";
        values[REQUEST_NCA_NAME] = "Financial Conduct Authority";
        values[REQUEST_NCA_ID] = "GB-FCA";
    }
    if (profile == PROFILE_BR_SEAL) {
        values[REQUEST_SUBJECT] = "/CN=Banco/OU=AC X/OU=12345678000199/OU=presencial/O=ICP-Brasil"
                                  "/C=BR";
        values[REQUEST_PARTICIPANT] = "d7384bd0-842f-43c5-be02-9d2b2d5efc2c";
        values[REQUEST_RESPONSIBLE] = "Maria da Silva";
        values[REQUEST_CNPJ] = "43142666000197";
        values[REQUEST_RESPONSIBLE_DATA] = "171219535876513601242586038731001002005784SSPRS";
        values[REQUEST_CEI] = "000000000000";
    }
    if (profile == PROFILE_BR_CAC) {
        values[REQUEST_SUBJECT] = "/CN=*.banco.example/L=Sao Paulo/ST=SP/O=Banco/C=BR"
                                  "/serialNumber=43142666000197/jurisdictionC=BR"
                                  "/businessCategory=Private Organization";
        values[REQUEST_PARTICIPANT] = "d7384bd0-842f-43c5-be02-9d2b2d5efc2c";
        values[REQUEST_SOFTWARE] = "7218e1af-195f-42b5-a44b-8c7828470f5a";
        values[REQUEST_DNS] = "*.banco.example";
    }
    return wish;
}

static enum outcome put_info(struct buffer *info, const struct request_wish *wish, EVP_PKEY *key,
                             struct reason *why)
{
    BUFFER_CLEANUP struct buffer spki = BUFFER_INIT(1024);
    put_spki(&spki, key);
    return request_put_info(info, wish, buffer_span(&spki), why);
}

/* What openssl makes of it; and the shape guard takes it. */
static void text_of(const struct request_wish *wish, EVP_PKEY *key, char *text, size_t size)
{
    static const char *const words[] = {"-verify",  "-noout",          "-text",
                                        "-nameopt", "RFC2253,-dn_rev", NULL};
    struct reason why = {0};
    struct span spki;
    bool is_rsa = EVP_PKEY_is_a(key, "RSA") == 1;
    BUFFER_CLEANUP struct buffer info = BUFFER_INIT(REQUEST_INFO_MAX);
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(65536);
    assert_done(put_info(&info, wish, key, &why), why);
    assert_done(shape_csr_check(buffer_span(&info), &spki, &why), why);
    unsigned char signature[512];
    size_t len = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &len, info.data, info.len), 1);
    EVP_MD_CTX_free(context);
    request_put_pem(&pem, buffer_span(&info), is_rsa ? ALG_RS256 : ALG_ES256,
                    span_of(signature, len));
    assert_true(buffer_ok(&pem));
    openssl_req(&pem, words, text, size);
    assert_non_null(strstr(text, "verify OK"));
}

struct expected {
    enum request_profile profile;
    const char *subject;
    const char *key_usage;
    const char *extended; /* NULL: there is none */
    const char *names;    /* the same */
};

static const struct expected expected[] = {
    {PROFILE_PSD2_QSEAL,
     "Subject: C=FI,O=Bank,organizationIdentifier=PSDFI-FINFSA-1234567-8,CN=Bank plc\n",
     "Digital Signature, Non Repudiation\n", NULL, NULL},
    {PROFILE_PSD2_QWAC,
     "Subject: C=FI,O=Bank,organizationIdentifier=PSDFI-FINFSA-1234567-8,CN=tpp.bank.example\n",
     "Digital Signature, Key Encipherment\n",
     "TLS Web Client Authentication, TLS Web Server Authentication\n",
     "DNS:tpp.bank.example, DNS:b.bank.example\n"},
    {PROFILE_OBSEAL,
     "Subject: C=GB,O=Bank,organizationIdentifier=PSDGB-FCA-123456,CN=0015800001041RHAAY\n",
     "Digital Signature, Non Repudiation\n", NULL, NULL},
    {PROFILE_OBWAC,
     "Subject: C=GB,O=Bank,organizationIdentifier=PSDGB-FCA-123456,CN=0015800001041RHAAY\n",
     "Digital Signature\n", "TLS Web Client Authentication, TLS Web Server Authentication\n", NULL},
    {PROFILE_BR_SEAL,
     "Subject: UID=d7384bd0-842f-43c5-be02-9d2b2d5efc2c,C=BR,O=ICP-Brasil,OU=AC X,"
     "OU=12345678000199,OU=presencial,CN=Banco\n",
     "Digital Signature, Non Repudiation\n", NULL, "othername: 2.16.76.1.3.2:"},
    {PROFILE_BR_CAC,
     "Subject: businessCategory=Private Organization,jurisdictionC=BR,serialNumber=43142666000197,"
     "C=BR,O=Banco,ST=SP,L=Sao Paulo,"
     "organizationIdentifier=OFBBR-d7384bd0-842f-43c5-be02-9d2b2d5efc2c,"
     "UID=7218e1af-195f-42b5-a44b-8c7828470f5a,CN=*.banco.example\n",
     "Digital Signature, Key Encipherment\n", "TLS Web Client Authentication\n",
     "DNS:*.banco.example\n"},
};

/* The line behind the one with this title. */
static void expect_extension(const char *text, const char *title, const char *line)
{
    const char *at = strstr(text, title);
    if (line == NULL) {
        assert_null(at);
        return;
    }
    assert_non_null(at);
    at = strchr(at, '\n') + 1;
    at += strspn(at, " ");
    if (strncmp(at, line, strlen(line)) != 0) {
        fail_msg("%s is %.200s", title, at);
    }
}

static void expect_text(const struct expected *row, const char *text)
{
    if (strstr(text, row->subject) == NULL) {
        fail_msg("no \"%s\" in %s", row->subject, text);
    }
    expect_extension(text, "X509v3 Key Usage: critical\n", row->key_usage);
    expect_extension(text, "X509v3 Extended Key Usage: \n", row->extended);
    expect_extension(text, "X509v3 Subject Alternative Name: \n", row->names);
    assert_non_null(strstr(text, "X509v3 Subject Key Identifier: \n"));
    bool has_statements = strstr(text, "qcStatements: \n") != NULL;
    assert_int_equal(has_statements, request_row(row->profile)->has_psd2);
}

static void openssl_reads_every_profile(void **state)
{
    struct stand *stand = *state;
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        char text[16384];
        const struct request_wish wish = wish_of(expected[i].profile);
        text_of(&wish, stand->rsa, text, sizeof text);
        expect_text(&expected[i], text);
    }
    /* Nobody enciphers to a key on a curve. */
    char text[16384];
    struct expected ec = expected[1];
    ec.key_usage = "Digital Signature\n";
    const struct request_wish wish = wish_of(PROFILE_PSD2_QWAC);
    text_of(&wish, stand->ec, text, sizeof text);
    expect_text(&ec, text);
    struct request_wish plain = wish_of(PROFILE_PLAIN);
    text_of(&plain, stand->ec, text, sizeof text);
    assert_non_null(strstr(text, "Subject: CN=Bank plc,O=Bank,C=FI\n"));
    assert_null(strstr(text, "X509v3"));
}

/* The conformant vectors, as they stand in a request. */
static void statements_are_the_vectors(void **state)
{
    struct stand *stand = *state;
    static const struct {
        const char *roles, *hex;
    } rows[] = {
        {"PSP_AI", "305b3013060604008e4601063009060704008e46010603304406060400819827"
                   "02303a301330110607040081982701030c065053505f41490c1b46696e616e63"
                   "69616c20436f6e6475637420417574686f726974790c0647422d464341"},
        {"PSP_AI,PSP_PI", "306e3013060604008e4601063009060704008e4601060330570606040081982702"
                          "304d302630110607040081982701020c065053505f504930110607040081982701"
                          "030c065053505f41490c1b46696e616e6369616c20436f6e647563742041757468"
                          "6f726974790c0647422d464341"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct request_wish wish = wish_of(PROFILE_OBWAC);
        struct reason why = {0};
        BUFFER_CLEANUP struct buffer info = BUFFER_INIT(REQUEST_INFO_MAX);
        wish.values[REQUEST_ROLES] = rows[i].roles;
        assert_done(put_info(&info, &wish, stand->rsa, &why), why);
        long len = 0;
        unsigned char *der = OPENSSL_hexstr2buf(rows[i].hex, &len);
        const uint8_t *at = memmem(info.data, info.len, der, (size_t)len);
        assert_non_null(at);
        /* Extension { OID, OCTET STRING }: no BOOLEAN, so not critical. */
        const uint8_t head[] = {0x06, 0x08, 0x2b, 0x06, 0x01, 0x05,
                                0x05, 0x07, 0x01, 0x03, 0x04, (uint8_t)len};
        assert_memory_equal(at - sizeof head, head, sizeof head);
        OPENSSL_free(der);
    }
}

/* ICP-Brasil's names are PrintableString; openssl(1) shows none of them. */
static void other_names_are_printable_strings(void **state)
{
    struct stand *stand = *state;
    struct request_wish wish = wish_of(PROFILE_BR_SEAL);
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer info = BUFFER_INIT(REQUEST_INFO_MAX);
    assert_done(put_info(&info, &wish, stand->rsa, &why), why);
    static const struct {
        uint8_t last;
        enum request_value value;
    } rows[] = {{2, REQUEST_RESPONSIBLE},
                {3, REQUEST_CNPJ},
                {4, REQUEST_RESPONSIBLE_DATA},
                {7, REQUEST_CEI}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *text = wish.values[rows[i].value];
        uint8_t len = (uint8_t)strlen(text);
        const uint8_t head[] = {
            0xa0, (uint8_t)(len + 11), 0x06, 0x05, 0x60, 0x4c, 0x01, 0x03, rows[i].last,
            0xa0, (uint8_t)(len + 2),  0x13, len};
        const uint8_t *at = memmem(info.data, info.len, head, sizeof head);
        assert_non_null(at);
        assert_memory_equal(at + sizeof head, text, len);
    }
}

#define LONG_64 "0123456789012345678901234567890123456789012345678901234567890123"
#define NAMES_16 "a.b,a.b,a.b,a.b,a.b,a.b,a.b,a.b,a.b,a.b,a.b,a.b,a.b,a.b,a.b,a.b"
static const struct {
    enum request_profile profile;
    enum request_value value;
    const char *text; /* NULL: not given */
    const char *fragment;
} refused[] = {
    {PROFILE_PSD2_QSEAL, REQUEST_ROLES, NULL, "profile psd2-qseal needs --role"},
    {PROFILE_PSD2_QSEAL, REQUEST_SUBJECT, NULL, "profile psd2-qseal needs --subject"},
    {PROFILE_PSD2_QWAC, REQUEST_DNS, NULL, "profile psd2-qwac needs --dns"},
    {PROFILE_OBSEAL, REQUEST_NCA_ID, NULL, "profile obseal needs --nca-id"},
    {PROFILE_OBSEAL, REQUEST_NCA_NAME, NULL, "profile obseal needs --nca-name"},
    {PROFILE_BR_CAC, REQUEST_SOFTWARE, NULL, "profile br-cac needs --software-id"},
    {PROFILE_BR_CAC, REQUEST_PARTICIPANT, NULL, "profile br-cac needs --participant"},
    {PROFILE_BR_SEAL, REQUEST_CEI, NULL, "profile br-seal needs --cei"},
    {PROFILE_PLAIN, REQUEST_ROLES, "PSP_AI", "profile plain takes no --role"},
    {PROFILE_PLAIN, REQUEST_ORGANIZATION, "PSDGB-FCA-1",
     "profile plain takes no --organization-identifier"},
    {PROFILE_OBWAC, REQUEST_DNS, "a.b", "profile obwac takes no --dns"},
    {PROFILE_BR_CAC, REQUEST_ORGANIZATION, "OFBBR-1",
     "profile br-cac takes no --organization-identifier"},
    {PROFILE_PSD2_QSEAL, REQUEST_ROLES, "PSP_AI,PSP_XX", "--role: it is one of PSP_AS, PSP_PI"},
    {PROFILE_PSD2_QSEAL, REQUEST_ROLES, "", "--role: it is one of"},
    {PROFILE_PSD2_QSEAL, REQUEST_ROLES, "PSP_AI,PSP_AI", "--role: one stands there twice"},
    {PROFILE_PSD2_QSEAL, REQUEST_NCA_NAME, "", "--nca-name: it is empty"},
    {PROFILE_PSD2_QSEAL, REQUEST_NCA_NAME, "\x07", "--nca-name: it has control characters"},
    {PROFILE_PSD2_QSEAL, REQUEST_NCA_ID, "FINFSA", "--nca-id: it is written like GB-FCA"},
    {PROFILE_PSD2_QSEAL, REQUEST_NCA_ID, "SE-FINA",
     "organizationIdentifier names the authority FI-FINFSA, --nca-id another"},
    {PROFILE_PSD2_QSEAL, REQUEST_ORGANIZATION, "FINFSA-1",
     "--organization-identifier: it does not begin with PSD"},
    {PROFILE_PSD2_QSEAL, REQUEST_ORGANIZATION, "PSDFI-FINFSA",
     "--organization-identifier: there is no authority"},
    {PROFILE_PSD2_QSEAL, REQUEST_ORGANIZATION, "VATFI-1",
     "organizationIdentifier: profile psd2-qseal has one of PSD"},
    {PROFILE_OBSEAL, REQUEST_ORGANIZATION, "PSDFI-FINFSA-1",
     "organizationIdentifier: profile obseal has one of PSDGB-"},
    {PROFILE_PSD2_QSEAL, REQUEST_ORGANIZATION, NULL,
     "subject: profile psd2-qseal needs organizationIdentifier"},
    {PROFILE_PSD2_QSEAL, REQUEST_SUBJECT, "/C=FI/O=Bank/CN=x/organizationIdentifier=PSDFI-FINFSA-1",
     "subject: organizationIdentifier is given by an option already"},
    {PROFILE_PSD2_QSEAL, REQUEST_SUBJECT, "/C=FI/CN=x", "subject: profile psd2-qseal needs O"},
    {PROFILE_PSD2_QSEAL, REQUEST_SUBJECT, "/C=FI/O=a/O=b/CN=x", "subject: O stands there twice"},
    {PROFILE_PSD2_QSEAL, REQUEST_SUBJECT, "/C=FI/O=a/OU=b/CN=x",
     "takes no other parts than C, O, organizationIdentifier, CN"},
    {PROFILE_PSD2_QSEAL, REQUEST_SUBJECT, "C=FI", "subject: it is written like"},
    {PROFILE_BR_SEAL, REQUEST_SUBJECT, "/C=BR/O=x/CN=x/UID=1",
     "subject: UID is given by an option already"},
    {PROFILE_PSD2_QWAC, REQUEST_DNS, "tpp.bank.example,a b", "--dns: it is a DNS name"},
    {PROFILE_PSD2_QWAC, REQUEST_DNS, "", "--dns: it is a DNS name"},
    {PROFILE_PSD2_QWAC, REQUEST_DNS, "*.bank.example", "--dns: a QWAC has no wildcards"},
    {PROFILE_PSD2_QWAC, REQUEST_DNS, "other.example", "subject: CN is not one of --dns"},
    {PROFILE_PSD2_QWAC, REQUEST_DNS, NAMES_16 ",a.b", "--dns: there are more than 16"},
    {PROFILE_BR_CAC, REQUEST_SOFTWARE, "a/b", "--software-id: it is 1 to 64 letters"},
    {PROFILE_BR_CAC, REQUEST_PARTICIPANT, LONG_64 "5", "--participant: it is 1 to 64 letters"},
    {PROFILE_BR_SEAL, REQUEST_CNPJ, "4314266600019", "--cnpj: it is 14 digits"},
    {PROFILE_BR_SEAL, REQUEST_CEI, "00000000000x", "--cei: it is 12 digits"},
    {PROFILE_BR_SEAL, REQUEST_RESPONSIBLE, "Jo\xc3\xa3o", "--responsible: it is 1 to 128 letters"},
    {PROFILE_PSD2_QSEAL, REQUEST_QC_STATEMENT, "QcSSCD",
     "--qc-statement: QcSSCD is for the trust service provider to state"},
    {PROFILE_PLAIN, REQUEST_QC_STATEMENT, "QcCompliance", "QcCompliance is for the trust service"},
    {PROFILE_OBSEAL, REQUEST_QC_STATEMENT, "QcPDS", "QcPDS is for the trust service provider"},
    {PROFILE_OBSEAL, REQUEST_QC_STATEMENT, "QcType", "QcType and the PSD2 statement come with"},
};

static void each_wrong_value_has_its_reason(void **state)
{
    struct stand *stand = *state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct request_wish wish = wish_of(refused[i].profile);
        struct reason why = {0};
        BUFFER_CLEANUP struct buffer info = BUFFER_INIT(REQUEST_INFO_MAX);
        wish.values[refused[i].value] = refused[i].text;
        assert_refused(put_info(&info, &wish, stand->rsa, &why), OUTCOME_RULE, why,
                       refused[i].fragment);
        assert_int_equal(info.len, 0);
    }
}

static void a_profile_is_for_a_purpose_and_a_type(void **state)
{
    struct stand *stand = *state;
    for (unsigned int i = PROFILE_PLAIN; i <= PROFILE_BR_CAC; i++) {
        struct request_wish wish = wish_of((enum request_profile)i);
        const struct request_row *row = request_row(wish.profile);
        enum request_profile found;
        struct reason why = {0};
        BUFFER_CLEANUP struct buffer info = BUFFER_INIT(REQUEST_INFO_MAX);
        assert_true(request_profile_from_name(span_of_text(row->name), &found));
        assert_int_equal(found, i);
        if (row->needs_rsa) {
            assert_refused(put_info(&info, &wish, stand->ec, &why), OUTCOME_RULE, why,
                           "is for RSA keys: its directory takes no others");
        }
        wish.purpose = wish.purpose == PURPOSE_SEAL ? PURPOSE_TRANSPORT : PURPOSE_SEAL;
        enum outcome outcome = put_info(&info, &wish, stand->rsa, &why);
        if (i == PROFILE_PLAIN) {
            assert_done(outcome, why);
        } else {
            assert_refused(outcome, OUTCOME_RULE, why,
                           row->for_seal ? "is for seal keys, and this is a transport key"
                                         : "is for transport keys, and this is a seal key");
        }
        wish.purpose = PURPOSE_AUDIT;
        outcome = put_info(&info, &wish, stand->rsa, &why);
        if (i == PROFILE_PLAIN) {
            assert_done(outcome, why);
        } else {
            assert_refused(outcome, OUTCOME_RULE, why, "keys, and this is an audit key");
        }
    }
    enum request_profile found;
    assert_false(request_profile_from_name(span_of_text("qseal"), &found));
}

/* An unsupervised participant of the directory in the United Kingdom. */
static void the_directory_s_own_numbers_are_taken(void **state)
{
    struct stand *stand = *state;
    struct request_wish wish = wish_of(PROFILE_OBSEAL);
    char text[16384];
    wish.values[REQUEST_ORGANIZATION] = NULL;
    wish.values[REQUEST_SUBJECT] =
        "/organizationIdentifier=PSDGB-OB-Unknown0015800001041RHAAY/C=GB/O=B/CN=0015800001041RHAAY";
    text_of(&wish, stand->rsa, text, sizeof text);
    assert_non_null(strstr(text, "C=GB,O=B,organizationIdentifier=PSDGB-OB-Unknown00158000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_reads_every_profile),
        cmocka_unit_test(statements_are_the_vectors),
        cmocka_unit_test(other_names_are_printable_strings),
        cmocka_unit_test(each_wrong_value_has_its_reason),
        cmocka_unit_test(a_profile_is_for_a_purpose_and_a_type),
        cmocka_unit_test(the_directory_s_own_numbers_are_taken),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
