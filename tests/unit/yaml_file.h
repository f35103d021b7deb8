/* SPDX-License-Identifier: Apache-2.0
 * A YAML file for a test: written to a temporary folder, removed at the end of its scope. */
#ifndef QSEAL_TESTS_YAML_FILE_H
#define QSEAL_TESTS_YAML_FILE_H

#include "base/attributes.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct yaml_file {
    char path[128];
};

static inline struct yaml_file yaml_file_write(const char *text, size_t len)
{
    struct yaml_file file;
    const char *folder = getenv("TMPDIR");
    (void)snprintf(file.path, sizeof file.path, "%.90s/qseal-test-XXXXXX",
                   folder != NULL ? folder : P_tmpdir);
    int fd = mkstemp(file.path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    assert_int_equal(close(fd), 0);
    return file;
}

static inline void yaml_file_remove(struct yaml_file *file)
{
    (void)unlink(file->path);
}

#define YAML_FILE_CLEANUP CLEANUP(yaml_file_remove)

/* The reason is "PATH" and then exactly this: ":LINE: …", or ": …". */
static inline void assert_reason(const char *detail, const struct yaml_file *file,
                                 const char *expected)
{
    char whole[1024];
    (void)snprintf(whole, sizeof whole, "%s%s", file->path, expected);
    assert_string_equal(detail, whole);
}

#endif
