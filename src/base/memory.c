/* SPDX-License-Identifier: Apache-2.0
 * glibc's malloc, told not to hoard. */
#include "base/memory.h"

#include <malloc.h>

enum { MAPPED_FROM = 64 * 1024, TRIM_ABOVE = 256 * 1024, ARENAS = 8 };

void memory_prepare(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
    (void)mallopt(M_TRIM_THRESHOLD, TRIM_ABOVE);
    (void)mallopt(M_ARENA_MAX, ARENAS);
}
