/* SPDX-License-Identifier: Apache-2.0
 * Wall clock, monotonic clock, deadlines. */
#include "base/clock.h"

#include <limits.h>

enum { US_PER_MS = 1000, MS_PER_S = 1000, US_PER_S = 1000000, NS_PER_US = 1000 };

int64_t clock_wall_s(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

int64_t clock_boot_s(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S * US_PER_MS + now.tv_nsec / NS_PER_US;
}

int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_us() / US_PER_MS;
}

struct deadline deadline_in_ms(int64_t ms)
{
    return (struct deadline){.at_us = clock_monotonic_us() + ms * US_PER_MS};
}

int64_t deadline_left_us(struct deadline deadline)
{
    int64_t left = deadline.at_us - clock_monotonic_us();
    return left > 0 ? left : 0;
}

int deadline_left_ms(struct deadline deadline)
{
    int64_t left = (deadline_left_us(deadline) + US_PER_MS - 1) / US_PER_MS;
    return left > INT_MAX ? INT_MAX : (int)left;
}

bool deadline_passed(struct deadline deadline)
{
    return deadline_left_us(deadline) == 0;
}

struct timespec deadline_timespec(struct deadline deadline)
{
    return (struct timespec){.tv_sec = deadline.at_us / US_PER_S,
                             .tv_nsec = deadline.at_us % US_PER_S * NS_PER_US};
}
