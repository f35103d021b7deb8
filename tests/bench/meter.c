/* SPDX-License-Identifier: Apache-2.0
 * Clocks and memory of this process, of named others, and of the whole machine. */
#include "meter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now = {0};
    if (clock_gettime(clock, &now) != 0) {
        return 0;
    }
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t meter_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t self_ns(void)
{
    struct rusage own;
    (void)getrusage(RUSAGE_SELF, &own);
    return (int64_t)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1000000000 +
           (int64_t)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) * 1000;
}

/* Nanoseconds, threads that have ended included; /proc/PID/stat would give hundredths of seconds.
 */
static int64_t servers_ns(const struct meter *meter)
{
    int64_t sum = 0;
    for (size_t i = 0; i < meter->n_servers; i++) {
        clockid_t clock;
        if (clock_getcpuclockid(meter->servers[i], &clock) == 0) {
            sum += clock_ns(clock);
        }
    }
    return sum;
}

/* User, nice, system, interrupts and time stolen by the hypervisor; not idle, not waiting. */
static int64_t machine_ns(void)
{
    FILE *stat = fopen("/proc/stat", "re");
    if (stat == NULL) {
        return 0;
    }
    long long user = 0, nice = 0, system = 0, idle = 0, wait = 0, hard = 0, soft = 0, stolen = 0;
    int fields = fscanf(stat, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &user, &nice, &system,
                        &idle, &wait, &hard, &soft, &stolen);
    (void)fclose(stat);
    if (fields != 8) {
        return 0;
    }
    return (user + nice + system + hard + soft + stolen) * (1000000000LL / sysconf(_SC_CLK_TCK));
}

/* A field in KiB of one of the process's files under /proc; 0 when it is not to be read. */
static long field_kib(pid_t pid, const char *name, const char *field)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    char line[256];
    long kib = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0) {
            kib = strtol(line + strlen(field), NULL, 10);
            break;
        }
    }
    (void)fclose(file);
    return kib;
}

/* VmRSS is late by up to 64 pages per thread, but smaps_rollup of a process that gave up being
 * dumpable is for root alone. */
static long resident_kib(pid_t pid)
{
    long kib = field_kib(pid, "smaps_rollup", "Rss:");
    return kib > 0 ? kib : field_kib(pid, "status", "VmRSS:");
}

static void add_children(struct meter *meter, pid_t parent)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return;
    }
    int child = 0;
    while (meter->n_servers < METER_SERVERS_MAX && fscanf(file, "%d", &child) == 1) {
        meter->servers[meter->n_servers++] = child;
    }
    (void)fclose(file);
}

bool meter_add_servers(struct meter *meter, const char *list)
{
    const char *at = list;
    while (*at != '\0') {
        char *end = NULL;
        long pid = strtol(at, &end, 10);
        if (end == at || pid <= 0 || meter->n_servers == METER_SERVERS_MAX) {
            return false;
        }
        meter->servers[meter->n_servers++] = (pid_t)pid;
        at = *end == ',' ? end + 1 : end;
    }
    return true;
}

void meter_start(struct meter *meter)
{
    size_t named = meter->n_servers;
    for (size_t i = 0; i < named; i++) {
        add_children(meter, meter->servers[i]);
    }
    meter->machine_ns = machine_ns();
    meter->servers_ns = servers_ns(meter);
    meter->self_ns = self_ns();
    meter->wall_ns = meter_now_ns();
}

struct usage meter_stop(const struct meter *meter)
{
    double seconds = (double)(meter_now_ns() - meter->wall_ns) / 1e9;
    double self = (double)(self_ns() - meter->self_ns);
    double servers = (double)(servers_ns(meter) - meter->servers_ns);
    double others = (double)(machine_ns() - meter->machine_ns) - self - servers;
    struct usage usage = {
        .seconds = seconds,
        .self_us = self / 1e3,
        .servers_us = servers / 1e3,
        .other_cores = others > 0 ? others / 1e9 / seconds : 0,
        .self_kib = resident_kib(getpid()),
    };
    for (size_t i = 0; i < meter->n_servers; i++) {
        usage.servers_kib += resident_kib(meter->servers[i]);
        usage.servers_pss_kib += field_kib(meter->servers[i], "smaps_rollup", "Pss:");
    }
    return usage;
}

void meter_print(const char *name, const struct usage *usage, const struct histogram *latencies,
                 uint64_t failed)
{
    double ops = latencies->count > 0 ? (double)latencies->count : 1;
    printf("{\"name\":\"%s\",\"ops\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"seconds\":%.3f,"
           "\"rate\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,"
           "\"cpu_us_per_op\":%.2f,\"servers_cpu_us_per_op\":%.2f,\"other_cores\":%.3f,"
           "\"rss_kib\":%ld,\"servers_rss_kib\":%ld,\"servers_pss_kib\":%ld}\n",
           name, latencies->count, failed, usage->seconds,
           (double)latencies->count / usage->seconds,
           (double)histogram_quantile(latencies, 0.50) / 1e3,
           (double)histogram_quantile(latencies, 0.99) / 1e3, (double)latencies->max_ns / 1e3,
           usage->self_us / ops, usage->servers_us / ops, usage->other_cores, usage->self_kib,
           usage->servers_kib, usage->servers_pss_kib);
    (void)fflush(stdout);
}
