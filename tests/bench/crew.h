/* SPDX-License-Identifier: Apache-2.0
 * Threads that do the same thing in a closed loop: first to warm up, then while the clock runs. */
#ifndef QSEAL_BENCH_CREW_H
#define QSEAL_BENCH_CREW_H

#include "histogram.h"
#include "meter.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { CREW_MAX = 256 };

enum crew_phase { CREW_WARM_UP, CREW_MEASURE, CREW_STOP };

struct crew {
    atomic_int phase;   /* enum crew_phase, read by every thread before each operation */
    atomic_ullong left; /* operations still to do when `count` is set */
    atomic_bool begun;  /* one has ended that counts */
    double warm_up_s;
    double seconds;           /* more, until an operation has ended */
    unsigned long long count; /* 0: as many as `seconds` allow */
    struct meter meter;
};

/* What one thread is given and what it brings home. */
struct crew_member {
    struct crew *crew;
    void *own; /* its session, its connections */
    struct histogram latencies;
    unsigned long long failed;
    bool broken; /* could not go on at all */
};

/* The options every program here understands, for getopt_long(3). */
#define CREW_OPTIONS                                                                               \
    {"seconds", 1, NULL, 'S'}, {"warm-up", 1, NULL, 'W'}, {"count", 1, NULL, 'N'},                 \
        {"name", 1, NULL, 'M'},                                                                    \
    {                                                                                              \
        "pids", 1, NULL, 'P'                                                                       \
    }
#define CREW_DEFAULTS                                                                              \
    {                                                                                              \
        .warm_up_s = 0.2, .seconds = 1                                                             \
    }
/* False when it is none of them, or wrong. */
bool crew_option(struct crew *crew, int option, const char *value, const char **name);

/* Whether this operation counts; to be asked when it has ended. */
static inline bool crew_measures(struct crew *crew)
{
    return atomic_load_explicit(&crew->phase, memory_order_relaxed) == CREW_MEASURE;
}

static inline bool crew_works(struct crew *crew)
{
    return atomic_load_explicit(&crew->phase, memory_order_relaxed) != CREW_STOP;
}

/* Counts one operation that took `ns`, if the clock runs. Ends the run when `count` is reached. */
void crew_record(struct crew_member *member, int64_t ns);
/* Runs `work` in n threads, one per member, and prints the line. False when one was broken or
 * nothing was measured. */
bool crew_run(struct crew *crew, const char *name, void *(*work)(void *member),
              struct crew_member *members, size_t n);

#endif
