/* SPDX-License-Identifier: Apache-2.0
 * The operator's log. One write(2) per line, so that lines of several threads never mix. */
#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 1024, ESCAPED_LEN = 4 };

static atomic_int threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&threshold, (int)level);
}

static const char *syslog_prefix(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "<3>";
    case LOG_LEVEL_WARNING:
        return "<4>";
    case LOG_LEVEL_INFO:
        return "<6>";
    case LOG_LEVEL_DEBUG:
        return "<7>";
    }
    return "<3>";
}

static size_t escape(const char *text, char *out, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    size_t len = 0;
    for (; *text != '\0' && len + ESCAPED_LEN < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x20 && c < 0x7F && c != '\\') {
            out[len++] = (char)c;
            continue;
        }
        out[len++] = '\\';
        out[len++] = 'x';
        out[len++] = hex[c >> 4];
        out[len++] = hex[c & 0x0F];
    }
    return len;
}

PRINTF_LIKE(2, 0)
static void log_line(enum log_level level, const char *format, va_list args)
{
    if ((int)level > atomic_load(&threshold)) {
        return;
    }
    char text[LINE_MAX_LEN];
    char line[LINE_MAX_LEN * ESCAPED_LEN];
    (void)vsnprintf(text, sizeof text, format, args);
    const char *prefix = syslog_prefix(level);
    size_t len = strlen(prefix);
    memcpy(line, prefix, len);
    len += escape(text, line + len, sizeof line - len - 1);
    line[len++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written; /* there is nowhere left to report it */
}

#define LOG_FUNCTION(name, level)                                                                  \
    void name(const char *format, ...)                                                             \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        log_line(level, format, args);                                                             \
        va_end(args);                                                                              \
    }

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

enum { LIMIT_WITHIN_MS = 1000 };

bool log_limit_allows(struct log_limit *limit)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&limit->lock);
    unsigned int left_out = 0;
    if (now - limit->since_ms >= LIMIT_WITHIN_MS) {
        left_out = limit->left_out;
        limit->since_ms = now;
        limit->lines = 0;
        limit->left_out = 0;
    }
    bool allowed = limit->lines < LOG_LIMIT_LINES;
    limit->lines += allowed;
    limit->left_out += !allowed;
    pthread_mutex_unlock(&limit->lock);
    if (left_out > 0) {
        log_info("%u more lines like these were left out", left_out);
    }
    return allowed;
}
