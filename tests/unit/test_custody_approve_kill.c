/* SPDX-License-Identifier: Apache-2.0
 * A SIGKILL before every system call of an approval: afterwards the change was made or was not, the
 * plan is there or is not, and it is never done a second time. */
#include "approval_support.h"
#include "kill_support.h"

#include "custody/plans.h"

#include <glob.h>
#include <sys/wait.h>

/* The process has no second thread from here on, which a fork would leave behind with its locks. */
static struct instance *single_threaded_instance(void)
{
    struct instance *instance = approval_instance();
    watch_stop(instance->watch);
    return instance;
}

/* True when the child got to the end. */
static bool approve_and_die(struct instance *instance, const char *digest, int after)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct reason why = {0};
        json_t *json = NULL;
        calls_left = after;
        _exit(ask_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, &json, &why) == OUTCOME_OK ? 0
                                                                                             : 1);
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

static unsigned int count_published(struct instance *instance, size_t index)
{
    struct view *view = NULL;
    const struct key *key = key_at(instance, &view, index);
    unsigned int n = 0;
    for (size_t i = 0; i < key->n_history; i++) {
        n += key->history[i].state == KEY_PUBLISHED;
    }
    view_unref(view);
    return n;
}

struct tally {
    unsigned int undone, left, dropped; /* the change; done, and then the plan */
};

/* What a person does who does not know how far it came: approve again. */
static void approve_again(struct instance *instance, const char *digest, struct tally *tally)
{
    struct reason why = {0};
    JSON_CLEANUP json_t *json = NULL;
    bool was_done = count_published(instance, 2) == 1;
    bool was_left = count_plans(instance) == 1;
    enum outcome outcome = ask_as(instance, BERT, CUSTODY_KEY_APPROVE, digest, &json, &why);
    if (!was_done) {
        tally->undone++;
        assert_true(was_left);
        assert_done(outcome, why);
    } else if (was_left) {
        tally->left++;
        assert_refused(outcome, OUTCOME_RULE, why, "what the plan would do has changed since: ");
    } else {
        tally->dropped++;
        assert_refused(outcome, OUTCOME_NOT_FOUND, why, "there is no plan of this digest");
    }
}

/* What the killed one was writing: the next writer of the same file would take its place. */
static void remove_unfinished(const struct instance *instance)
{
    char pattern[128];
    glob_t found = {0};
    (void)snprintf(pattern, sizeof pattern, "%s/*.new", instance->folder);
    (void)glob(pattern, GLOB_NOSORT, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        assert_int_equal(unlink(found.gl_pathv[i]), 0);
    }
    globfree(&found);
}

static void a_kill_never_lets_a_plan_be_done_twice(void **state)
{
    (void)state;
    struct tally tally = {0};
    bool done = false;
    for (int after = 0; !done; after++) {
        char digest[100];
        struct instance *instance = single_threaded_instance();
        (void)planned(instance, CUSTODY_KEY_PUBLISH, "{\"key\":\"seal-ec\"}", digest);
        done = approve_and_die(instance, digest, after);
        json_decref(do_verb(instance, CUSTODY_RELOAD, "{}"));
        approve_again(instance, digest, &tally);
        assert_int_equal(count_published(instance, 2), 1);
        assert_int_equal(count_published(instance, 3), 1);
        remove_unfinished(instance);
        transport_instance_free(instance);
    }
    assert_true(tally.undone > 0);
    assert_true(tally.left > 0);
    assert_true(tally.dropped > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_never_lets_a_plan_be_done_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
