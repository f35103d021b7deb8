/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"
#include "keyring/store.h"
#include "keyring_support.h"

#include <sys/stat.h>

static const uint32_t es256 = 1U << ALG_ES256;

static void a_missing_file_is_an_empty_keyring(void **state)
{
    (void)state;
    struct keyring *keyring = empty_keyring();
    assert_int_equal(keyring->generation, 0);
    assert_int_equal(keyring->n_keys, 0);
    keyring_free(keyring);
}

static void expect_same(const struct key *a, const struct key *b)
{
    assert_string_equal(a->role, b->role);
    assert_string_equal(a->token, b->token);
    assert_int_equal(a->purpose, b->purpose);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->algs, b->algs);
    assert_memory_equal(a->key_id, b->key_id, KEYRING_ID_LEN);
    assert_int_equal(a->created, b->created);
    assert_int_equal(a->created_by, b->created_by);
    assert_true(span_equal(public_key_spki(a->public_key), public_key_spki(b->public_key)));
    assert_int_equal(a->chain_pem == NULL, b->chain_pem == NULL);
    assert_true(a->chain_pem == NULL || strcmp(a->chain_pem, b->chain_pem) == 0);
}

static void what_is_saved_is_loaded(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    folder_path(&folder, "keyring.json", path);
    struct keyring *keyring = empty_keyring();
    struct keyring *loaded = NULL;
    struct reason why = {0};
    add_key(&keyring, key_of("seal", "hsm-a", 0xA5, 1U << ALG_RS256 | 1U << ALG_PS256,
                             new_public_key(KEY_RSA_2048)));
    add_key(&keyring, key_of("seal-ec", "hsm-a", 0, es256, new_public_key(KEY_P256)));
    add_key(&keyring, key_of("ed", "hsm-b", 2, 1U << ALG_ED25519, new_public_key(KEY_ED25519)));
    struct key transport =
        key_of("tls", "hsm-b", 3, 1U << ALG_ES256 | 1U << ALG_ES384, new_public_key(KEY_P384));
    transport.purpose = PURPOSE_TRANSPORT;
    transport.chain_pem = strdup("-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n");
    add_key(&keyring, transport);
    keyring->keys[2].created_by = UINT32_MAX;
    keyring->keys[2].history[0].by = UINT32_MAX;
    mode_t old = umask(0);
    assert_done(keyring_save(keyring, path, &why), why);
    (void)umask(old);
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0640);
    assert_done(keyring_load(path, &loaded, &why), why);
    assert_int_equal(loaded->generation, 4);
    assert_int_equal(loaded->n_keys, 4);
    for (size_t i = 0; i < 4; i++) {
        expect_same(&loaded->keys[i], &keyring->keys[i]);
    }
    keyring_free(loaded);
    keyring_free(keyring);
    folder_remove(&folder);
}

/* More values than a body may have: 1,000 keys of a public key each their own would take long to
 * make, so they share one on tokens of their own. */
static void a_thousand_keys_are_saved_and_loaded(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    folder_path(&folder, "keyring.json", path);
    struct keyring *keyring = calloc(1, sizeof *keyring);
    struct public_key *shared = new_public_key(KEY_P256);
    struct reason why = {0};
    for (size_t i = 0; i < 1000; i++) {
        char token[16];
        (void)snprintf(token, sizeof token, "hsm-%zu", i);
        struct key key = key_of("seal", token, 1, es256, public_key_ref(shared));
        assert_done(keyring_append(keyring, &key, &why), why);
    }
    struct keyring *loaded = NULL;
    assert_done(keyring_save(keyring, path, &why), why);
    assert_done(keyring_load(path, &loaded, &why), why);
    assert_int_equal(loaded->n_keys, 1000);
    public_key_free(shared);
    keyring_free(loaded);
    keyring_free(keyring);
    folder_remove(&folder);
}

static void a_save_that_fails_says_why(void **state)
{
    (void)state;
    struct keyring *keyring = empty_keyring();
    struct reason why = {0};
    assert_refused(keyring_save(keyring, "/nonexistent/keyring.json", &why), OUTCOME_RULE, why,
                   "/nonexistent/keyring.json: No such file or directory");
    keyring_free(keyring);
}

