/* SPDX-License-Identifier: Apache-2.0
 * Many at once: threads, children, and children of a process with threads. Each signature is
 * verified by the handshake it is made for, so that nobody can have got another's unseen. */
#include "provider_rig.h"

#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, SHAKES = 40, CHILDREN = 4, CHILD_SHAKES = 30, FORKS = 24, PATIENCE_S = 60 };

static struct rig *rig;
static OSSL_LIB_CTX *context;
static EVP_PKEY *keys[RIG_KEYS];

static int setup(void **state)
{
    (void)state;
    rig = rig_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(rig);
    return 0;
}

static void begin(const char *lines, const char *properties)
{
    context = rig_context(rig, NULL, lines, properties);
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        char *pem = rig_reference(rig, (enum rig_key)i, rig->socket);
        keys[i] = rig_load(context, pem);
        assert_non_null(keys[i]);
        free(pem);
    }
}

static void end(void)
{
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        EVP_PKEY_free(keys[i]);
    }
    OSSL_LIB_CTX_free(context);
}

/* Handshakes of changing kinds; how many failed. */
static unsigned int shake_often(unsigned int count, unsigned int from)
{
    static const enum rig_key kinds[] = {RIG_P256, RIG_ED25519, RIG_P384, RIG_RSA};
    unsigned int failures = 0;
    for (unsigned int i = from; i < from + count; i++) {
        enum rig_key kind = kinds[i % 4];
        struct rig_shake how = {.version = i % 3 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION};
        failures += rig_shake(rig, context, kind, keys[kind], &how) ? 0 : 1;
    }
    return failures;
}

static void *shake_in_thread(void *failures)
{
    static atomic_uint turn;
    *(unsigned int *)failures = shake_often(SHAKES, turn++);
    OPENSSL_thread_stop();
    return NULL;
}

static void start_threads(pthread_t threads[THREADS], unsigned int failures[THREADS])
{
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, shake_in_thread, &failures[i]), 0);
    }
}

static void join_threads(const pthread_t threads[THREADS], const unsigned int failures[THREADS])
{
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(failures[i], 0);
    }
}

static pid_t fork_to_shake(unsigned int count, unsigned int from)
{
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(PATIENCE_S);
        _exit(shake_often(count, from) == 0 ? 0 : 1);
    }
    assert_true(child > 0);
    return child;
}

static void expect_good_end(pid_t child)
{
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void crowd(const char *lines, const char *properties)
{
    pthread_t threads[THREADS];
    unsigned int failures[THREADS];
    pid_t children[CHILDREN];
    begin(lines, properties);
    start_threads(threads, failures);
    join_threads(threads, failures);
    for (unsigned int i = 0; i < CHILDREN; i++) {
        children[i] = fork_to_shake(CHILD_SHAKES, i);
    }
    assert_int_equal(shake_often(CHILD_SHAKES, 0), 0);
    for (unsigned int i = 0; i < CHILDREN; i++) {
        expect_good_end(children[i]);
    }
    end();
}

static void threads_and_children_get_their_own(void **state)
{
    (void)state;
    crowd("", NULL);
}

static void so_they_do_with_the_tap(void **state)
{
    (void)state;
    unsigned int before = rig->transcripts;
    crowd("transcript = 1\n", "?qseal.tap=yes");
    assert_in_range(rig->transcripts - before, THREADS * SHAKES / 2, 2 * THREADS * SHAKES);
}

/* Nothing but the signature itself: libcrypto's own locks may be torn by such a fork. */
static void sign_in_child(EVP_MD_CTX *signing, int out, unsigned char content)
{
    unsigned char signature[512];
    size_t len = sizeof(signature);
    (void)alarm(PATIENCE_S);
    bool good = EVP_DigestSign(signing, signature, &len, &content, 1) == 1 &&
                write(out, signature, len) == (ssize_t)len;
    _exit(good ? 0 : 1);
}

static void expect_signature(enum rig_key kind, int in, unsigned char content)
{
    unsigned char signature[512];
    ssize_t len = read(in, signature, sizeof(signature));
    EVP_MD_CTX *verifying = EVP_MD_CTX_new();
    assert_true(len > 0);
    assert_int_equal(EVP_DigestVerifyInit_ex(verifying, NULL, kind == RIG_ED25519 ? NULL : "SHA256",
                                             rig->plain, NULL, rig->keys[kind], NULL),
                     1);
    assert_int_equal(EVP_DigestVerify(verifying, signature, (size_t)len, &content, 1), 1);
    EVP_MD_CTX_free(verifying);
}

static void children_of_a_threaded_process_are_served(void **state)
{
    (void)state;
    static const enum rig_key kinds[] = {RIG_P256, RIG_ED25519, RIG_RSA};
    pthread_t threads[THREADS];
    unsigned int failures[THREADS];
    begin("transcript = 1\n", "?qseal.tap=yes");
    start_threads(threads, failures);
    for (unsigned int i = 0; i < FORKS; i++) {
        int ends[2];
        enum rig_key kind = kinds[i % 3];
        EVP_MD_CTX *signing = EVP_MD_CTX_new();
        assert_int_equal(
            EVP_DigestSignInit_ex(signing, NULL, NULL, context, NULL, keys[kind], NULL), 1);
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            sign_in_child(signing, ends[1], (unsigned char)i);
        }
        assert_true(child > 0);
        (void)close(ends[1]);
        expect_signature(kind, ends[0], (unsigned char)i);
        expect_good_end(child);
        (void)close(ends[0]);
        EVP_MD_CTX_free(signing);
    }
    join_threads(threads, failures);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_children_get_their_own),
        cmocka_unit_test(so_they_do_with_the_tap),
        cmocka_unit_test(children_of_a_threaded_process_are_served),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
