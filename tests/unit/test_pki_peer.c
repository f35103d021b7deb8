/* SPDX-License-Identifier: Apache-2.0
 * Which servers a key may be used with: chains, names, pins, in the form of both TLS versions. */
#include "pki/peer.h"

#include "base/base64url.h"

#include "check.h"
#include "folder.h"
#include "tls_rig.h"

#include <openssl/err.h>
#include <openssl/pem.h>

enum who {
    ROOT,
    MIDDLE,
    OTHER_ROOT,
    SERVER,
    WILDCARD,
    EXPIRED,
    CLIENT_ONLY,
    NAMELESS,
    WEAK,
    OWN,
    N_WHO
};

static struct rig_identity made[N_WHO];
static struct folder folder;
static char root_path[128];
static char middle_path[128];
static char other_path[128];
static char both_path[128];

static void make_all(void)
{
    const struct rig_certificate hows[N_WHO] = {
        [ROOT] = {.is_ca = true},
        [MIDDLE] = {.is_ca = true, .issuer = &made[ROOT]},
        [OTHER_ROOT] = {.is_ca = true},
        [SERVER] = {.san = "DNS:api.bank.example,DNS:mtls.bank.example", .issuer = &made[MIDDLE]},
        [WILDCARD] = {.san = "DNS:*.bank.example", .issuer = &made[MIDDLE]},
        [EXPIRED] = {.san = "DNS:api.bank.example", .issuer = &made[MIDDLE], .expired = true},
        [CLIENT_ONLY] = {.san = "DNS:api.bank.example",
                         .issuer = &made[MIDDLE],
                         .client_only = true},
        [NAMELESS] = {.san = "IP:192.0.2.1,email:api.bank.example@x.example",
                      .issuer = &made[MIDDLE]},
        [WEAK] = {.san = "DNS:api.bank.example", .issuer = &made[MIDDLE], .sha1 = true},
        [OWN] = {.san = "DNS:api.bank.example"},
    };
    for (int i = 0; i < N_WHO; i++) {
        rig_identity_make(RIG_P256, &hows[i], &made[i]);
    }
}

static void write_pem(const char *path, const enum who *who, size_t n)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(PEM_write_X509(file, made[who[i]].certificate), 1);
    }
    assert_int_equal(fclose(file), 0);
}

static void put_certificate(struct buffer *out, const X509 *certificate, enum tls_version version)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    assert_true(len > 0);
    buffer_put_u8(out, 0);
    buffer_put_u16(out, (uint16_t)len);
    buffer_put(out, der, (size_t)len);
    if (version == TLS_1_3) {
        buffer_put_u16(out, 0);
    }
    OPENSSL_free(der);
}

static void put_chain(struct buffer *chain, enum who leaf, bool with_middle,
                      enum tls_version version, struct tls_proof *proof)
{
    put_certificate(chain, made[leaf].certificate, version);
    if (with_middle) {
        put_certificate(chain, made[MIDDLE].certificate, version);
    }
    *proof = (struct tls_proof){.version = version, .has_peer = true};
    proof->peer_chain = buffer_span(chain);
    memcpy(proof->peer_spki_sha256, made[leaf].spki_sha256, 32);
}

static void pin_of(enum who who, char out[44])
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(43);
    base64url_encode(&text, span_of(made[who].spki_sha256, 32));
    (void)snprintf(out, 44, "%s", buffer_text(&text));
}

