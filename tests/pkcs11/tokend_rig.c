/* SPDX-License-Identifier: Apache-2.0
 * qseal-tokend as a process. */
#include "tokend_rig.h"

#include "base/attributes.h"
#include "base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, LOOK_MS = 10, ARGUMENTS_MAX = 8, LOG_MAX = 1 << 20, LISTEN_FD = 3 };

static void in_folder(const struct tokend_rig *rig, const char *name, char out[SOFTHSM_PATH_SIZE])
{
    (void)snprintf(out, SOFTHSM_PATH_SIZE, "%.100s/%s", rig->softhsm.folder, name);
}

void tokend_rig_make(struct tokend_rig *rig)
{
    *rig = (struct tokend_rig){.pid = 0};
    softhsm_make(&rig->softhsm);
    in_folder(rig, "qseal.yaml", rig->config);
    in_folder(rig, "t.sock", rig->socket);
    in_folder(rig, "stderr", rig->errors);
    rig->token = token_remote_new("test", rig->socket);
    assert_non_null(rig->token);
    const struct tokend_settings settings = tokend_rig_settings();
    tokend_rig_configure(rig, &settings);
}

void tokend_rig_remove(struct tokend_rig *rig)
{
    if (rig->pid != 0) {
        (void)tokend_rig_stop(rig);
    }
    token_remote_free(rig->token);
    softhsm_remove(&rig->softhsm);
}

struct tokend_settings tokend_rig_settings(void)
{
    return (struct tokend_settings){
        .qseald = geteuid(),
        .module = softhsm_shim(),
        .sessions = 4,
        .deadline_ms = 60000,
        .more = "",
    };
}

void tokend_rig_configure(struct tokend_rig *rig, const struct tokend_settings *settings)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(4096);
    buffer_put_format(
        &text,
        "users: {httpd: root, qseald: \"%u\"}\n"
        "callers: [{name: flow, uid: 1, profiles: [p]}]\n"
        "tokens:\n"
        "  - {name: test, module: \"%s\", uri: \"%s\", socket: \"%s\", state: \"%s\",\n"
        "     sessions: %u, deadline_ms: %u%s}\n"
        "roles:\n"
        "  - {name: seal, purpose: seal, key: p-256, algorithms: [ES256],\n"
        "     tokens: [test]}\n",
        settings->qseald, settings->module,
        settings->uri == NULL ? rig->softhsm.uri : settings->uri, rig->socket, rig->softhsm.state,
        settings->sessions, settings->deadline_ms, settings->more);
    assert_int_equal(file_replace(rig->config, buffer_span(&text), 0600), 0);
}

static void become(const struct tokend_rig *rig, const char *const *arguments, int listener)
{
    int errors = open(rig->errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)dup2(errors, STDERR_FILENO);
    (void)dup2(errors, STDOUT_FILENO);
    if (listener >= 0) {
        char pid[32];
        (void)snprintf(pid, sizeof pid, "%d", getpid());
        (void)setenv("LISTEN_PID", pid, 1);
        (void)setenv("LISTEN_FDS", "1", 1);
        if (listener == LISTEN_FD) {
            (void)fcntl(listener, F_SETFD, 0);
        } else {
            (void)dup2(listener, LISTEN_FD);
        }
    }
    char *argv[ARGUMENTS_MAX] = {(char *)(uintptr_t)QSEAL_TOKEND};
    for (int i = 1; arguments[i - 1] != NULL; i++) {
        argv[i] = (char *)(uintptr_t)arguments[i - 1];
    }
    (void)execv(QSEAL_TOKEND, argv);
    _exit(127);
}

static void spawn(struct tokend_rig *rig, const char *const *arguments, int listener)
{
    assert_int_equal(rig->pid, 0);
    rig->pid = fork();
    assert_true(rig->pid >= 0);
    if (rig->pid == 0) {
        become(rig, arguments, listener);
    }
}

void tokend_rig_start(struct tokend_rig *rig, int listener)
{
    const char *const arguments[] = {"--config", rig->config, "--token", "test", NULL};
    (void)unlink(rig->errors);
    spawn(rig, arguments, listener);
}

int tokend_rig_run(struct tokend_rig *rig, const char *const *arguments)
{
    (void)unlink(rig->errors);
    spawn(rig, arguments, -1);
    return tokend_rig_end(rig);
}

void tokend_rig_await(struct tokend_rig *rig, enum token_state state, struct token_status *out)
{
    struct reason why = {0};
    struct deadline deadline = deadline_in_ms(PATIENCE_MS);
    while (!deadline_passed(deadline)) {
        if (token_status(rig->token, deadline, out, &why) == OUTCOME_OK && out->state == state) {
            return;
        }
        (void)poll(NULL, 0, LOOK_MS);
    }
    fail_msg("tokend is not %s: %s; it says %s: %s", token_state_name(state), why.detail,
             token_state_name(out->state), out->detail);
}

int tokend_rig_end(struct tokend_rig *rig)
{
    struct deadline deadline = deadline_in_ms(3 * PATIENCE_MS);
    int status = 0;
    while (waitpid(rig->pid, &status, WNOHANG) == 0) {
        if (deadline_passed(deadline)) {
            fail_msg("tokend does not end");
        }
        (void)poll(NULL, 0, LOOK_MS);
    }
    rig->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int tokend_rig_stop(struct tokend_rig *rig)
{
    assert_int_equal(kill(rig->pid, SIGTERM), 0);
    return tokend_rig_end(rig);
}

bool tokend_rig_said(const struct tokend_rig *rig, const char *text)
{
    BUFFER_CLEANUP struct buffer log = BUFFER_INIT(LOG_MAX);
    assert_int_equal(file_read(rig->errors, &log), 0);
    return strstr(buffer_text(&log), text) != NULL;
}
