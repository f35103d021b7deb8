/* SPDX-License-Identifier: Apache-2.0
 * Latencies in constant memory: buckets of 1/256 relative width, so that a percentile is never more
 * than 0.4 % wide of the sample it stands for. One per thread, merged at the end. */
#ifndef QSEAL_BENCH_HISTOGRAM_H
#define QSEAL_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_SUB = 256, HISTOGRAM_BUCKETS = HISTOGRAM_SUB * 40 };

struct histogram {
    uint64_t count;
    uint64_t max_ns;
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* Nanoseconds under which `share` (0 to 1) of all samples lie; 0 when there is none. */
uint64_t histogram_quantile(const struct histogram *histogram, double share);

#endif
