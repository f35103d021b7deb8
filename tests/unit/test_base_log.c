/* SPDX-License-Identifier: Apache-2.0
 * stderr is replaced by a pipe while a test writes to the log. */
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "check.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct capture {
    int saved;
    int in;
};

static struct capture capture_begin(void)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    struct capture capture = {.saved = dup(STDERR_FILENO), .in = ends[0]};
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    fd_close(&ends[1]);
    return capture;
}

static void capture_end(struct capture *capture, char *out, size_t size)
{
    assert_true(dup2(capture->saved, STDERR_FILENO) >= 0);
    fd_close(&capture->saved);
    ssize_t got = read(capture->in, out, size - 1);
    out[got > 0 ? got : 0] = '\0';
    fd_close(&capture->in);
}

static void each_level_has_its_prefix(void **state)
{
    (void)state;
    char text[500];
    struct capture capture = capture_begin();
    log_set_level(LOG_LEVEL_DEBUG);
    log_error("a %d", 1);
    log_warning("b");
    log_info("c");
    log_debug("d");
    log_set_level(LOG_LEVEL_INFO);
    capture_end(&capture, text, sizeof text);
    assert_string_equal(text, "<3>a 1\n<4>b\n<6>c\n<7>d\n");
}

static void lines_above_the_level_are_dropped(void **state)
{
    (void)state;
    char text[500];
    struct capture capture = capture_begin();
    log_debug("dropped at start");
    log_set_level(LOG_LEVEL_ERROR);
    log_warning("dropped");
    log_error("kept");
    log_set_level(LOG_LEVEL_INFO);
    capture_end(&capture, text, sizeof text);
    assert_string_equal(text, "<3>kept\n");
}

static void a_caller_cannot_make_a_second_line(void **state)
{
    (void)state;
    char text[500];
    struct capture capture = capture_begin();
    log_info("[%s]", "\\x0aa\n<3>forged\r\t\x1b[2J\x7f\xc3\xa9~ ");
    capture_end(&capture, text, sizeof text);
    assert_string_equal(text, "<6>[\\x5cx0aa\\x0a<3>forged\\x0d\\x09\\x1b[2J\\x7f\\xc3\\xa9~ ]\n");
}

/* A stranger who asks much: so many lines, then a count. */
static void lines_that_a_stranger_causes_are_few(void **state)
{
    (void)state;
    struct log_limit limit = LOG_LIMIT_INIT;
    unsigned int allowed = 0;
    char text[200];
    limit.since_ms = clock_monotonic_ms();
    for (int i = 0; i < 1000; i++) {
        allowed += log_limit_allows(&limit) ? 1 : 0;
    }
    assert_true(allowed >= LOG_LIMIT_LINES && allowed <= 2 * LOG_LIMIT_LINES);
    limit.since_ms -= 2000;
    limit.left_out = 950;
    struct capture capture = capture_begin();
    assert_true(log_limit_allows(&limit));
    capture_end(&capture, text, sizeof text);
    assert_string_equal(text, "<6>950 more lines like these were left out\n");
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    (void)state;
    static char wild[3000];
    static char text[9000];
    memset(wild, '\n', sizeof wild - 1);
    struct capture capture = capture_begin();
    log_info("%s", wild);
    capture_end(&capture, text, sizeof text);
    size_t len = strlen(text);
    assert_true(len > 1000 && len <= 4096);
    assert_ptr_equal(strchr(text, '\n'), text + len - 1);
    assert_memory_equal(text, "<6>\\x0a\\x0a", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_level_has_its_prefix),
        cmocka_unit_test(lines_above_the_level_are_dropped),
        cmocka_unit_test(a_caller_cannot_make_a_second_line),
        cmocka_unit_test(lines_that_a_stranger_causes_are_few),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
