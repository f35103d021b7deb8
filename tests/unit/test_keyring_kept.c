/* SPDX-License-Identifier: Apache-2.0
 * Older generations beside the keyring's file, and a SIGKILL before every system call of a change:
 * the old keyring or the new one, never none. */
#include "folder.h"
#include "keyring/store.h"
#include "keyring_support.h"
#include "kill_support.h"

#include "base/file.h"

#include <fcntl.h>
#include <sys/wait.h>

static struct keyring *keyring_with(uint64_t generation)
{
    struct keyring *keyring = empty_keyring();
    for (uint8_t i = 1; i <= 2; i++) {
        char role[8];
        (void)snprintf(role, sizeof role, "r%u", i);
        add_key(&keyring, key_of(role, "hsm-a", i, 1U << ALG_ES256, new_public_key(KEY_P256)));
    }
    keyring->generation = generation;
    return keyring;
}

static void save(struct keyring *keyring, uint64_t generation, const char *path)
{
    struct reason why = {0};
    keyring->generation = generation;
    assert_done(keyring_save(keyring, path, &why), why);
}

static void expect_generation(const char *path, uint64_t generation)
{
    struct keyring *loaded = NULL;
    struct reason why = {0};
    assert_done(keyring_load(path, &loaded, &why), why);
    assert_int_equal(loaded->generation, generation);
    assert_int_equal(loaded->n_keys, 2);
    keyring_free(loaded);
}

static void the_last_eight_are_kept(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    char kept[160];
    folder_path(&folder, "keyring.json", path);
    struct keyring *keyring = keyring_with(1);
    for (uint64_t i = 1; i <= 12; i++) {
        save(keyring, i, path);
    }
    assert_int_equal(folder_count(&folder), 1 + KEYRING_KEPT);
    expect_generation(path, 12);
    for (unsigned int i = 4; i <= 11; i++) {
        struct stat there;
        (void)snprintf(kept, sizeof kept, "%s.%u", path, i);
        expect_generation(kept, i);
        assert_int_equal(stat(kept, &there), 0);
        assert_int_equal(there.st_mode & 07777, 0640);
    }
    /* A file of somebody else that looks alike is left alone. */
    (void)snprintf(kept, sizeof kept, "%s.2old", path);
    assert_int_equal(file_replace(kept, span_of_text("x"), 0600), 0);
    save(keyring, 13, path);
    assert_int_equal(access(kept, F_OK), 0);
    keyring_free(keyring);
    folder_remove(&folder);
}

/* It names the file and what to do, and nothing is overwritten meanwhile. */
static void a_damaged_keyring_stops_with_what_to_do(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    char want[300];
    struct reason why = {0};
    struct keyring *loaded = NULL;
    folder_path(&folder, "keyring.json", path);
    struct keyring *keyring = keyring_with(1);
    assert_int_equal(file_replace(path, span_of_text("{"), 0600), 0);
    (void)snprintf(want, sizeof want, "%s: line 1", path);
    assert_refused(keyring_load(path, &loaded, &why), OUTCOME_RULE, why, want);
    assert_refused(keyring_load(path, &loaded, &why), OUTCOME_RULE, why,
                   "nothing was changed: keep the file, no older generation is beside it: restore "
                   "it from a backup, and start again");
    save(keyring, 6, path);
    save(keyring, 7, path);
    assert_int_equal(file_replace(path, span_of_text("{\"format\":2,\"gener"), 0600), 0);
    assert_refused(keyring_load(path, &loaded, &why), OUTCOME_RULE, why,
                   "copy the newest good one of .6 and before over it");
    /* A keyring that is missing beside older ones is not a new installation. */
    assert_int_equal(unlink(path), 0);
    assert_refused(
        keyring_load(path, &loaded, &why), OUTCOME_RULE, why,
        "No such file or directory; nothing was changed: keep the file, copy the newest");
    assert_null(loaded);
    keyring_free(keyring);
    folder_remove(&folder);
}