static const struct row {
    enum who leaf;
    bool with_middle;
    const char *dns;
    const char *issuer;
    int pin; /* of whom; -1: none */
    const char *reason;
} rows[] = {
    {SERVER, true, "api.bank.example", root_path, -1, NULL},
    {SERVER, true, "mtls.bank.example", root_path, -1, NULL},
    {SERVER, true, "*.bank.example", root_path, -1, NULL},
    {SERVER, true, NULL, root_path, -1, NULL},
    {SERVER, true, "API.bank.example", root_path, SERVER, NULL},
    {SERVER, true, "api.bank.example", both_path, -1, NULL},
    {SERVER, false, "api.bank.example", middle_path, -1, NULL}, /* an intermediate is enough */
    {SERVER, true, "api.bank.example", middle_path, -1, NULL},
    {SERVER, false, NULL, NULL, SERVER, NULL},
    {WILDCARD, true, "api.bank.example", root_path, -1, NULL},
    {WILDCARD, true, "*.bank.example", root_path, -1, NULL},
    {OWN, false, NULL, NULL, OWN, NULL}, /* a pin needs no issuer */
    {EXPIRED, true, NULL, NULL, EXPIRED, NULL},

    {SERVER, true, "other.bank.example", root_path, -1, "its certificate does not hold the name"},
    {SERVER, true, "bank.example", root_path, -1, "its certificate does not hold the name"},
    {WILDCARD, true, "a.b.bank.example", root_path, -1, "its certificate does not hold the name"},
    {NAMELESS, true, "api.bank.example", root_path, -1, "its certificate does not hold the name"},
    {SERVER, true, "api.bank.example", other_path, -1, "unable to get"},
    {SERVER, false, "api.bank.example", root_path, -1, "unable to get local issuer certificate"},
    {OWN, false, "api.bank.example", root_path, -1, "self-signed certificate"},
    {EXPIRED, true, "api.bank.example", root_path, -1, "certificate has expired"},
    {WEAK, true, "api.bank.example", root_path, -1, "digest algorithm too weak"},
    {CLIENT_ONLY, true, "api.bank.example", root_path, -1, "unsuitable certificate purpose"},
    {SERVER, true, NULL, NULL, WILDCARD, "its key is not the pinned one"},
    {SERVER, true, "api.bank.example", root_path, WILDCARD, "its key is not the pinned one"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows) * 2; i++) {
        const struct row *row = &rows[i / 2];
        enum tls_version version = i % 2 == 0 ? TLS_1_2 : TLS_1_3;
        struct tls_proof proof;
        struct reason why = {0};
        struct peer_set *set = NULL;
        char pin[44];
        BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(8192);
        put_chain(&chain, row->leaf, row->with_middle, version, &proof);
        pin_of(row->pin >= 0 ? (enum who)row->pin : ROOT, pin);
        char dns[64];
        char issuer[128];
        (void)snprintf(dns, sizeof dns, "%s", row->dns != NULL ? row->dns : "");
        (void)snprintf(issuer, sizeof issuer, "%s", row->issuer != NULL ? row->issuer : "");
        struct peer_rule rule = {.dns = row->dns != NULL ? dns : NULL,
                                 .issuer = row->issuer != NULL ? issuer : NULL,
                                 .spki = row->pin >= 0 ? pin : NULL};
        assert_done(peer_set_new(&rule, 1, &set, &why), why);
        const char *proven = "";
        enum outcome outcome = peer_check(set, &proof, &proven, &why);
        assert_true(proven == NULL || (outcome == OUTCOME_OK && row->dns != NULL));
        if (row->reason == NULL) {
            assert_done(outcome, why);
            assert_string_equal(proven != NULL ? proven : "", row->dns != NULL ? row->dns : "");
        } else {
            assert_refused(outcome, OUTCOME_RULE, why, row->reason);
            assert_non_null(strstr(why.detail, "the server is not one of the role's peers: "));
        }
        assert_int_equal(ERR_peek_error(), 0);
        peer_set_free(set);
    }
}

/* One of several is enough; the last reason is told. */
static void test_several(void **state)
{
    (void)state;
    struct tls_proof proof;
    struct reason why = {0};
    struct peer_set *set = NULL;
    char pin[44];
    char name[] = "nobody.example";
    const char *dns = name;
    pin_of(SERVER, pin);
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(8192);
    put_chain(&chain, SERVER, true, TLS_1_3, &proof);
    struct peer_rule rules[] = {{.dns = name, .issuer = root_path}, {.spki = pin}};
    assert_done(peer_set_new(rules, 2, &set, &why), why);
    assert_done(peer_check(set, &proof, &dns, &why), why);
    assert_null(dns);
    peer_set_free(set);
    pin_of(WILDCARD, pin);
    assert_done(peer_set_new(rules, 2, &set, &why), why);
    assert_refused(peer_check(set, &proof, &dns, &why), OUTCOME_RULE, why,
                   "its key is not the pinned one (of the last rule)");
    peer_set_free(set);
    assert_done(peer_set_new(NULL, 0, &set, &why), why);
    assert_refused(peer_check(set, &proof, &dns, &why), OUTCOME_RULE, why, "none is listed");
    proof.has_peer = false;
    assert_refused(peer_check(set, &proof, &dns, &why), OUTCOME_RULE, why,
                   "the server is not proven");
    peer_set_free(set);
    peer_set_free(NULL);
}

