/* SPDX-License-Identifier: Apache-2.0
 * What a token says of a key. */
#include "custody/in_token.h"

#include "jose/json.h"
#include "token/remote.h"

#include <string.h>

enum { SHOW_DEADLINE_MS = 3000 };

static const char *json_of(enum token_answer answer)
{
    return answer == ANSWER_NONE ? "null" : answer == ANSWER_TRUE ? "true" : "false";
}

/* The names, with blanks between, as a list. */
static void put_mechanisms(struct buffer *out, const struct token_key *shown)
{
    struct span rest = span_of_text(shown->mechanisms);
    const char *between = "";
    buffer_put_text(out, ",\"allowed_mechanisms\":");
    if (!shown->has_mechanisms) {
        buffer_put_text(out, "null");
        return;
    }
    buffer_put_text(out, "[");
    while (rest.len > 0) {
        size_t end = span_find(rest, ' ');
        buffer_put_text(out, between);
        json_put_string(out, span_part(rest, 0, end));
        rest = span_part(rest, end + 1, rest.len);
        between = ",";
    }
    buffer_put_text(out, "]");
}

static void put_shown(struct buffer *out, const struct token_key *shown)
{
    buffer_put_format(out, ",\"is_pinned\":%s,\"label\":", shown->is_pinned ? "true" : "false");
    json_put_string(out, span_of_text(shown->label));
    buffer_put_text(out, ",\"attributes\":{");
    for (unsigned int i = 0; i < TOKEN_ATTRIBUTE_COUNT; i++) {
        buffer_put_format(out, "%s\"%s\":%s", i == 0 ? "" : ",",
                          token_attribute_name((enum token_attribute)i),
                          json_of(shown->attributes[i]));
    }
    buffer_put_text(out, "}");
    put_mechanisms(out, shown);
    buffer_put_text(out, ",\"signatures\":");
    if (shown->signatures == TOKEN_UNKNOWN) {
        buffer_put_text(out, "null,");
    } else {
        buffer_put_format(out, "%llu,", (unsigned long long)shown->signatures);
    }
    report_time(out, "counted_since", shown->started);
}

enum outcome in_token_ask(const struct act *act, const struct key *key, struct token_key *shown,
                          struct reason *why)
{
    const struct config_token *config = config_token(act->view->policy->config, key->token);
    struct token_status status;
    if (config == NULL) {
        return refuse(why, OUTCOME_TOKEN_UNAVAILABLE, "the configuration has no such token");
    }
    enum token_state state = watch_state(act->custody->room.watch, key->token, &status);
    if (state != TOKEN_READY) {
        return refuse(why, OUTCOME_TOKEN_UNAVAILABLE, "token %s is %s: %.300s", key->token,
                      token_state_name(state), status.detail);
    }
    struct token_show_request request;
    memcpy(request.key_id, key->key_id, sizeof request.key_id);
    memcpy(request.spki_digest, public_key_spki_sha256(key->public_key),
           sizeof request.spki_digest);
    struct token *token = token_remote_new(config->name, config->socket);
    if (token == NULL) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    enum outcome outcome =
        token_show(token, &request, deadline_in_ms(SHOW_DEADLINE_MS), shown, why);
    token_remote_free(token);
    return outcome;
}

void in_token_put(struct buffer *out, enum outcome outcome, const struct token_key *shown,
                  const struct reason *why)
{
    buffer_put_format(out, ",\"in_token\":{\"outcome\":\"%s\"", outcome_name(outcome));
    if (outcome == OUTCOME_OK) {
        put_shown(out, shown);
    } else {
        buffer_put_text(out, ",\"detail\":");
        json_put_string(out, span_of_text(why->detail));
    }
    buffer_put_text(out, "}");
}
