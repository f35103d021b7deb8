/* SPDX-License-Identifier: Apache-2.0
 * Preloaded into qseal-httpd: each time libmicrohttpd's own epoll set has something, the first look
 * at it finds nothing. So it is when the bytes that woke the loop have not come to that set yet,
 * which the kernel wakes as the next one. The loop hears one thing at a time: were it told of the
 * library's set in the same breath as of the bytes, they would be there. */
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>

static bool has_something(int set)
{
    struct pollfd look = {.fd = set, .events = POLLIN};
    return poll(&look, 1, 0) > 0;
}

__attribute__((visibility("default"))) int epoll_wait(int set, struct epoll_event *events, int max,
                                                      int wait_ms)
{
    static int loops = -1; /* it waits first */
    static bool early = true;
    loops = loops < 0 ? set : loops;
    if (set == loops) {
        return epoll_pwait(set, events, 1, wait_ms, NULL);
    }
    if (has_something(set)) {
        early = !early;
        if (!early) {
            return 0;
        }
    }
    return epoll_pwait(set, events, max, wait_ms, NULL);
}
