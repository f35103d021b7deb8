/* SPDX-License-Identifier: Apache-2.0
 * A log-linear histogram. */
#include "histogram.h"

#include <stddef.h>

/* Values below 256 have a bucket each; every further power of two is cut into 256 parts. */
static size_t bucket_of(uint64_t ns)
{
    if (ns < HISTOGRAM_SUB) {
        return (size_t)ns;
    }
    unsigned int shift = 55U - (unsigned int)__builtin_clzll(ns);
    size_t index = (size_t)(shift + 1) * HISTOGRAM_SUB + (size_t)((ns >> shift) - HISTOGRAM_SUB);
    return index < HISTOGRAM_BUCKETS ? index : HISTOGRAM_BUCKETS - 1;
}

static uint64_t middle_of(size_t bucket)
{
    if (bucket < HISTOGRAM_SUB) {
        return bucket;
    }
    size_t shift = bucket / HISTOGRAM_SUB - 1;
    uint64_t low = (uint64_t)(HISTOGRAM_SUB + bucket % HISTOGRAM_SUB) << shift;
    return low + ((1ULL << shift) >> 1);
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    histogram->count++;
    histogram->bucket[bucket_of(ns)]++;
    if (ns > histogram->max_ns) {
        histogram->max_ns = ns;
    }
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->count += from->count;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        into->bucket[i] += from->bucket[i];
    }
    if (from->max_ns > into->max_ns) {
        into->max_ns = from->max_ns;
    }
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)histogram->count);
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->bucket[i];
        if (seen > wanted) {
            uint64_t middle = middle_of(i);
            return middle < histogram->max_ns ? middle : histogram->max_ns;
        }
    }
    return histogram->max_ns;
}
