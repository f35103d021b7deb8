/* SPDX-License-Identifier: Apache-2.0
 * Tokens on which something was not done. */
#include "custody/failures.h"

#include "jose/json.h"

void failures_add(struct failures *failures, const char *token, enum outcome outcome,
                  const struct reason *why)
{
    struct buffer *list = &failures->list;
    if (failures->n++ == 0) {
        failures->outcome = outcome;
        failures->why = *why;
    }
    buffer_put_format(list, "%s{\"token\":\"%s\",\"outcome\":\"%s\",\"detail\":",
                      list->len == 0 ? "" : ",", token, outcome_name(outcome));
    json_put_string(list, span_of_text(why->detail));
    buffer_put_text(list, "}");
}

void failures_put(const struct failures *failures, struct buffer *out)
{
    if (failures->n > 0) {
        buffer_put_text(out, ",\"failed\":[");
        buffer_put_span(out, buffer_span(&failures->list));
        buffer_put_text(out, "]");
    }
}

enum outcome failures_outcome(const struct failures *failures, size_t n_done, struct reason *why)
{
    if (n_done > 0 || failures->n == 0) {
        return OUTCOME_OK;
    }
    *why = failures->why;
    return failures->outcome;
}
