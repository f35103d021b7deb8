/* SPDX-License-Identifier: Apache-2.0
 * A command of qsealctl audit, and what it says on stdout and stderr. */
#ifndef QSEAL_TESTS_UNIT_AUDIT_COMMAND_H
#define QSEAL_TESTS_UNIT_AUDIT_COMMAND_H

#include "base/pem.h"
#include "ctl/audit.h"
#include "made_log.h"

#include <fcntl.h>
#include <stdio.h>

enum { SAID_MAX = 4 * 1024 * 1024 };

struct said {
    enum exit_code code;
    struct buffer out;
    struct buffer err;
};

/* Text of what was said on stdout; the buffers live as long as the struct. */
#define OUT(said) buffer_text(&(said)->out)
#define ERR(said) buffer_text(&(said)->err)

static inline int said_redirect(FILE *stream, int fd, const char *path, int *kept)
{
    (void)fflush(stream);
    *kept = dup(fd);
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(*kept >= 0 && file >= 0 && dup2(file, fd) >= 0);
    (void)close(file);
    return fd;
}

static inline void said_restore(FILE *stream, int fd, int kept, const char *path,
                                struct buffer *out)
{
    (void)fflush(stream);
    assert_true(dup2(kept, fd) >= 0);
    (void)close(kept);
    *out = BUFFER_INIT(SAID_MAX);
    assert_int_equal(file_read(path, out), 0);
}

static inline struct said said_by(enum exit_code (*run)(const struct command_line *line),
                                  const struct command_line *line)
{
    struct said said = {.code = EXIT_DONE};
    struct folder folder = folder_make();
    char out[128];
    char err[128];
    int kept_out;
    int kept_err;
    folder_path(&folder, "out", out);
    folder_path(&folder, "err", err);
    (void)said_redirect(stdout, STDOUT_FILENO, out, &kept_out);
    (void)said_redirect(stderr, STDERR_FILENO, err, &kept_err);
    said.code = run(line);
    said_restore(stdout, STDOUT_FILENO, kept_out, out, &said.out);
    said_restore(stderr, STDERR_FILENO, kept_err, err, &said.err);
    folder_remove(&folder);
    return said;
}

static inline void said_free(struct said *said)
{
    buffer_fini(&said->out);
    buffer_fini(&said->err);
}

/* Frees what was said. */
static inline void assert_said(struct said said, enum exit_code code, const char *out,
                               const char *err)
{
    if (said.code != code || strstr(OUT(&said), out) == NULL || strstr(ERR(&said), err) == NULL) {
        print_error("exit status %d\n--- stdout\n%s--- stderr\n%s", (int)said.code, OUT(&said),
                    ERR(&said));
    }
    assert_int_equal(said.code, code);
    assert_non_null(strstr(OUT(&said), out));
    assert_non_null(strstr(ERR(&said), err));
    said_free(&said);
}

/* The log's key as a file. */
static inline void audit_log_write_key(const struct audit_log *log, const struct folder *folder,
                                       char path[128])
{
    BUFFER_CLEANUP struct buffer pem = BUFFER_INIT(2000);
    pem_put(&pem, "PUBLIC KEY", public_key_spki(log->key));
    folder_path(folder, "key.pem", path);
    assert_int_equal(file_replace(path, buffer_span(&pem), 0600), 0);
}

#endif
