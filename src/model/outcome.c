/* SPDX-License-Identifier: Apache-2.0
 * The closed list of outcomes, as rows. */
#include "model/outcome.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

struct row {
    const char *name;
    const char *title;
    int status;
    int retry_after_s;
};

static const struct row rows[] = {
    [OUTCOME_OK] = {"ok", "Done", 200, 0},
    [OUTCOME_MALFORMED] = {"malformed", "The request is not well formed", 400, 0},
    [OUTCOME_NOT_GRANTED] = {"not-granted", "Not granted to this caller", 403, 0},
    [OUTCOME_NOT_FOUND] = {"not-found", "No such profile, role or path", 404, 0},
    [OUTCOME_METHOD] = {"method-not-allowed", "Method not allowed here", 405, 0},
    [OUTCOME_TOO_LARGE] = {"too-large", "The body is too large", 413, 0},
    [OUTCOME_MEDIA_TYPE] = {"unsupported-media-type", "Media type not taken here", 415, 0},
    [OUTCOME_RULE] = {"rule-refused", "Refused by a rule of the profile", 422, 0},
    [OUTCOME_LIMIT] = {"limit-exceeded", "Over the caller's limit", 429, 1},
    [OUTCOME_TOKEN_UNAVAILABLE] = {"token-unavailable", "No token is available", 503, 1},
    [OUTCOME_NO_KEY] = {"no-active-key", "The role has no active key", 503, 30},
    [OUTCOME_UNAVAILABLE] = {"unavailable", "The service is not ready", 503, 1},
    [OUTCOME_DEADLINE] = {"deadline", "The deadline has passed", 504, 0},
    [OUTCOME_VERIFY] = {"signature-not-verified", "The signature did not verify and was withheld",
                        500, 0},
    [OUTCOME_SHAPE] = {"shape-refused", "Not what a key of this purpose signs", 500, 0},
    [OUTCOME_KEY_MISMATCH] = {"key-mismatch", "The token's key is not the pinned one", 503, 30},
    [OUTCOME_PIN] = {"pin-refused", "The token refused the PIN; a person must look", 503, 30},
    [OUTCOME_CLOCK] = {"clock-unconfirmed", "The clock has jumped; a person must confirm it", 503,
                       30},
    [OUTCOME_AUDIT] = {"audit-unavailable", "The audit log cannot be written", 503, 5},
    [OUTCOME_INTERNAL] = {"internal", "Internal fault", 500, 0},
};
static_assert(COUNT_OF(rows) == OUTCOME_COUNT, "a row for every outcome");

const char *outcome_name(enum outcome outcome)
{
    return rows[outcome].name;
}

const char *outcome_title(enum outcome outcome)
{
    return rows[outcome].title;
}

int outcome_status(enum outcome outcome)
{
    return rows[outcome].status;
}

int outcome_retry_after_s(enum outcome outcome)
{
    return rows[outcome].retry_after_s;
}

bool outcome_is_known(unsigned int number)
{
    return number < OUTCOME_COUNT;
}

enum outcome refuse(struct reason *why, enum outcome outcome, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    why->claim[0] = '\0';
    (void)vsnprintf(why->detail, sizeof why->detail, format, args);
    va_end(args);
    return outcome;
}

enum outcome refuse_claim(struct reason *why, enum outcome outcome, const char *pointer,
                          const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)snprintf(why->claim, sizeof why->claim, "%s", pointer);
    (void)vsnprintf(why->detail, sizeof why->detail, format, args);
    va_end(args);
    return outcome;
}
