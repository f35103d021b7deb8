/* SPDX-License-Identifier: Apache-2.0
 * Asking for a PIN: from a pipe, and at a terminal that keeps it to itself and is as before however
 * the asking ends. */
#include "ctl/ask_pin.h"

#include "base/clock.h"
#include "base/fd.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, SCREEN_SIZE = 4096, EXIT_RULE = 3, EXIT_OTHER = 4 };

static int input_of(const char *text, size_t len)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, len), len);
    fd_close(&ends[1]);
    return ends[0];
}

static void assert_holds(int pin, const char *expected)
{
    char text[512];
    ssize_t got = read(pin, text, sizeof text);
    assert_int_equal(got, strlen(expected));
    assert_memory_equal(text, expected, strlen(expected));
    assert_int_equal(read(pin, text, 1), 0); /* nobody else can write to it */
}

static void one_line_is_taken_from_what_is_no_terminal(void **state)
{
    (void)state;
    static const char *const inputs[] = {"47 11\nnext line\n", "47 11\n", "47 11"};
    for (size_t i = 0; i < COUNT_OF(inputs); i++) {
        struct reason why = {0};
        FD_CLEANUP int input = input_of(inputs[i], strlen(inputs[i]));
        FD_CLEANUP int pin = -1;
        assert_done(ask_pin(input, "hsm-a", &pin, &why), why);
        assert_holds(pin, "47 11");
        assert_int_equal(fcntl(pin, F_GETFD), FD_CLOEXEC);
        char rest[32] = "";
        assert_true(read(input, rest, sizeof rest - 1) >= 0);
        assert_string_equal(rest, i == 0 ? "next line\n" : "");
    }
}

static void what_is_no_pin_is_refused(void **state)
{
    (void)state;
    char text[256];
    memset(text, '4', sizeof text);
    struct reason why = {0};
    int pin = -1;
    FD_CLEANUP int empty = input_of("", 0);
    assert_refused(ask_pin(empty, "hsm-a", &pin, &why), OUTCOME_RULE, why, "the PIN is empty");
    FD_CLEANUP int blank = input_of("\n", 1);
    assert_refused(ask_pin(blank, "hsm-a", &pin, &why), OUTCOME_RULE, why, "the PIN is empty");
    FD_CLEANUP int longer = input_of(text, sizeof text);
    assert_refused(ask_pin(longer, "hsm-a", &pin, &why), OUTCOME_RULE, why,
                   "too long: it has at most 255 bytes");
    FD_CLEANUP int closed = open("/", O_RDONLY);
    assert_refused(ask_pin(closed, "hsm-a", &pin, &why), OUTCOME_INTERNAL, why,
                   "no PIN was read: Is a directory");
    assert_int_equal(pin, -1);
    FD_CLEANUP int longest = input_of(text, sizeof text - 1);
    FD_CLEANUP int good = -1;
    assert_done(ask_pin(longest, "hsm-a", &good, &why), why);
}

/* A person at a terminal: what is on the screen so far, and the child that asks. */
struct person {
    int terminal;
    pid_t child;
    char screen[SCREEN_SIZE];
    size_t len;
};

/* The child ends with 0 when what was typed came out, and says it where only a test looks. */
static void ask_as_child(const char *expected)
{
    struct reason why = {0};
    int pin = -1;
    char text[512] = "";
    enum outcome outcome = ask_pin(STDIN_FILENO, "hsm-a", &pin, &why);
    if (outcome == OUTCOME_RULE) {
        _exit(EXIT_RULE);
    }
    bool same = outcome == OUTCOME_OK && read(pin, text, sizeof text - 1) >= 0 &&
                strcmp(text, expected) == 0;
    _exit(same ? 0 : EXIT_OTHER);
}

static bool echoes(const struct person *person)
{
    struct termios now;
    assert_int_equal(tcgetattr(person->terminal, &now), 0);
    return (now.c_lflag & ECHO) != 0;
}

