/* SPDX-License-Identifier: Apache-2.0
 * Which segments of the audit log a folder has. */
#include "audit/listing.h"

#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *audit_segment_name(uint64_t number, char out[SEGMENT_NAME_SIZE])
{
    segment_name(number, AUDIT_SEGMENT_ENDING, out);
    return out;
}

/* Whether a file of this name is meant to be a segment. */
static bool is_meant(const char *name)
{
    static const char before[] = "audit-";
    static const char behind[] = AUDIT_SEGMENT_ENDING;
    size_t len = strlen(name);
    return len >= sizeof before - 1 + sizeof behind - 1 &&
           strncmp(name, before, sizeof before - 1) == 0 &&
           strcmp(name + len - (sizeof behind - 1), behind) == 0;
}

/* A stream of its own: what fdopendir(3) is given stands where it was read to. */
static DIR *open_list(int folder_fd)
{
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (list == NULL) {
        fd_close(&fd);
    }
    return list;
}

static void take_name(struct audit_listing *listing, int folder_fd, const char *name)
{
    uint64_t number;
    struct stat status;
    if (!is_meant(name)) {
        return;
    }
    if (!segment_name_read(name, &number)) {
        (void)snprintf(listing->odd, sizeof listing->odd, "%.60s", name);
        return;
    }
    listing->count++;
    listing->bytes += fstatat(folder_fd, name, &status, 0) == 0 ? (uint64_t)status.st_size : 0;
    listing->first = listing->first == 0 || number < listing->first ? number : listing->first;
    listing->last = number > listing->last ? number : listing->last;
}

int audit_listing_read(int folder_fd, struct audit_listing *out)
{
    *out = (struct audit_listing){0};
    DIR *list = open_list(folder_fd);
    if (list == NULL) {
        return -1;
    }
    const struct dirent *entry;
    for (errno = 0; (entry = readdir(list)) != NULL; errno = 0) {
        take_name(out, folder_fd, entry->d_name);
    }
    int fault = errno;
    (void)closedir(list);
    errno = fault;
    return fault == 0 ? 0 : -1;
}

uint64_t audit_listing_after(int folder_fd, uint64_t number)
{
    uint64_t next = 0;
    DIR *list = open_list(folder_fd);
    for (struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL;
         entry = readdir(list)) {
        uint64_t found;
        if (segment_name_read(entry->d_name, &found) && found > number &&
            (next == 0 || found < next)) {
            next = found;
        }
    }
    if (list != NULL) {
        (void)closedir(list);
    }
    return next;
}
