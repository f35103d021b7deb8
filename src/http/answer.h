/* SPDX-License-Identifier: Apache-2.0
 * Answer headers, and the few answers qseal-httpd writes by itself. It has no JSON library, and
 * needs none: its problems (RFC 9457) are made of fixed texts and hold nothing of the request. */
#ifndef QSEAL_HTTP_ANSWER_H
#define QSEAL_HTTP_ANSWER_H

#include "base/attributes.h"
#include "base/buffer.h"
#include "model/outcome.h"
#include "signing/signing.h"

/* Content-Type; NULL for MEDIA_NONE. */
const char *answer_media_type(enum signing_media media);

enum { CACHE_CONTROL_SIZE = 32 };
/* Cache-Control: "max-age=N", or "no-store" for 0. */
void answer_cache_control(uint32_t max_age_s, char out[CACHE_CONTROL_SIZE]);

/* A problem+json text. `detail` is one of our own fixed texts: printable ASCII without quotes or
 * backslashes. */
void answer_put_problem(struct buffer *out, enum outcome outcome, const char *detail,
                        const char *request_id);
/* The same as a whole HTTP/1.1 answer that closes the connection, for requests whose end cannot be
 * trusted. `date` is an IMF-fixdate. */
void answer_put_closing(struct buffer *out, enum outcome outcome, const char *detail,
                        const char *request_id, const char *date);

enum { HTTP_DATE_SIZE = 32 };
/* IMF-fixdate (RFC 9110 §5.6.7) of wall seconds. */
void answer_date(int64_t wall_s, char out[HTTP_DATE_SIZE]);

#endif
