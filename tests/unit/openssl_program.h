/* SPDX-License-Identifier: Apache-2.0
 * What openssl(1) says. */
#ifndef QSEAL_TESTS_UNIT_OPENSSL_PROGRAM_H
#define QSEAL_TESTS_UNIT_OPENSSL_PROGRAM_H

#include "base/file.h"
#include "check.h"
#include "folder.h"

#include <sys/wait.h>
#include <unistd.h>

/* Runs it with these words, of which the first is "openssl"; what it writes to stdout and stderr.
 * Returns its exit code. */
static inline int openssl_run(const char *const words[], char *text, size_t size)
{
    int said[2];
    int status = 0;
    assert_int_equal(pipe(said), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(said[1], STDOUT_FILENO);
        (void)dup2(said[1], STDERR_FILENO);
        execv(QSEAL_OPENSSL, (char *const *)(uintptr_t)words);
        _exit(127);
    }
    size_t len = 0;
    (void)close(said[1]);
    while (len + 1 < size) {
        ssize_t got = read(said[0], text + len, size - 1 - len);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    text[len] = '\0';
    (void)close(said[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* `openssl req` with these words and a file of this text: what it writes to stdout and stderr. */
static inline void openssl_req(struct buffer *pem, const char *const words[], char *text,
                               size_t size)
{
    struct folder folder = folder_make();
    char path[128];
    const char *arguments[16] = {"openssl", "req", "-in", path};
    for (size_t i = 0; words[i] != NULL; i++) {
        assert_true(4 + i + 1 < sizeof arguments / sizeof arguments[0]);
        arguments[4 + i] = words[i];
    }
    folder_path(&folder, "request.pem", path);
    assert_int_equal(file_replace(path, buffer_span(pem), 0600), 0);
    (void)openssl_run(arguments, text, size);
    folder_remove(&folder);
}

#endif
