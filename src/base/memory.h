/* SPDX-License-Identifier: Apache-2.0
 * How the rooms use the heap: what a large request needed goes back to the system when it is done.
 */
#ifndef QSEAL_BASE_MEMORY_H
#define QSEAL_BASE_MEMORY_H

/* Call once at start, before threads. Blocks of 64 KiB and more become mappings of their own, for
 * good: glibc would otherwise raise that limit at the first large free() and keep megabytes in
 * every thread's arena. */
void memory_prepare(void);

#endif
