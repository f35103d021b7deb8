/* SPDX-License-Identifier: Apache-2.0
 * Inside src/custody only: what is done on several tokens, each on its own, may be done on some. */
#ifndef QSEAL_CUSTODY_FAILURES_H
#define QSEAL_CUSTODY_FAILURES_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/outcome.h"

enum { FAILURES_TEXT_MAX = 64 * 1024 };

/* Begin with FAILURES_INIT. */
struct failures {
    size_t n;
    enum outcome outcome; /* of the first, and why */
    struct reason why;
    struct buffer list; /* owned */
};
#define FAILURES_INIT                                                                              \
    {                                                                                              \
        .list = BUFFER_INIT(FAILURES_TEXT_MAX)                                                     \
    }

static inline void failures_fini(struct failures *failures)
{
    buffer_fini(&failures->list);
}
#define FAILURES_CLEANUP CLEANUP(failures_fini)

void failures_add(struct failures *failures, const char *token, enum outcome outcome,
                  const struct reason *why);
/* Appends a member with a comma in front, if there are any:
 * "failed":[{"token","outcome","detail"}].
 */
void failures_put(const struct failures *failures, struct buffer *out);
/* With something done it is an answer; with nothing it is the first refusal. */
enum outcome failures_outcome(const struct failures *failures, size_t n_done,
                              struct reason *why) MUST_USE;

#endif
