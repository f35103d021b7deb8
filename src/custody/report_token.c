/* SPDX-License-Identifier: Apache-2.0
 * Tokens for administrators: in short for status, in full for token list. */
#include "custody/report.h"
#include "jose/json.h"
#include "model/quirk.h"

static void put_text(struct buffer *out, const char *name, const char *value)
{
    buffer_put_format(out, ",\"%s\":", name);
    json_put_string(out, span_of_text(value));
}

/* null: it does not say. */
static void put_number(struct buffer *out, const char *name, uint64_t number)
{
    buffer_put_format(out, ",\"%s\":", name);
    if (number == TOKEN_UNKNOWN) {
        buffer_put_text(out, "null");
    } else if (number == TOKEN_NO_LIMIT) {
        buffer_put_text(out, "\"unlimited\"");
    } else {
        buffer_put_format(out, "%llu", (unsigned long long)number);
    }
}

static void put_flags(struct buffer *out, uint32_t flags)
{
    const char *between = "";
    buffer_put_text(out, ",\"flags\":[");
    for (unsigned int i = 0; i < TOKEN_FLAG_COUNT; i++) {
        if ((flags & 1U << i) != 0) {
            buffer_put_format(out, "%s\"%s\"", between, token_flag_name((enum token_flag)i));
            between = ",";
        }
    }
    buffer_put_text(out, "]");
}

static void put_quirks(struct buffer *out, const struct token_facts *facts)
{
    buffer_put_text(out, ",\"quirks\":[");
    for (unsigned int i = 0; i < QUIRK_COUNT; i++) {
        bool found = (facts->quirks_found & 1U << i) != 0;
        bool looked = (facts->quirks_looked & 1U << i) != 0;
        buffer_put_format(out, "%s{\"name\":\"%s\",\"state\":\"%s\"", i == 0 ? "" : ",",
                          quirk_name((enum quirk)i),
                          found    ? "found"
                          : looked ? "not-found"
                                   : "unknown");
        put_text(out, "text", quirk_text((enum quirk)i));
        buffer_put_text(out, "}");
    }
    buffer_put_text(out, "]");
}

static void put_facts(struct buffer *out, const struct token_status *status)
{
    static const char *const numbers[] = {
        [TOKEN_SESSIONS] = "sessions_open",    [TOKEN_SESSIONS_MAX] = "sessions_max",
        [TOKEN_PUBLIC_FREE] = "public_free",   [TOKEN_PUBLIC_TOTAL] = "public_total",
        [TOKEN_PRIVATE_FREE] = "private_free", [TOKEN_PRIVATE_TOTAL] = "private_total",
    };
    const struct token_facts *facts = &status->facts;
    /* A token that was never found has not said anything, not even a version. */
    bool said = facts->hardware[0] != '\0';
    put_text(out, "manufacturer", facts->manufacturer);
    put_text(out, "hardware", facts->hardware);
    put_text(out, "firmware", facts->firmware);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        put_number(out, numbers[i], said ? facts->numbers[i] : TOKEN_UNKNOWN);
    }
    put_flags(out, facts->flags);
    put_quirks(out, facts);
}

static void put_token(struct buffer *out, const struct config_token *token,
                      const struct token_status *status, bool in_full)
{
    buffer_put_format(out, "{\"name\":\"%s\",\"state\":\"%s\"", token->name,
                      token_state_name(status->state));
    put_text(out, "detail", status->detail);
    put_text(out, "label", status->label);
    put_text(out, "serial", status->serial);
    put_text(out, "model", status->model);
    put_text(out, "module", status->module);
    put_text(out, "pin", token->pin_typed ? "typed" : "pin-source");
    buffer_put_text(out, ",");
    report_algs(out, "hashed_here", status->prehash_algs);
    buffer_put_text(out, ",");
    report_algs(out, "hashed_in_token", status->token_hash_algs);
    buffer_put_format(out, ",\"sessions\":%u,\"signatures\":%llu", status->sessions,
                      (unsigned long long)status->signatures);
    if (status->started != 0) {
        buffer_put_text(out, ",");
        report_time(out, "started", status->started);
    }
    if (in_full) {
        put_facts(out, status);
    }
    buffer_put_text(out, "}");
}

void report_tokens(struct buffer *out, const struct config *config, struct watch *watch,
                   bool in_full)
{
    buffer_put_text(out, "\"tokens\":[");
    for (size_t i = 0; i < config->n_tokens; i++) {
        struct token_status status;
        (void)watch_state(watch, config->tokens[i].name, &status);
        buffer_put_text(out, i == 0 ? "" : ",");
        put_token(out, &config->tokens[i], &status, in_full);
    }
    buffer_put_text(out, "]");
}
