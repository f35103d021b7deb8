/* SPDX-License-Identifier: Apache-2.0
 * What administrators read, as JSON text. */
#ifndef QSEAL_CUSTODY_REPORT_H
#define QSEAL_CUSTODY_REPORT_H

#include "audit/audit.h"
#include "base/buffer.h"
#include "custody/clock_state.h"
#include "model/outcome.h"
#include "policy/config_mark.h"
#include "signing/callers.h"
#include "signing/signing.h"
#include "signing/view.h"
#include "signing/watch.h"

#include <stdint.h>

/* The last reload; `at` 0 when there was none. */
struct custody_reload_report {
    int64_t at; /* wall seconds */
    bool refused;
    char detail[REASON_DETAIL_SIZE];
};

/* What qseald was started with. */
struct custody_start {
    int64_t at; /* wall seconds */
    struct config_marks marks;
};

/* "name":"2026-11-21T09:30:00Z" (RFC 3339, UTC) of wall seconds. */
void report_time(struct buffer *out, const char *name, int64_t at);
/* "name":["ES256",…] */
void report_algs(struct buffer *out, const char *name, uint32_t algs);
/* What the status is made of. */
struct report_sources {
    const struct view *view;
    struct watch *watch;
    struct callers *callers;
    struct audit *audit;            /* NULL: no log is kept */
    const struct door_front *front; /* NULL: there is no httpd */
    const struct custody_start *start;
    const struct custody_reload_report *reload;
    const struct clock_state *clock;
};
void report_status(struct buffer *out, const struct report_sources *of);
/* "audit":"ok", "failed" or "off", and unless it is off "audit_log":{…} */
void report_audit(struct buffer *out, struct audit *audit);
/* {"what":"audit","detail"} when no log is kept, it has failed, or no checkpoint is made; false:
 * nothing is to be said. */
bool report_audit_warning(struct buffer *out, struct audit *audit, uint32_t checkpoint_s) MUST_USE;
/* "rooms":[…]: version, start and generation of each, and which values of the configuration in
 * force wait for its restart. `front` NULL: there is no httpd. */
void report_rooms(struct buffer *out, const struct view *view, struct watch *watch,
                  const struct door_front *front, const struct custody_start *start);
/* "stop":[…]: units of tokens that were in the configuration before and are no more. */
void report_dropped(struct buffer *out, const struct config *before, const struct config *now);
/* "tokens":[…]: what they are; in full also what they say of themselves and what their quirks are.
 */
void report_tokens(struct buffer *out, const struct config *config, struct watch *watch,
                   bool in_full);
/* `before`, then the bytes as a string of hexadecimal digits. */
void report_hex(struct buffer *out, const char *before, const uint8_t bytes[], size_t len);
/* The members of one key's object, without its braces: of the key alone, and with those that its
 * certificate has. */
void report_key_itself(struct buffer *out, const struct key *key);
void report_key(struct buffer *out, const struct key *key);
/* ,"history":[…] */
void report_history(struct buffer *out, const struct key *key);
void report_keys(struct buffer *out, const struct view *view);

#endif
