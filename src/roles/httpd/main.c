/* SPDX-License-Identifier: Apache-2.0
 * qseal-httpd: the callers' door. It has no keys, no JSON, no policy, no network and, once it runs,
 * no files: it turns HTTP requests into questions for qseald, and answers into HTTP. */
#include "roles/httpd/httpd.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { EXIT_FAULT = 1, EXIT_USAGE = 2 };

static const char usage[] = "usage: qseal-httpd --qseald PATH\n"
                            "\n"
                            "Serves the callers whom qseald hands over.\n"
                            "\n"
                            "  --qseald PATH  the unix socket of qseald's signing door\n"
                            "  --verbose      log more\n"
                            "  --help         this text\n"
                            "  --version      the version\n";

/* Nothing can be gained by exec, no core holds a payload, nobody traces, and there are as many
 * descriptors as the system allows. */
static bool harden(void)
{
    struct rlimit none = {0, 0};
    struct rlimit files;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 ||
        setrlimit(RLIMIT_CORE, &none) != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return false;
    }
    files.rlim_cur = files.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &files) == 0 && signal(SIGPIPE, SIG_IGN) != SIG_ERR;
}

static int complain(const char *text)
{
    (void)fprintf(stderr, "qseal-httpd: %s\n%s", text, usage);
    return EXIT_USAGE;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        {"qseald", required_argument, NULL, 'q'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    struct httpd httpd = {.said = LOG_LIMIT_INIT};
    memory_prepare();
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'q':
            httpd.path = optarg;
            break;
        case 'v':
            log_set_level(LOG_LEVEL_DEBUG);
            break;
        case 'h':
            (void)fputs(usage, stdout);
            return 0;
        case 'V':
            (void)puts("qseal-httpd " QSEAL_VERSION);
            return 0;
        default:
            return complain("unknown option");
        }
    }
    struct sockaddr_un address;
    if (httpd.path == NULL || optind != argc) {
        return complain("--qseald PATH is needed, and nothing else");
    }
    if (!fd_unix_address(httpd.path, &address)) {
        return complain("the path is empty or over 107 bytes");
    }
    if (!harden()) {
        log_error("cannot give up rights: %s", strerror(errno));
        return EXIT_FAULT;
    }
    return loop_run(&httpd) == 0 ? 0 : EXIT_FAULT;
}
