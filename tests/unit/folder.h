/* SPDX-License-Identifier: Apache-2.0
 * A temporary folder for one test, removed with the plain files in it. */
#ifndef QSEAL_TESTS_UNIT_FOLDER_H
#define QSEAL_TESTS_UNIT_FOLDER_H

#include "check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct folder {
    char path[64];
};

static inline struct folder folder_make(void)
{
    struct folder folder = {.path = P_tmpdir "/qseal-unit-XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static inline void folder_path(const struct folder *folder, const char *name, char out[128])
{
    assert_true(snprintf(out, 128, "%s/%s", folder->path, name) < 128);
}

static inline size_t folder_count(const struct folder *folder)
{
    size_t count = 0;
    DIR *dir = opendir(folder->path);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    (void)closedir(dir);
    return count;
}

static inline void folder_remove(const struct folder *folder)
{
    DIR *dir = opendir(folder->path);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
    assert_int_equal(rmdir(folder->path), 0);
}

#endif
