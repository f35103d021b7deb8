/* SPDX-License-Identifier: Apache-2.0
 * Lines in the log about keys that near their end, or are past it: one when it begins, and no more.
 */
#ifndef QSEAL_SIGNING_KEY_END_LOG_H
#define QSEAL_SIGNING_KEY_END_LOG_H

#include "base/attributes.h"
#include "signing/view.h"

/* The last look; zeros before the first. One thread's own. */
struct key_end_log {
    struct view *view;
    int64_t at; /* wall seconds */
};

/* Says of each key and end what was not so at the last look; returns how many lines that were. */
size_t key_end_log_look(struct key_end_log *log, struct view *view, int64_t now);
void key_end_log_fini(struct key_end_log *log);

#endif
