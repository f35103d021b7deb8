/* SPDX-License-Identifier: Apache-2.0
 * The operator's log: one line per event on stderr, with the syslog level in front as sd-daemon(3)
 * reads it, so that the journal and a plain terminal both show it. Control characters and bytes
 * outside ASCII are written as \xNN: a caller's string can never make a second line. Payloads, PINs
 * and artefacts are never passed to these functions.
 *
 * Two kinds of trouble, one rule for each. A *refusal* (a caller's or custodian's request breaks a
 * rule) is a value, a struct reason, returned to whom it concerns and logged once, at info, where
 * the answer is formed. A *fault* (system call, module, peer room) is logged once, at warning or
 * error, where it is first seen, and travels on only as an outcome. */
#ifndef QSEAL_BASE_LOG_H
#define QSEAL_BASE_LOG_H

#include "base/attributes.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are dropped; info at start. */
void log_set_level(enum log_level level);

/* At most so many lines in any second from one source that a stranger can make speak; what was left
 * out is counted. Thread-safe. */
struct log_limit {
    pthread_mutex_t lock;
    int64_t since_ms;
    unsigned int lines;
    unsigned int left_out;
};

enum { LOG_LIMIT_LINES = 50 };

#define LOG_LIMIT_INIT ((struct log_limit){.lock = PTHREAD_MUTEX_INITIALIZER})

/* Whether another line may be written now. When a new second begins after some were left out, says
 * how many. */
bool log_limit_allows(struct log_limit *limit) MUST_USE;

void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
