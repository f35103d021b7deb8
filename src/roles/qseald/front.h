/* SPDX-License-Identifier: Apache-2.0
 * A front: one connection of httpd, and the numbers of the callers it was handed. Used by the
 * door's thread alone. */
#ifndef QSEAL_ROLES_QSEALD_FRONT_H
#define QSEAL_ROLES_QSEALD_FRONT_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "signing/callers.h"

#include <stdbool.h>

enum { FRONT_FRAME_MAX = 256 /* of the small frames on the door */ };

struct front {
    int fd;            /* -1: there is none */
    uint64_t *numbers; /* given to it and not free yet; room for as many as there can be */
    size_t n_numbers;
    size_t max;
    struct buffer in;
};

bool front_init(struct front *front, uint32_t connections) MUST_USE;
void front_fini(struct front *front);
/* Ends it, when there is one. Its numbers die with it: nobody else can answer those callers. */
void front_drop(struct front *front, struct callers *callers, const char *why);
/* The number is its own from now on; false when it has as many as there can be. */
bool front_keep(struct front *front, uint64_t number) MUST_USE;
/* Sends the frame that was begun in `out`, with a descriptor beside its first byte unless that is
 * -1. */
bool front_send(const struct front *front, struct buffer *out, int passed) MUST_USE;
/* Reads what it says once: numbers that are free again, and whether it leaves. NULL, or why it must
 * be dropped. */
const char *front_hear(struct front *front, struct callers *callers, bool *drains) MUST_USE;

#endif
