/* SPDX-License-Identifier: Apache-2.0
 * Older generations of the keyring's file, as PATH.N beside it. */
#include "keyring/store.h"

#include "base/file.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MODE = 0640 };

/* Calls `use` for each generation that is beside `path`. */
static void each_kept(const char *path, void (*use)(const char *file, uint64_t n, void *context),
                      void *context)
{
    char pattern[PATH_MAX];
    glob_t found = {0};
    if (snprintf(pattern, sizeof pattern, "%s.*", path) >= (int)sizeof pattern ||
        glob(pattern, GLOB_NOSORT, NULL, &found) != 0) {
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *number = found.gl_pathv[i] + strlen(path) + 1;
        size_t digits = strspn(number, "0123456789");
        if (digits > 0 && digits < 20 && number[digits] == '\0') {
            use(found.gl_pathv[i], strtoull(number, NULL, 10), context);
        }
    }
    globfree(&found);
}

struct oldest_kept {
    uint64_t number;
};

static void drop_older(const char *file, uint64_t n, void *context)
{
    const struct oldest_kept *oldest = context;
    if (n < oldest->number) {
        (void)unlink(file); /* tried again with the next generation */
    }
}

int kept_put(const char *path, uint64_t generation)
{
    char kept[PATH_MAX];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(KEYRING_FILE_MAX);
    if (file_read(path, &text) != 0) {
        if (errno != ENOENT) {
            return -1;
        }
        buffer_put_format(&text, "{\"format\":%d,\"generation\":%llu,\"keys\":[]}\n", FORMAT,
                          (unsigned long long)generation);
    }
    if (snprintf(kept, sizeof kept, "%s.%llu", path, (unsigned long long)generation) >=
        (int)sizeof kept) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (file_replace(kept, buffer_span(&text), FILE_MODE) != 0) {
        return -1;
    }
    struct oldest_kept oldest = {generation + 1 > KEYRING_KEPT ? generation + 1 - KEYRING_KEPT : 0};
    each_kept(path, drop_older, &oldest);
    return 0;
}

struct newest_kept {
    bool any;
    uint64_t number;
};

static void note_newest(const char *file, uint64_t n, void *context)
{
    (void)file;
    struct newest_kept *newest = context;
    newest->number = !newest->any || n > newest->number ? n : newest->number;
    newest->any = true;
}

bool kept_newest(const char *path, uint64_t *generation)
{
    struct newest_kept newest = {0};
    int kept = errno;
    each_kept(path, note_newest, &newest);
    errno = kept;
    *generation = newest.number;
    return newest.any;
}
