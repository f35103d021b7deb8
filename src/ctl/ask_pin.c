/* SPDX-License-Identifier: Apache-2.0
 * Asking for a PIN: termios(3) without echo, signals by signalfd(2) while it is off. */
#include "ctl/ask_pin.h"

#include "base/fd.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

enum { PIN_MAX = 255 };

/* Byte by byte: what stands behind the line is somebody else's. */
static bool read_line(int input, struct secret *line)
{
    while (line->len <= PIN_MAX) {
        ssize_t got = read(input, line->page + line->len, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 || line->page[line->len] == '\n') {
            return got >= 0;
        }
        line->len++;
    }
    return true;
}

/* How a look at the keyboard ended: with a line (0), a signal (its number) or a fault (-1). */
static int read_terminal(int input, int signals, struct secret *line)
{
    struct pollfd waits[] = {{.fd = input, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    struct signalfd_siginfo got;
    while (poll(waits, COUNT_OF(waits), -1) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    if (waits[1].revents != 0) {
        return read(signals, &got, sizeof got) == (ssize_t)sizeof got ? (int)got.ssi_signo : -1;
    }
    ssize_t n = read(input, line->page, line->room);
    if (n < 0) {
        return -1;
    }
    line->len = (size_t)n;
    if (line->len > 0 && line->page[line->len - 1] == '\n') {
        line->len--;
    }
    return 0;
}

static int read_without_echo(int input, const char *token, int signals, struct secret *line)
{
    struct termios before;
    if (tcgetattr(input, &before) != 0) {
        return -1;
    }
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    silent.c_lflag |= ICANON | ISIG;
    (void)fprintf(stderr, "PIN of token %s: ", token);
    (void)fflush(stderr);
    int ended =
        tcsetattr(input, TCSAFLUSH, &silent) == 0 ? read_terminal(input, signals, line) : -1;
    int error = errno;
    (void)tcsetattr(input, TCSAFLUSH, &before);
    (void)fputc('\n', stderr);
    errno = error;
    return ended;
}

/* Signals wait while the echo is off, and are delivered when it is on again. */
static int ask_once(int input, const char *token, struct secret *line)
{
    sigset_t set;
    sigset_t before;
    sigemptyset(&set);
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        sigaddset(&set, numbers[i]);
    }
    FD_CLEANUP int signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals < 0 || sigprocmask(SIG_BLOCK, &set, &before) != 0) {
        return -1;
    }
    int ended = read_without_echo(input, token, signals, line);
    int error = errno;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (ended > 0) {
        (void)raise(ended);
    }
    errno = error;
    return ended;
}

static bool ask_terminal(int input, const char *token, struct secret *line)
{
    int ended;
    do {
        line->len = 0;
        ended = ask_once(input, token, line);
    } while (ended == SIGTSTP); /* stopped, and going on */
    if (ended > 0) {
        errno = EINTR; /* a signal that the caller of this program ignores */
    }
    return ended == 0;
}

static bool put_into_pipe(const struct secret *line, int *out)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return false;
    }
    FD_CLEANUP int reading = ends[0];
    FD_CLEANUP int writing = ends[1];
    if (write(writing, line->page, line->len) != (ssize_t)line->len) {
        return false;
    }
    *out = fd_steal(&reading);
    return true;
}

enum outcome ask_pin(int input, const char *token, int *out, struct reason *why)
{
    SECRET_CLEANUP struct secret line = {0};
    (void)prctl(PR_SET_DUMPABLE, 0);
    if (!secret_make(&line) ||
        !(isatty(input) ? ask_terminal(input, token, &line) : read_line(input, &line))) {
        return refuse(why, OUTCOME_INTERNAL, "no PIN was read: %s", strerror(errno));
    }
    if (line.len == 0 || line.len > PIN_MAX) {
        return refuse(why, OUTCOME_RULE, "the PIN is %s; nothing was tried",
                      line.len == 0 ? "empty" : "too long: it has at most 255 bytes");
    }
    return put_into_pipe(&line, out)
               ? OUTCOME_OK
               : refuse(why, OUTCOME_INTERNAL, "no pipe for the PIN: %s", strerror(errno));
}
