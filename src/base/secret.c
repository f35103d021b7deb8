/* SPDX-License-Identifier: Apache-2.0
 * Pages for secrets. */
#include "base/secret.h"

#include <string.h>
#include <sys/mman.h>

enum { ROOM = 4096 };

bool secret_make(struct secret *secret)
{
    void *page = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return false;
    }
    (void)madvise(page, ROOM, MADV_DONTDUMP);
    *secret = (struct secret){.page = page, .room = ROOM, .locked = mlock(page, ROOM) == 0};
    return true;
}

void secret_wipe(struct secret *secret)
{
    if (secret->page != NULL) {
        explicit_bzero(secret->page, secret->room);
        (void)munlock(secret->page, secret->room);
        (void)munmap(secret->page, secret->room);
    }
    *secret = (struct secret){0};
}
