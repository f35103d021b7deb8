/* SPDX-License-Identifier: Apache-2.0
 * What the disk asks for one record: bytes written over NULs, and fdatasync(2). A service that says
 * nothing before its record is durable cannot be quicker than this, but for what it does meanwhile.
 */
#include "crew.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_SIZE = 64 * 1024 * 1024, PIECE = 1024 * 1024 };

struct file {
    int fd;
    off_t at;
    size_t len; /* of one record */
    char *record;
};

static bool make(struct file *file, const char *path)
{
    static char zeros[PIECE];
    file->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = file->fd >= 0 && unlink(path) == 0;
    for (off_t at = 0; good && at < FILE_SIZE; at += PIECE) {
        good = pwrite(file->fd, zeros, PIECE, at) == PIECE;
    }
    return good && fsync(file->fd) == 0;
}

static void *work(void *argument)
{
    struct crew_member *member = argument;
    struct file *file = member->own;
    while (crew_works(member->crew)) {
        int64_t begun = meter_now_ns();
        if (pwrite(file->fd, file->record, file->len, file->at) != (ssize_t)file->len ||
            fdatasync(file->fd) != 0) {
            member->broken = true;
            return NULL;
        }
        crew_record(member, meter_now_ns() - begun);
        file->at += (off_t)file->len;
        if (file->at > FILE_SIZE - PIECE) {
            file->at = 0;
        }
    }
    return NULL;
}

static void usage(void)
{
    (void)fputs("usage: bench_sync --file NEW [--bytes 900] [--seconds 1] [--warm-up 0.2] "
                "[--name TEXT]\n",
                stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"file", 1, NULL, 'f'}, {"bytes", 1, NULL, 'b'}, CREW_OPTIONS, {0}};
    struct crew crew = CREW_DEFAULTS;
    struct file file = {.len = 900};
    const char *name = "append and fdatasync";
    const char *path = NULL;
    int option = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'f') {
            path = optarg;
        } else if (option == 'b') {
            file.len = strtoul(optarg, NULL, 10);
        } else if (!crew_option(&crew, option, optarg, &name)) {
            usage();
        }
    }
    if (path == NULL || file.len == 0 || file.len > PIECE) {
        usage();
    }
    file.record = malloc(file.len);
    if (file.record == NULL || !make(&file, path)) {
        perror(path);
        return EXIT_FAILURE;
    }
    memset(file.record, 'r', file.len);
    static struct crew_member member;
    member.own = &file;
    bool good = crew_run(&crew, name, work, &member, 1);
    free(file.record);
    (void)close(file.fd);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
