/* SPDX-License-Identifier: Apache-2.0
 * qseal.so inside Node, which brings an OpenSSL of its own: both TLS versions, every kind of key,
 * with and without the tap, and a refusal with its reason. */
#include "provider_rig.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig *rig;

static int setup(void **state)
{
    (void)state;
    rig = rig_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const names[] = {"c.crt", "c.key", "s.crt", "s.key"};
    for (int i = 0; i < 4; i++) {
        char path[108];
        (void)snprintf(path, sizeof(path), "%s/%s", rig->folder, names[i]);
        (void)unlink(path);
    }
    rig_close(rig);
    return 0;
}

static FILE *create(const char *name, char path[108])
{
    (void)snprintf(path, 108, "%s/%s", rig->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static void write_config(bool tap)
{
    FILE *file = fopen(rig->config, "w");
    assert_non_null(file);
    (void)fprintf(file,
                  "openssl_conf = init\nnodejs_conf = init\n[init]\nproviders = prov\n%s[alg]\n"
                  "default_properties = ?qseal.tap=yes\n[prov]\ndefault = d\nqseal = q\n[d]\n"
                  "activate = 1\n[q]\nmodule = %s\nactivate = 1\ntranscript = %d\n",
                  tap ? "alg_section = alg\n" : "", QSEAL_MODULE, tap ? 1 : 0);
    assert_int_equal(fclose(file), 0);
}

/* Runs the script with a key of this kind; what it prints, and its exit code. */
static int run_node(enum rig_key key, char *out, size_t size)
{
    char paths[4][108];
    char *pem = rig_reference(rig, key, rig->socket);
    FILE *file = create("c.crt", paths[0]);
    assert_int_equal(PEM_write_X509(file, rig->certificates[key]), 1);
    assert_int_equal(fclose(file), 0);
    file = create("c.key", paths[1]);
    assert_true(fputs(pem, file) >= 0);
    assert_int_equal(fclose(file), 0);
    file = create("s.crt", paths[2]);
    assert_int_equal(PEM_write_X509(file, rig->certificates[RIG_P256]), 1);
    assert_int_equal(fclose(file), 0);
    file = create("s.key", paths[3]);
    assert_int_equal(PEM_write_PrivateKey(file, rig->keys[RIG_P256], NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    free(pem);
    char command[1024];
    (void)snprintf(command, sizeof(command), "OPENSSL_CONF=%s timeout 60 node %s %s %s %s %s 2>&1",
                   rig->config, QSEAL_SCRIPT, paths[0], paths[1], paths[2], paths[3]);
    FILE *node = popen(command, "r");
    assert_non_null(node);
    size_t len = fread(out, 1, size - 1, node);
    out[len] = '\0';
    int status = pclose(node);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_handshakes(enum rig_key key)
{
    char out[4096];
    char want[128];
    (void)snprintf(want, sizeof(want), "TLSv1.3 CN=%s\nTLSv1.2 CN=%s\n", rig_role(key),
                   rig_role(key));
    int code = run_node(key, out, sizeof(out));
    assert_string_equal(out, want);
    assert_int_equal(code, 0);
}

static void every_key_shakes_hands_in_node(void **state)
{
    (void)state;
    write_config(false);
    for (unsigned int i = 0; i < RIG_KEYS; i++) {
        expect_handshakes((enum rig_key)i);
    }
}

static void with_the_tap_node_shows_its_transcripts(void **state)
{
    (void)state;
    unsigned int before = rig->transcripts;
    write_config(true);
    expect_handshakes(RIG_P256);
    expect_handshakes(RIG_RSA);
    assert_int_equal(rig->transcripts - before, 2);
}

static void a_refusal_is_read_in_node(void **state)
{
    (void)state;
    char out[4096];
    write_config(false);
    rig->manner = RIG_FORBIDS;
    assert_int_equal(run_node(RIG_P256, out, sizeof(out)), 1);
    rig->manner = RIG_SIGNS;
    assert_non_null(strstr(out, "transport key not granted to this user"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_shakes_hands_in_node),
        cmocka_unit_test(with_the_tap_node_shows_its_transcripts),
        cmocka_unit_test(a_refusal_is_read_in_node),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
