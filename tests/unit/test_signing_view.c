/* SPDX-License-Identifier: Apache-2.0
 * Views are what a request began with, whatever is put in their place meanwhile. */
#include "signing/view.h"

#include "base/file.h"
#include "check.h"
#include "instance.h"
#include "jose/sha256.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state)
{
    static struct instance instance;
    instance_init(&instance, "[\"*\"]", "[operator, custodian]");
    *state = &instance;
    return 0;
}

static int teardown(void **state)
{
    instance_fini(*state);
    return 0;
}

static void a_request_keeps_the_view_it_began_with(void **state)
{
    struct instance *instance = *state;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    struct view *before = view_cell_get(instance->views);
    instance_make_keys(instance);
    assert_done(instance_admin(instance, CUSTODY_RELOAD, "{}", &result, &why), why);
    struct view *after = view_cell_get(instance->views);
    assert_ptr_not_equal(before, after);
    assert_int_equal(before->keyring->n_keys, 0);
    assert_int_equal(before->policy->generation, 1);
    assert_string_equal(buffer_text(&before->jwks), "{\"keys\":[]}");
    assert_int_equal(after->keyring->n_keys, 3);
    assert_int_equal(after->policy->generation, 2);
    view_unref(before);
    view_unref(after);
}

static void a_new_key_changes_the_keyring_and_not_the_policy(void **state)
{
    struct instance *instance = *state;
    struct view *before = view_cell_get(instance->views);
    instance_make_keys(instance);
    struct view *after = view_cell_get(instance->views);
    assert_ptr_equal(before->policy, after->policy);
    assert_int_equal(after->keyring->generation, 3);
    view_unref(before);
    view_unref(after);
}

static void a_policy_that_cannot_be_read_is_refused_with_its_place(void **state)
{
    struct instance *instance = *state;
    struct policy *policy = NULL;
    struct reason why = {0};
    assert_refused(policy_load("/nowhere/qseal.yaml", 1, &policy, &why), OUTCOME_RULE, why,
                   "/nowhere/qseal.yaml");
    assert_null(policy);
    instance_configure(instance, "[nowhere]", "[operator]");
    assert_refused(policy_load(instance->config_path, 1, &policy, &why), OUTCOME_RULE, why,
                   "there is no profile nowhere");
    assert_null(policy);
}

/* Whoever edits it meanwhile: the digest is of what was read, which is read once. A pipe has no
 * second time. */
static void the_digest_is_of_the_octets_that_were_read(void **state)
{
    struct instance *instance = *state;
    struct policy *policy = NULL;
    struct reason why = {0};
    char path[160];
    char digest[SHA256_TEXT_SIZE];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(65536);
    instance_configure(instance, "[\"*\"]", "[operator]");
    assert_int_equal(file_read(instance->config_path, &text), 0);
    assert_true(sha256_text(buffer_span(&text), digest));
    (void)snprintf(path, sizeof path, "%s/pipe.yaml", instance->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        _exit(write(fd, text.data, text.len) == (ssize_t)text.len ? 0 : 1);
    }
    assert_done(policy_load(path, 1, &policy, &why), why);
    assert_string_equal(policy->digest, digest);
    int status = -1;
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);
    assert_int_equal(unlink(path), 0);
    policy_unref(policy);
}

static void nothing_is_freed_twice(void **state)
{
    (void)state;
    view_unref(NULL);
    policy_unref(NULL);
    view_cell_free(NULL);
}

static void peers_that_cannot_be_loaded_are_refused_with_their_role(void **state)
{
    struct instance *instance = *state;
    struct policy *policy = NULL;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer result = BUFFER_INIT(65536);
    instance->roles_more =
        "  - {name: bank, purpose: transport, certificate: optional, key: p-256, tokens: [hsm-a], "
        "peers: [{issuer: /nowhere/ca.pem}]}\n";
    instance_configure(instance, "[\"*\"]", "[operator, custodian]");
    assert_refused(policy_load(instance->config_path, 2, &policy, &why), OUTCOME_RULE, why,
                   "role bank: peers: /nowhere/ca.pem cannot be read");
    assert_non_null(strstr(why.detail, instance->config_path));
    assert_null(policy);
    /* A reload of it leaves what was there. */
    struct view *before = view_cell_get(instance->views);
    assert_refused(instance_admin(instance, CUSTODY_RELOAD, "{}", &result, &why), OUTCOME_RULE, why,
                   "cannot be read");
    struct view *after = view_cell_get(instance->views);
    assert_ptr_equal(before, after);
    view_unref(before);
    view_unref(after);
}

/* A key of a view of its own, in this state. */
static struct view *view_with(struct instance *instance, size_t index, enum purpose purpose,
                              enum key_state state)
{
    struct view *now = view_cell_get(instance->views);
    struct view *next = NULL;
    struct keyring *keyring = NULL;
    struct reason why = {0};
    assert_done(keyring_load(instance->keyring_path, &keyring, &why), why);
    assert_true(index < keyring->n_keys);
    (void)snprintf(keyring->keys[index].role, sizeof keyring->keys[index].role, "nobody-s");
    keyring->keys[index].purpose = purpose;
    keyring->keys[index].state = state;
    assert_done(view_new(policy_ref(now->policy), keyring, &next, &why), why);
    view_unref(now);
    return next;
}

static bool is_usable(const struct view *view, size_t index)
{
    bool found = false;
    for (size_t i = 0; i < view->n_usable; i++) {
        found = found || view->usable[i] == &view->keyring->keys[index];
        assert_true(i == 0 || view->usable[i] < view->usable[i - 1]); /* the newest first */
    }
    return found;
}

/* A seal key signs while it is active, a transport key also while it is retiring. */
static void what_may_sign_is_found_among_a_few(void **state)
{
    struct instance *instance = *state;
    instance_make_keys(instance);
    for (unsigned int i = 0; i < KEY_STATE_COUNT; i++) {
        for (size_t index = 0; index < 3; index++) {
            struct view *seal = view_with(instance, index, PURPOSE_SEAL, (enum key_state)i);
            assert_int_equal(is_usable(seal, index), i == KEY_ACTIVE);
            view_unref(seal);
            struct view *transport =
                view_with(instance, index, PURPOSE_TRANSPORT, (enum key_state)i);
            assert_int_equal(is_usable(transport, index), i == KEY_ACTIVE || i == KEY_RETIRING);
            view_unref(transport);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_keeps_the_view_it_began_with, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_key_changes_the_keyring_and_not_the_policy, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_policy_that_cannot_be_read_is_refused_with_its_place,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_digest_is_of_the_octets_that_were_read, setup,
                                        teardown),
        cmocka_unit_test(nothing_is_freed_twice),
        cmocka_unit_test_setup_teardown(peers_that_cannot_be_loaded_are_refused_with_their_role,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_may_sign_is_found_among_a_few, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
