/* SPDX-License-Identifier: Apache-2.0
 * qseal-httpd: the callers' door. It has no keys, no JSON, no policy, no network and, once it runs,
 * no files: it turns HTTP requests into questions for qseald, and answers into HTTP. */
#include "roles/httpd/httpd.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "roles/common/program.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/resource.h>

enum { EXIT_FAULT = 1 };

static const char help[] = "usage: qseal-httpd --qseald PATH\n"
                           "\n"
                           "Serves the callers whom qseald hands over.\n"
                           "\n"
                           "  --qseald PATH  the unix socket of qseald's signing door\n"
                           "  --verbose      log more\n"
                           "  --help         this text\n"
                           "  --version      the version\n";

static const struct program program = {.name = "qseal-httpd", .help = help};

/* As many descriptors as the system allows. */
static bool raise_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return false;
    }
    files.rlim_cur = files.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &files) == 0;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        {"qseald", required_argument, NULL, 'q'},
        {"verbose", no_argument, NULL, 'v'},
        PROGRAM_OPTIONS,
    };
    struct httpd httpd = {.said = LOG_LIMIT_INIT,
                          .about = {.version = QSEAL_VERSION, .started = clock_wall_s()}};
    memory_prepare();
    while (program_next_option(&program, argc, argv, options) != -1) {
        httpd.path = optarg;
    }
    struct sockaddr_un address;
    if (httpd.path == NULL || optind != argc) {
        program_misused(&program, "--qseald PATH is needed, and nothing else");
    }
    if (!fd_unix_address(httpd.path, &address)) {
        program_misused(&program, "the path is empty or over 107 bytes");
    }
    if (!program_harden() || !raise_files()) {
        log_error("cannot give up rights: %s", strerror(errno));
        return EXIT_FAULT;
    }
    return loop_run(&httpd) == 0 ? 0 : EXIT_FAULT;
}