static void expect_refused(const char *text, const char *fragment)
{
    struct folder folder = folder_make();
    char path[128];
    char full[400];
    folder_path(&folder, "k", path);
    assert_int_equal(file_replace(path, span_of_text(text), 0600), 0);
    struct keyring *keyring = NULL;
    struct reason why = {0};
    (void)snprintf(full, sizeof full, "%s: %s", path, fragment);
    assert_refused(keyring_load(path, &keyring, &why), OUTCOME_RULE, why, full);
    assert_null(keyring);
    folder_remove(&folder);
}

static void the_frame_is_strict(void **state)
{
    (void)state;
    expect_refused("", "line 1, column 1: the body must be one JSON object");
    expect_refused("{\"format\":1,\"generation\":0,\"keys\":[", "line 1, column 35: ");
    expect_refused("{}", "\"format\" must be 1 or 2");
    expect_refused("{\"format\":3,\"generation\":0,\"keys\":[]}", "\"format\" must be 1 or 2");
    expect_refused("{\"format\":\"1\",\"generation\":0,\"keys\":[]}", "\"format\" must be 1 or 2");
    expect_refused("{\"format\":1,\"keys\":[]}", "\"generation\" must be an integer");
    expect_refused("{\"format\":1,\"generation\":-1,\"keys\":[]}", "\"generation\" must be");
    expect_refused("{\"format\":1,\"generation\":1.0,\"keys\":[]}", "\"generation\" must be");
    expect_refused("{\"format\":1,\"generation\":0}", "\"keys\" must be an array");
    expect_refused("{\"format\":1,\"generation\":0,\"keys\":{}}", "\"keys\" must be an array");
    expect_refused("{\"format\":1,\"generation\":0,\"keys\":[],\"x\":1}",
                   "\"keys\" must be an array");
    expect_refused("{\"format\":1,\"generation\":0,\"keys\":[1]}", "keys[0]: must be an object");
    expect_refused("{\"format\":1,\"keys\":[1],\"generation\":0}",
                   "\"format\" and \"generation\" stand in front of \"keys\"");
    expect_refused("{\"keys\":[1],\"format\":1,\"generation\":0}",
                   "\"format\" and \"generation\" stand in front of \"keys\"");
    expect_refused("{\"format\":3,\"generation\":0,\"keys\":[1]}", "\"format\" must be 1 or 2");
    expect_refused("{\"format\":1,\"x\":0,\"keys\":[1]}", "\"generation\" must be an integer");
    expect_refused("{\"format\":1,\"format\":1,\"generation\":0,\"keys\":[]}",
                   "line 1, column 20: a member of this name is already there");
}

/* The rules of adding hold for what a file says, too. */
static void duplicates_in_the_file_are_refused(void **state)
{
    (void)state;
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(10000);
    struct key key = key_of("seal", "hsm-a", 1, es256, new_public_key(KEY_P256));
    buffer_put_text(&text, "{\"format\":2,\"generation\":2,\"keys\":[");
    key_put(&key, &text);
    buffer_put_text(&text, ",");
    memcpy(key.role, "other", sizeof "other");
    key_put(&key, &text);
    buffer_put_text(&text, "]}");
    expect_refused(buffer_text(&text),
                   "keys[1]: role other: its public key already belongs to role seal");
    key_fini(&key);
}

static void a_folder_is_no_keyring(void **state)
{
    (void)state;
    struct keyring *keyring = NULL;
    struct reason why = {0};
    assert_refused(keyring_load("/", &keyring, &why), OUTCOME_RULE, why, "/: Is a directory");
    assert_null(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_file_is_an_empty_keyring),
        cmocka_unit_test(what_is_saved_is_loaded),
        cmocka_unit_test(a_thousand_keys_are_saved_and_loaded),
        cmocka_unit_test(a_save_that_fails_says_why),
        cmocka_unit_test(the_frame_is_strict),
        cmocka_unit_test(duplicates_in_the_file_are_refused),
        cmocka_unit_test(a_folder_is_no_keyring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
