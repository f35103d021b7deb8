/* SPDX-License-Identifier: Apache-2.0
 * Issuer files, and the chains of strangers: what reading them may cost. Who is admitted is tested
 * with the rules, in test_pki_peer.c. */
#include "pki/peer_issuer.h"

#include "check.h"
#include "folder.h"
#include "hostile_certificate.h"
#include "tls_rig.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <malloc.h>
#include <time.h>

static struct rig_identity root;
static struct rig_identity server;
static struct folder folder;
static char path[128];

/* libcrypto's memory, counted. */
static size_t live;
static size_t peak;

static void *count_up(void *memory)
{
    live += malloc_usable_size(memory);
    peak = live > peak ? live : peak;
    return memory;
}

static void *count_malloc(size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return count_up(malloc(len));
}

static void count_free(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    live -= malloc_usable_size(memory);
    free(memory);
}

static void *count_realloc(void *memory, size_t len, const char *file, int line)
{
    (void)file, (void)line;
    live -= malloc_usable_size(memory);
    return count_up(realloc(memory, len));
}

static void put_entry(struct buffer *chain, const struct hostile *how)
{
    struct hostile with_key = *how;
    HOSTILE_BUFFER(der);
    unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(server.certificate), &spki);
    assert_true(len > 0);
    with_key.spki = span_of(spki, (size_t)len);
    hostile_put(&der, &with_key);
    buffer_put_u8(chain, (uint8_t)(der.len >> 16));
    buffer_put_u16(chain, (uint16_t)der.len);
    buffer_put_span(chain, buffer_span(&der));
    OPENSSL_free(spki);
}

struct cost {
    size_t memory;  /* bytes that libcrypto held at once */
    double seconds; /* of this thread */
};

static double now(void)
{
    struct timespec time;
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), 0);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Reads and judges; the reason of the one or the other. */
static const char *judge(const struct buffer *chain, X509_STORE *store, struct cost *cost)
{
    struct tls_proof proof = {.version = TLS_1_2, .has_peer = true};
    STACK_OF(X509) * read;
    size_t before = live;
    double start = now();
    peak = live;
    proof.peer_chain = buffer_span(chain);
    memcpy(proof.peer_spki_sha256, server.spki_sha256, 32);
    const char *fault = peer_issuer_read_chain(&proof, &read);
    assert_int_equal(fault != NULL, read == NULL);
    if (fault == NULL) {
        fault = peer_issuer_fault(store, read);
    }
    *cost = (struct cost){.memory = peak - before, .seconds = now() - start};
    sk_X509_pop_free(read, X509_free);
    assert_int_equal(ERR_peek_error(), 0);
    return fault != NULL ? fault : "";
}

/* Nothing that is over a limit reaches libcrypto. */
static void test_bombs(void **state)
{
    (void)state;
    static const struct {
        struct hostile how;
        const char *fault;
    } rows[] = {
        {{.issuer_len = 110000, .points = 5500}, "a certificate is longer than 16 KB"},
        {{.issuer_len = 1024, .points = 700}, "over 32 CRL distribution points"},
        {{.issuer_len = 14000, .points = 30}, "issuer or subject is longer than 1 KB"},
        {{.alt_names = 5000}, "over 256 names"},
    };
    X509_STORE *store = X509_STORE_new();
    for (size_t i = 0; i < COUNT_OF(rows) * 2; i++) {
        HOSTILE_BUFFER(chain);
        struct cost cost;
        const struct hostile first = {.points = 0};
        if (i % 2 == 1) {
            put_entry(&chain, &first);
        }
        put_entry(&chain, &rows[i / 2].how);
        assert_non_null(strstr(judge(&chain, store, &cost), rows[i / 2].fault));
        assert_int_equal(cost.memory, 0);
        assert_true(cost.seconds < 0.1);
    }
    X509_STORE_free(store);
}