static void read_screen(struct person *person)
{
    struct pollfd wait = {.fd = person->terminal, .events = POLLIN};
    if (poll(&wait, 1, 10) > 0) {
        ssize_t got = read(person->terminal, person->screen + person->len,
                           sizeof person->screen - 1 - person->len);
        person->len += got > 0 ? (size_t)got : 0;
        person->screen[person->len] = '\0';
    }
}

/* Waits for the n-th question, and for the echo to be off. */
static void await_question(struct person *person, int n)
{
    struct deadline end = deadline_in_ms(PATIENCE_MS);
    int seen = 0;
    while (seen < n || echoes(person)) {
        assert_false(deadline_passed(end));
        read_screen(person);
        seen = 0;
        for (const char *at = person->screen; (at = strstr(at, "PIN of token hsm-a: ")) != NULL;
             at++) {
            seen++;
        }
    }
}

static void begin(struct person *person, const char *expected)
{
    *person = (struct person){.child = -1};
    person->child = forkpty(&person->terminal, NULL, NULL, NULL);
    assert_true(person->child >= 0);
    if (person->child == 0) {
        ask_as_child(expected);
    }
    await_question(person, 1);
}

static void type(const struct person *person, const char *text)
{
    assert_int_equal(write(person->terminal, text, strlen(text)), strlen(text));
}

/* How the child ended, with the terminal as it was before and nothing of `secret` on it. */
static int end(struct person *person, const char *secret)
{
    int status = 0;
    struct deadline last = deadline_in_ms(PATIENCE_MS);
    while (waitpid(person->child, &status, WNOHANG) == 0) {
        assert_false(deadline_passed(last));
        read_screen(person);
    }
    read_screen(person);
    assert_true(echoes(person));
    assert_null(strstr(person->screen, secret));
    fd_close(&person->terminal);
    return status;
}

static void a_terminal_shows_nothing(void **state)
{
    (void)state;
    struct person person;
    begin(&person, "4711-secret");
    type(&person, "4711-secret\n");
    assert_int_equal(end(&person, "secret"), 0);
    begin(&person, "");
    type(&person, "\n");
    assert_int_equal(WEXITSTATUS(end(&person, "secret")), EXIT_RULE);
    begin(&person, "");
    type(&person, "\x04"); /* Ctrl-D */
    assert_int_equal(WEXITSTATUS(end(&person, "secret")), EXIT_RULE);
}

static void a_signal_leaves_the_terminal_as_it_was(void **state)
{
    (void)state;
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct person person;
        begin(&person, "");
        type(&person, "secret");
        assert_int_equal(kill(person.child, numbers[i]), 0);
        int status = end(&person, "secret");
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), numbers[i]);
    }
    struct person person;
    begin(&person, "");
    type(&person, "secret\x03"); /* Ctrl-C */
    int status = end(&person, "secret");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

/* Stopped while it asks: the shell has its echo, and the question is asked anew. */
static void a_stop_asks_again(void **state)
{
    (void)state;
    struct person person;
    begin(&person, "4711-secret");
    type(&person, "some-secret");
    assert_int_equal(kill(person.child, SIGTSTP), 0);
    struct deadline last = deadline_in_ms(PATIENCE_MS);
    while (!echoes(&person)) { /* in an orphaned group of processes it goes on by itself */
        assert_false(deadline_passed(last));
        if (strstr(person.screen, "hsm-a: \r\nPIN") != NULL) {
            break;
        }
        read_screen(&person);
    }
    (void)kill(person.child, SIGCONT);
    await_question(&person, 2);
    type(&person, "4711-secret\n");
    assert_int_equal(end(&person, "secret"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_is_taken_from_what_is_no_terminal),
        cmocka_unit_test(what_is_no_pin_is_refused),
        cmocka_unit_test(a_terminal_shows_nothing),
        cmocka_unit_test(a_signal_leaves_the_terminal_as_it_was),
        cmocka_unit_test(a_stop_asks_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
