/* SPDX-License-Identifier: Apache-2.0
 * Start, warm up, measure, stop, merge. */
#include "crew.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const double LONGEST_S = 30, LOOK_S = 0.01;

bool crew_option(struct crew *crew, int option, const char *value, const char **name)
{
    switch (option) {
    case 'S':
        crew->seconds = strtod(value, NULL);
        return crew->seconds > 0;
    case 'W':
        crew->warm_up_s = strtod(value, NULL);
        return crew->warm_up_s >= 0;
    case 'N':
        crew->count = strtoull(value, NULL, 10);
        return crew->count > 0;
    case 'M':
        *name = value;
        return true;
    case 'P':
        return meter_add_servers(&crew->meter, value);
    default:
        return false;
    }
}

void crew_record(struct crew_member *member, int64_t ns)
{
    if (!crew_measures(member->crew)) {
        return;
    }
    histogram_add(&member->latencies, (uint64_t)(ns > 0 ? ns : 0));
    if (!atomic_load_explicit(&member->crew->begun, memory_order_relaxed)) {
        atomic_store(&member->crew->begun, true);
    }
    if (member->crew->count == 0) {
        return;
    }
    if (atomic_fetch_sub(&member->crew->left, 1) <= 1) {
        atomic_store(&member->crew->phase, CREW_STOP);
    }
}

static void pause_s(double seconds)
{
    struct timespec pause = {.tv_sec = (time_t)seconds};
    pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

static void wait_for_the_end(struct crew *crew, size_t started, pthread_t *threads)
{
    if (crew->count == 0) {
        pause_s(crew->seconds);
        /* On a machine that is busy with others a short slice may see no operation end. */
        for (double over = 0; !atomic_load(&crew->begun) && over < LONGEST_S; over += LOOK_S) {
            pause_s(LOOK_S);
        }
        return;
    }
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

/* The end is metered before the threads are joined, so that idle time at the end is not counted;
 * with a count, it is the joining that ends the run. */
static struct usage conduct(struct crew *crew, size_t started, pthread_t *threads)
{
    pause_s(crew->warm_up_s);
    meter_start(&crew->meter);
    atomic_store(&crew->phase, CREW_MEASURE);
    wait_for_the_end(crew, started, threads);
    atomic_store(&crew->phase, CREW_STOP);
    struct usage usage = meter_stop(&crew->meter);
    for (size_t i = 0; crew->count == 0 && i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return usage;
}

bool crew_run(struct crew *crew, const char *name, void *(*work)(void *member),
              struct crew_member *members, size_t n)
{
    struct histogram *all = calloc(1, sizeof *all);
    if (all == NULL) {
        return false;
    }
    pthread_t threads[CREW_MAX];
    atomic_store(&crew->phase, CREW_WARM_UP);
    atomic_store(&crew->left, crew->count);
    atomic_store(&crew->begun, false);
    size_t started = 0;
    while (started < n) {
        members[started].crew = crew;
        if (pthread_create(&threads[started], NULL, work, &members[started]) != 0) {
            break;
        }
        started++;
    }
    struct usage usage = conduct(crew, started, threads);
    unsigned long long failed = 0;
    bool good = started == n;
    for (size_t i = 0; i < started; i++) {
        histogram_merge(all, &members[i].latencies);
        failed += members[i].failed;
        good = good && !members[i].broken;
    }
    meter_print(name, &usage, all, failed);
    good = good && all->count > 0;
    free(all);
    return good;
}
