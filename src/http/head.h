/* SPDX-License-Identifier: Apache-2.0
 * What a request head must be before anything else is looked at. The HTTP library is lax where two
 * readers of one request could disagree about its end (RFC 9112 §11.2); here each such head is
 * refused, and the connection closed after it.
 *
 * Two things are known and accepted, because libmicrohttpd decides them before we see anything: a
 * header line without a name is dropped by it; and half a head that is pipelined behind a whole
 * request has been read by it already, so that its time limit is idle_ms, not head_ms. */
#ifndef QSEAL_HTTP_HEAD_H
#define QSEAL_HTTP_HEAD_H

#include "base/attributes.h"
#include "base/span.h"
#include "model/outcome.h"

#include <stdbool.h>
#include <stdint.h>

/* Filled field by field; starts as all zero. Spans are borrowed from the fields. */
struct head {
    unsigned int hosts;
    unsigned int content_lengths;
    unsigned int transfer_encodings;
    unsigned int content_types;
    unsigned int interaction_ids;
    unsigned int schemes;
    unsigned int keys;
    bool encoded;  /* a Content-Encoding is there */
    bool bad_name; /* a field name that is no token (RFC 9110 §5.1) */
    bool bad_length;
    bool bad_encoding;
    uint64_t content_length;
    struct span content_type;
    struct span interaction_id;
    struct span scheme; /* Qseal-Signature-Scheme */
    struct span key;    /* Qseal-Key */
};

void head_field(struct head *head, struct span name, struct span value);
/* OUTCOME_OK, or the refusal with a fixed text. `version` is as in the request line. */
enum outcome head_judge(const struct head *head, const char *version, uint64_t body_max,
                        const char **detail) MUST_USE;
/* Whether a body is announced. */
bool head_has_body(const struct head *head);

#endif
