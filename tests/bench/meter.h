/* SPDX-License-Identifier: Apache-2.0
 * What a measured stretch cost: wall time, the CPU of this process, the CPU and memory of the
 * servers it talks to, and the CPU that everybody else on the machine took meanwhile (a round in
 * which others were busy is worth nothing). */
#ifndef QSEAL_BENCH_METER_H
#define QSEAL_BENCH_METER_H

#include "histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { METER_SERVERS_MAX = 64 };

struct meter {
    pid_t servers[METER_SERVERS_MAX];
    size_t n_servers;
    int64_t wall_ns;
    int64_t self_ns;
    int64_t servers_ns;
    int64_t machine_ns;
};

struct usage {
    double seconds;
    double self_us;    /* CPU of this process */
    double servers_us; /* CPU of all servers together */
    double other_cores;
    long self_kib;        /* resident */
    long servers_kib;     /* resident, the sum */
    long servers_pss_kib; /* resident, shared pages divided among those who share them */
};

int64_t meter_now_ns(void);
/* A comma-separated list of pids; children they have at meter_start() are counted with them. */
bool meter_add_servers(struct meter *meter, const char *list);
void meter_start(struct meter *meter);
struct usage meter_stop(const struct meter *meter);
/* One line of JSON on stdout. */
void meter_print(const char *name, const struct usage *usage, const struct histogram *latencies,
                 uint64_t failed);

#endif