/* The worst that is within the limits, 64 KB of it, beside an ordinary chain. */
static void test_worst(void **state)
{
    (void)state;
    static const struct hostile leaf = {
        .issuer_len = 1020, .subject_len = 1020, .points = 32, .alt_names = 256, .others = 50};
    static const struct hostile middle = {
        .issuer_len = 1020, .subject_len = 1020, .subtrees = 128, .filling = 10000};
    static const struct hostile ordinary = {.points = 1, .alt_names = 4, .others = 6};
    X509_STORE *store = X509_STORE_new();
    HOSTILE_BUFFER(bad);
    HOSTILE_BUFFER(good);
    struct cost worst;
    struct cost usual;
    put_entry(&bad, &leaf);
    for (int i = 0; i < 4; i++) {
        put_entry(&bad, &middle);
        put_entry(&good, &ordinary);
    }
    (void)judge(&good, store, &usual); /* what libcrypto makes once */
    (void)judge(&good, store, &usual);
    const char *fault = judge(&bad, store, &worst);
    assert_non_null(strstr(fault, "self-signed"));
    print_message("usual %zu bytes %.6f s, worst %zu bytes %.6f s\n", usual.memory, usual.seconds,
                  worst.memory, worst.seconds);
    assert_true(worst.memory < 4U * 1024 * 1024);
    assert_true(worst.seconds < 100 * usual.seconds);
    X509_STORE_free(store);
}

static const char encrypted[] = "-----BEGIN CERTIFICATE-----\n"
                                "Proc-Type: 4,ENCRYPTED\n"
                                "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n"
                                "\n"
                                "AAAAAAAAAAAAAAAAAAAAAA==\n"
                                "-----END CERTIFICATE-----\n";
static const char no_base64[] = "-----BEGIN CERTIFICATE-----\n"
                                "!!!!\n"
                                "-----END CERTIFICATE-----\n";
static const char no_end[] = "-----BEGIN CERTIFICATE-----\n"
                             "AAAA\n";
static const char no_certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                     "AAAA\n"
                                     "-----END CERTIFICATE-----\n";
static const char another[] = "-----BEGIN PRIVATE KEY-----\n"
                              "AAAA\n"
                              "-----END PRIVATE KEY-----\n";

static enum outcome load(const char *before, bool with_root, const char *behind, struct reason *why)
{
    X509_STORE *store;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(before, file) >= 0);
    if (with_root) {
        assert_int_equal(PEM_write_X509(file, root.certificate), 1);
    }
    assert_true(fputs(behind, file) >= 0);
    assert_int_equal(fclose(file), 0);
    enum outcome outcome = peer_issuer_load(path, &store, why);
    X509_STORE_free(store);
    assert_int_equal(ERR_peek_error(), 0);
    return outcome;
}

/* One that cannot be read is not passed over: it would be the one that a rule is about. */
static void test_files(void **state)
{
    (void)state;
    static const char *const bad[] = {encrypted, no_base64, no_end, no_certificate};
    struct reason why = {0};
    assert_done(load("", true, "", &why), why);
    assert_done(load("a comment\n", true, "\nanother\n", &why), why);
    assert_done(load(another, true, another, &why), why);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_refused(load("", false, bad[i], &why), OUTCOME_RULE, why,
                       "/issuers: certificate 1 cannot be read");
        assert_refused(load("", true, bad[i], &why), OUTCOME_RULE, why,
                       "/issuers: certificate 2 cannot be read");
    }
    assert_refused(load("", false, "", &why), OUTCOME_RULE, why, "/issuers holds no certificate");
    assert_refused(load(another, false, "", &why), OUTCOME_RULE, why, "holds no certificate");
    X509_STORE *store;
    folder_path(&folder, "absent", path);
    assert_refused(peer_issuer_load(path, &store, &why), OUTCOME_RULE, why,
                   "/absent cannot be read: No such file or directory");
    assert_null(store);
    folder_path(&folder, "issuers", path);
}

static int setup(void **state)
{
    (void)state;
    const struct rig_certificate ca = {.is_ca = true};
    const struct rig_certificate plain = {.san = "DNS:api.bank.example"};
    rig_identity_make(RIG_P256, &ca, &root);
    rig_identity_make(RIG_P256, &plain, &server);
    folder = folder_make();
    folder_path(&folder, "issuers", path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(&folder);
    rig_identity_free(&root);
    rig_identity_free(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_worst),
        cmocka_unit_test(test_files),
    };
    /* Before libcrypto has taken any. */
    if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1) {
        return 1;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