/* Rules that share a file, and each its own name: the one that fits says which is proven. */
static void test_shared_issuers(void **state)
{
    (void)state;
    struct tls_proof proof;
    struct reason why = {0};
    struct peer_set *set = NULL;
    char names[][24] = {"nobody.example", "mtls.bank.example", "api.bank.example"};
    const char *dns = NULL;
    struct peer_rule rules[] = {{.dns = names[2], .issuer = other_path},
                                {.dns = names[0], .issuer = root_path},
                                {.dns = names[2], .issuer = other_path},
                                {.dns = names[1], .issuer = root_path},
                                {.dns = names[2], .issuer = root_path}};
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(8192);
    put_chain(&chain, SERVER, true, TLS_1_2, &proof);
    assert_done(peer_set_new(rules, COUNT_OF(rules), &set, &why), why);
    assert_done(peer_check(set, &proof, &dns, &why), why);
    assert_string_equal(dns, "mtls.bank.example");
    peer_set_free(set);
    assert_done(peer_set_new(rules, 3, &set, &why), why);
    assert_refused(peer_check(set, &proof, &dns, &why), OUTCOME_RULE, why,
                   "unable to get local issuer certificate (of the last rule)");
    assert_null(dns);
    peer_set_free(set);
}

/* What libcrypto does not get to see is refused by name, and a pin needs none of it. */
static void test_chain_over_a_limit(void **state)
{
    (void)state;
    struct tls_proof proof;
    struct reason why = {0};
    struct peer_set *set = NULL;
    const char *dns = NULL;
    char pin[44];
    pin_of(SERVER, pin);
    struct peer_rule rules[] = {{.issuer = root_path}, {.spki = pin}};
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(128 * 1024);
    put_chain(&chain, SERVER, true, TLS_1_2, &proof);
    static const uint8_t big[17 * 1024] = {0x30};
    buffer_put_u8(&chain, 0);
    buffer_put_u16(&chain, sizeof big);
    buffer_put(&chain, big, sizeof big);
    proof.peer_chain = buffer_span(&chain);
    assert_done(peer_set_new(rules, 1, &set, &why), why);
    assert_refused(peer_check(set, &proof, &dns, &why), OUTCOME_RULE, why,
                   "the server is not one of the role's peers: a certificate is longer than 16 KB");
    peer_set_free(set);
    assert_done(peer_set_new(rules, 2, &set, &why), why);
    assert_done(peer_check(set, &proof, &dns, &why), why);
    peer_set_free(set);
}

/* A certificate whose key is not the proven one, and one that is none. */
static void test_chains_that_cannot_be_read(void **state)
{
    (void)state;
    struct tls_proof proof;
    struct reason why = {0};
    struct peer_set *set = NULL;
    const char *dns = NULL;
    struct peer_rule rule = {.issuer = root_path};
    assert_done(peer_set_new(&rule, 1, &set, &why), why);
    BUFFER_CLEANUP struct buffer chain = BUFFER_INIT(8192);
    put_chain(&chain, SERVER, true, TLS_1_2, &proof);
    assert_done(peer_check(set, &proof, &dns, &why), why);
    proof.peer_spki_sha256[0] ^= 1;
    assert_refused(peer_check(set, &proof, &dns, &why), OUTCOME_RULE, why,
                   "its certificates cannot be read");
    proof.peer_spki_sha256[0] ^= 1;
    proof.peer_chain.len -= 1;
    assert_refused(peer_check(set, &proof, &dns, &why), OUTCOME_RULE, why,
                   "its certificates cannot be read");
    proof.peer_chain.len = 3;
    assert_refused(peer_check(set, &proof, &dns, &why), OUTCOME_RULE, why,
                   "its certificates cannot be read");
    static const uint8_t none[] = {0, 0, 2, 0x30, 0};
    proof.peer_chain = span_of(none, sizeof none);
    assert_refused(peer_check(set, &proof, &dns, &why), OUTCOME_RULE, why,
                   "its certificates are not DER");
    peer_set_free(set);
}

