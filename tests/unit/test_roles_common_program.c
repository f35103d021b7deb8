/* SPDX-License-Identifier: Apache-2.0
 * How a program begins, in processes of their own: it changes them for good. */
#include "roles/common/program.h"

#include "base/log.h"

#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 8, TEXT_SIZE = 512, ALL_WELL = 40, WRONG = 41 };

static const struct program program = {.name = "p", .help = "usage: p\n"};
static const struct option options[] = {
    {"own", required_argument, NULL, 'o'},
    {"log-level", required_argument, NULL, 'l'},
    {"verbose", no_argument, NULL, 'v'},
    PROGRAM_OPTIONS,
};

static void read_back(int fd, char text[TEXT_SIZE])
{
    ssize_t len = pread(fd, text, TEXT_SIZE - 1, 0);
    assert_true(len >= 0);
    text[len] = '\0';
    assert_int_equal(close(fd), 0);
}

static _Noreturn void parse(int argc, char **argv)
{
    int n_own = 0;
    int option;
    while ((option = program_next_option(&program, argc, argv, options)) != -1) {
        n_own += option == 'o' && strcmp(optarg, "x") == 0 ? 1 : 100;
    }
    log_debug("debug is on");
    if (optind != argc) {
        program_misused(&program, "too much");
    }
    _exit(ALL_WELL + n_own);
}

/* The exit status of a program with these arguments, and what it wrote. */
static int run(const char *const *arguments, char out[TEXT_SIZE], char err[TEXT_SIZE])
{
    int fds[] = {memfd_create("out", MFD_CLOEXEC), memfd_create("err", MFD_CLOEXEC)};
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char *argv[ARGUMENTS_MAX] = {strdup("p")};
        int argc = 1;
        for (; arguments[argc - 1] != NULL; argc++) {
            argv[argc] = strdup(arguments[argc - 1]);
        }
        (void)dup2(fds[0], STDOUT_FILENO);
        (void)dup2(fds[1], STDERR_FILENO);
        parse(argc, argv);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    read_back(fds[0], out);
    read_back(fds[1], err);
    return WEXITSTATUS(status);
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL}, out, err)

static void own_options_are_handed_out(void **state)
{
    (void)state;
    char out[TEXT_SIZE];
    char err[TEXT_SIZE];
    assert_int_equal(RUN("--own", "x", "--log-level", "error", "--own=x"), ALL_WELL + 2);
    assert_string_equal(out, "");
    assert_string_equal(err, "");
    assert_int_equal(RUN("--log-level", "info"), ALL_WELL);
    assert_string_equal(err, "");
    assert_int_equal(RUN("--log-level", "debug"), ALL_WELL);
    assert_non_null(strstr(err, "debug is on"));
    assert_int_equal(RUN("--verbose"), ALL_WELL);
    assert_non_null(strstr(err, "debug is on"));
}

static void help_and_version_end_it(void **state)
{
    (void)state;
    char out[TEXT_SIZE];
    char err[TEXT_SIZE];
    assert_int_equal(RUN("--help", "--nonsense"), EXIT_SUCCESS);
    assert_string_equal(out, "usage: p\n");
    assert_string_equal(err, "");
    assert_int_equal(RUN("--version"), EXIT_SUCCESS);
    assert_string_equal(out, "p " QSEAL_VERSION "\n");
    assert_string_equal(err, "");
}

static void mistakes_end_it_with_the_help(void **state)
{
    (void)state;
    char out[TEXT_SIZE];
    char err[TEXT_SIZE];
    assert_int_equal(RUN("--nonsense"), EXIT_USAGE);
    assert_string_equal(err, "p: unrecognized option '--nonsense'\nusage: p\n");
    assert_int_equal(RUN("--own"), EXIT_USAGE);
    assert_string_equal(err, "p: option '--own' requires an argument\nusage: p\n");
    assert_int_equal(RUN("--log-level", "loud"), EXIT_USAGE);
    assert_string_equal(err, "usage: p\n");
    assert_int_equal(RUN("word"), EXIT_USAGE);
    assert_string_equal(err, "p: too much\nusage: p\n");
    assert_string_equal(out, "");
}

static bool is_hardened(void)
{
    struct rlimit core = {1, 1};
    return program_harden() && getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 &&
           core.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == 0 &&
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && umask(0) == 0077 &&
           signal(SIGPIPE, SIG_DFL) == SIG_IGN;
}

static bool is_told_of_signals(void)
{
    static const int watched[] = {SIGHUP, SIGTERM};
    int fd = program_watch_signals(watched, COUNT_OF(watched));
    struct signalfd_siginfo got;
    if (fd < 0 || fcntl(fd, F_GETFD) != FD_CLOEXEC || read(fd, &got, sizeof got) != -1) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(watched); i++) {
        if (raise(watched[i]) != 0 || read(fd, &got, sizeof got) != sizeof got ||
            (int)got.ssi_signo != watched[i]) {
            return false;
        }
    }
    return true;
}

static void expect_in_a_process(bool (*check)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(check() ? ALL_WELL : WRONG);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ALL_WELL);
}

static void rights_are_given_up(void **state)
{
    (void)state;
    expect_in_a_process(is_hardened);
}

static void signals_are_read(void **state)
{
    (void)state;
    expect_in_a_process(is_told_of_signals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_options_are_handed_out),
        cmocka_unit_test(help_and_version_end_it),
        cmocka_unit_test(mistakes_end_it_with_the_help),
        cmocka_unit_test(rights_are_given_up),
        cmocka_unit_test(signals_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
