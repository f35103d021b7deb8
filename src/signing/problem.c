/* SPDX-License-Identifier: Apache-2.0
 * Problem details as JSON text. */
#include "signing/problem.h"

#include "jose/json.h"

#include <string.h>

/* A text that was cut to the size of its field may end inside a character: that character is left
 * out. */
static struct span whole_characters(const char *text)
{
    size_t len = strlen(text);
    size_t at = len;
    while (at > 0 && ((unsigned char)text[at - 1] & 0xC0) == 0x80) {
        at--;
    }
    if (at == 0 || (unsigned char)text[at - 1] < 0x80) {
        return span_of(text, len);
    }
    unsigned char lead = (unsigned char)text[at - 1];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    return span_of(text, len - (at - 1) == want ? len : at - 1);
}

void problem_put(struct buffer *out, enum outcome outcome, const struct reason *why,
                 const char *rule, const char *request_id)
{
    buffer_put_format(
        out, "{\"type\":\"urn:qseal:problem:%s\",\"title\":\"%s\",\"status\":%d,\"detail\":",
        outcome_name(outcome), outcome_title(outcome), outcome_status(outcome));
    json_put_string(out, whole_characters(why->detail));
    buffer_put_format(out, ",\"request_id\":\"%s\"", request_id);
    if (why->claim[0] != '\0') {
        buffer_put_text(out, ",\"claim\":");
        json_put_string(out, whole_characters(why->claim));
    }
    if (rule != NULL) {
        buffer_put_format(out, ",\"rule\":\"%s\"", rule);
    }
    buffer_put_text(out, "}");
}