static void refused_rule(char *dns, char *issuer, char *spki, const char *reason)
{
    struct peer_set *set = NULL;
    struct reason why = {0};
    struct peer_rule rule = {.dns = dns, .issuer = issuer, .spki = spki};
    assert_refused(peer_set_new(&rule, 1, &set, &why), OUTCOME_RULE, why, reason);
    assert_null(set);
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_bad_rules(void **state)
{
    (void)state;
    char dns[] = "api.bank.example";
    char bad_dns[] = "api.*.example";
    char absent[128];
    char empty[128];
    char pin[64];
    pin_of(SERVER, pin);
    folder_path(&folder, "absent", absent);
    folder_path(&folder, "empty", empty);
    write_pem(empty, NULL, 0);
    refused_rule(NULL, NULL, NULL, "peers: \"issuer\" or \"spki\" is needed");
    refused_rule(dns, NULL, NULL, "peers: \"dns\" proves nothing without \"issuer\"");
    refused_rule(dns, NULL, pin, "peers: \"dns\" proves nothing without \"issuer\"");
    refused_rule(bad_dns, root_path, NULL, "peers: \"dns\" must be a DNS name");
    refused_rule(dns, absent, NULL, "cannot be read: No such file or directory");
    refused_rule(dns, empty, NULL, "holds no certificate");
    pin[42] = '\0';
    refused_rule(NULL, NULL, pin, "peers: \"spki\" must be the base64url of a SHA-256");
    memcpy(pin + 42, "=", 2);
    refused_rule(NULL, NULL, pin, "peers: \"spki\" must be the base64url of a SHA-256");
}

static void test_text(void **state)
{
    (void)state;
    struct tls_proof proof = {.has_peer = true};
    char text[PEER_TEXT_SIZE];
    peer_text(&proof, NULL, text);
    assert_string_equal(text, "spki=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    peer_text(&proof, "*.bank.example", text);
    assert_string_equal(text, "spki=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; "
                              "dns=*.bank.example");
    (void)snprintf(proof.server_name, sizeof proof.server_name, "api.bank.example");
    peer_text(&proof, NULL, text);
    assert_string_equal(text, "spki=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; "
                              "claimed-sni=api.bank.example");
    memset(proof.server_name, 'a', sizeof proof.server_name - 1);
    char dns[254] = {0};
    memset(dns, 'b', sizeof dns - 1);
    peer_text(&proof, dns, text);
    assert_int_equal(strlen(text), 5 + 43 + 6 + 253 + 14 + 255);
}

static int setup(void **state)
{
    (void)state;
    static const enum who both[] = {OTHER_ROOT, ROOT};
    static const enum who one[] = {ROOT, MIDDLE, OTHER_ROOT};
    make_all();
    folder = folder_make();
    folder_path(&folder, "root", root_path);
    folder_path(&folder, "middle", middle_path);
    folder_path(&folder, "other", other_path);
    folder_path(&folder, "both", both_path);
    write_pem(root_path, &one[0], 1);
    write_pem(middle_path, &one[1], 1);
    write_pem(other_path, &one[2], 1);
    write_pem(both_path, both, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(&folder);
    for (int i = 0; i < N_WHO; i++) {
        rig_identity_free(&made[i]);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_bad_rules),
        cmocka_unit_test(test_chains_that_cannot_be_read),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_shared_issuers),
        cmocka_unit_test(test_chain_over_a_limit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
