/* SPDX-License-Identifier: Apache-2.0
 * Two clocks, never mixed: wall seconds go into claims, monotonic milliseconds into deadlines. A
 * third, which counts while the host sleeps, too, judges the first. */
#ifndef QSEAL_BASE_CLOCK_H
#define QSEAL_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Seconds since 1970-01-01T00:00:00Z (NumericDate, RFC 7519 §2). */
int64_t clock_wall_s(void);
/* Seconds since the host was started. */
int64_t clock_boot_s(void);
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

/* A point on the monotonic clock by which a wait must have ended. */
struct deadline {
    int64_t at_us;
};

struct deadline deadline_in_ms(int64_t ms);
/* Microseconds that are left, 0 when it has passed. */
int64_t deadline_left_us(struct deadline deadline);
/* Milliseconds left, rounded up, for poll(2); 0 when it has passed. */
int deadline_left_ms(struct deadline deadline);
bool deadline_passed(struct deadline deadline);
/* For pthread_cond_timedwait(3) on a condition of the monotonic clock. */
struct timespec deadline_timespec(struct deadline deadline);

#endif