/* Whoever puts an old generation there brings back keys that are compromised by now. */
static void an_older_generation_is_not_taken_for_the_newest(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    char kept[140];
    struct reason why = {0};
    struct keyring *loaded = NULL;
    folder_path(&folder, "keyring.json", path);
    struct keyring *keyring = keyring_with(1);
    for (uint64_t i = 1; i <= 4; i++) {
        save(keyring, i, path);
    }
    (void)snprintf(kept, sizeof kept, "%s.2", path);
    assert_int_equal(rename(kept, path), 0);
    assert_refused(keyring_load(path, &loaded, &why), OUTCOME_RULE, why,
                   "generation 2 is older than .3 beside it (to go back on purpose, move the later "
                   "ones away)");
    assert_null(loaded);
    (void)snprintf(kept, sizeof kept, "%s.3", path);
    assert_int_equal(unlink(kept), 0);
    expect_generation(path, 2);
    keyring_free(keyring);
    folder_remove(&folder);
}

static void the_first_generation_leaves_a_trace(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    char kept[140];
    struct reason why = {0};
    struct keyring *loaded = NULL;
    folder_path(&folder, "keyring.json", path);
    struct keyring *keyring = keyring_with(1);
    save(keyring, 1, path);
    (void)snprintf(kept, sizeof kept, "%s.0", path);
    assert_done(keyring_load(kept, &loaded, &why), why);
    assert_int_equal(loaded->generation, 0);
    assert_int_equal(loaded->n_keys, 0);
    keyring_free(loaded);
    assert_int_equal(unlink(path), 0);
    assert_refused(keyring_load(path, &loaded, &why), OUTCOME_RULE, why, "No such file");
    keyring_free(keyring);
    folder_remove(&folder);
}

static void a_folder_that_cannot_be_synced_is_told_apart(void **state)
{
    (void)state;
    struct folder folder = folder_make();
    char path[128];
    struct reason why = {0};
    folder_path(&folder, "keyring.json", path);
    struct keyring *keyring = keyring_with(0);
    folders_fail = true;
    enum outcome outcome = keyring_save(keyring, path, &why);
    folders_fail = false;
    assert_refused(outcome, OUTCOME_INTERNAL, why,
                   "written, but its folder could not be synced: Input/output error");
    keyring_free(keyring);
    folder_remove(&folder);
}

/* True when the child got to the end of its change. */
static bool change_and_die(struct keyring *keyring, const char *path, int after)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct reason why = {0};
        calls_left = after;
        _exit(keyring_save(keyring, path, &why) == OUTCOME_OK ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return false;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return true;
}

static void a_kill_leaves_the_old_or_the_new_one(void **state)
{
    (void)state;
    bool done = false;
    int after = 0;
    unsigned int olds = 0;
    unsigned int news = 0;
    struct keyring *keyring = keyring_with(20);
    for (; !done; after++) {
        struct folder folder = folder_make();
        char path[128];
        folder_path(&folder, "keyring.json", path);
        for (uint64_t i = 11; i <= 20; i++) {
            save(keyring, i, path);
        }
        keyring->generation = 21;
        done = change_and_die(keyring, path, after);
        struct keyring *loaded = NULL;
        struct reason why = {0};
        assert_done(keyring_load(path, &loaded, &why), why);
        assert_int_equal(loaded->n_keys, 2);
        assert_true(loaded->generation == 20 || (loaded->generation == 21));
        assert_true(!done || loaded->generation == 21);
        olds += loaded->generation == 20;
        news += loaded->generation == 21;
        keyring_free(loaded);
        /* What was left behind is no obstacle to the next change. */
        save(keyring, 22, path);
        expect_generation(path, 22);
        folder_remove(&folder);
    }
    assert_true(olds > 8); /* the kept copy and the file: opened, written, synced, renamed */
    assert_true(news >= 2);
    keyring_free(keyring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_eight_are_kept),
        cmocka_unit_test(an_older_generation_is_not_taken_for_the_newest),
        cmocka_unit_test(the_first_generation_leaves_a_trace),
        cmocka_unit_test(a_folder_that_cannot_be_synced_is_told_apart),
        cmocka_unit_test(a_damaged_keyring_stops_with_what_to_do),
        cmocka_unit_test(a_kill_leaves_the_old_or_the_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
