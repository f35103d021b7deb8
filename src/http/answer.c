/* SPDX-License-Identifier: Apache-2.0
 * Answer headers and httpd's own problems. */
#include "http/answer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { PROBLEM_MAX = 2048 };

static const char *const media_types[] = {
    [MEDIA_NONE] = NULL,
    [MEDIA_JSON] = "application/json",
    [MEDIA_JWK_SET] = "application/jwk-set+json", /* RFC 7517 §8.5.2 */
    [MEDIA_PROBLEM] = "application/problem+json", /* RFC 9457 §6.1 */
    [MEDIA_OCTETS] = "application/octet-stream",
    [MEDIA_PEM_CHAIN] = "application/pem-certificate-chain", /* RFC 8555 §9.1 */
    [MEDIA_PEM] = "application/x-pem-file",
};
static_assert(COUNT_OF(media_types) == MEDIA_COUNT, "a type for every media");

const char *answer_media_type(enum signing_media media)
{
    return media_types[media];
}

void answer_cache_control(uint32_t max_age_s, char out[CACHE_CONTROL_SIZE])
{
    if (max_age_s == 0) {
        (void)snprintf(out, CACHE_CONTROL_SIZE, "no-store");
        return;
    }
    (void)snprintf(out, CACHE_CONTROL_SIZE, "max-age=%" PRIu32, max_age_s);
}

void answer_put_problem(struct buffer *out, enum outcome outcome, const char *detail,
                        const char *request_id)
{
    buffer_put_format(out,
                      "{\"type\":\"urn:qseal:problem:%s\",\"title\":\"%s\",\"status\":%d,"
                      "\"detail\":\"%s\",\"request_id\":\"%s\"}",
                      outcome_name(outcome), outcome_title(outcome), outcome_status(outcome),
                      detail, request_id);
}

void answer_date(int64_t wall_s, char out[HTTP_DATE_SIZE])
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)wall_s;
    struct tm utc = {0};
    out[0] = '\0';
    if (gmtime_r(&seconds, &utc) != NULL) {
        (void)snprintf(out, HTTP_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                       days[utc.tm_wday], utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900,
                       utc.tm_hour, utc.tm_min, utc.tm_sec);
    }
}

/* RFC 9110 §15 for the statuses that close; a phrase is for people only. */
static const char *phrase(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 413:
        return "Content Too Large";
    case 415:
        return "Unsupported Media Type";
    case 429: /* RFC 6585 §4 */
        return "Too Many Requests";
    case 503:
        return "Service Unavailable";
    default:
        return "Refused";
    }
}

void answer_put_closing(struct buffer *out, enum outcome outcome, const char *detail,
                        const char *request_id, const char *date)
{
    BUFFER_CLEANUP struct buffer body = BUFFER_INIT(PROBLEM_MAX);
    answer_put_problem(&body, outcome, detail, request_id);
    int status = outcome_status(outcome);
    buffer_put_format(out,
                      "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\nContent-Length: %zu\r\n"
                      "Content-Type: %s\r\nCache-Control: no-store\r\nQseal-Request-Id: %s\r\n"
                      "X-Content-Type-Options: nosniff\r\n",
                      status, phrase(status), date, body.len, answer_media_type(MEDIA_PROBLEM),
                      request_id);
    int retry_after_s = outcome_retry_after_s(outcome);
    if (retry_after_s > 0) {
        buffer_put_format(out, "Retry-After: %d\r\n", retry_after_s);
    }
    buffer_put_text(out, "\r\n");
    buffer_put_span(out, buffer_span(&body));
}
