/* SPDX-License-Identifier: Apache-2.0
 * Marks of configuration values, as rows. */
#include "policy/config_mark.h"

#include <assert.h>

enum kind { KIND_TEXT, KIND_HIDDEN, KIND_NUMBER, KIND_FLAG, KIND_PIN, KIND_MECHANISMS };

struct row {
    const char *key;
    enum kind kind;
    bool of_config; /* of struct config; otherwise of struct config_token */
    size_t offset;
};

#define WHOLE(key, kind, member)                                                                   \
    {                                                                                              \
        key, kind, true, offsetof(struct config, member)                                           \
    }
#define TOKEN(key, kind, member)                                                                   \
    {                                                                                              \
        key, kind, false, offsetof(struct config_token, member)                                    \
    }

static_assert(sizeof(uid_t) == sizeof(uint32_t), "a uid is a number of 32 bits");

static const struct row qseald_rows[] = {
    WHOLE("sockets/callers", KIND_TEXT, sockets.callers),
    WHOLE("sockets/callers_second", KIND_TEXT, sockets.callers_second),
    WHOLE("sockets/admin", KIND_TEXT, sockets.admin),
    WHOLE("sockets/signing", KIND_TEXT, sockets.signing),
    WHOLE("state", KIND_TEXT, state),
    WHOLE("users/httpd", KIND_NUMBER, httpd_uid),
    WHOLE("limits/workers", KIND_NUMBER, limits.workers),
    WHOLE("limits/connections", KIND_NUMBER, limits.connections),
    WHOLE("limits/body_max", KIND_NUMBER, limits.body_max),
    WHOLE("limits/head_ms", KIND_NUMBER, limits.head_ms),
    WHOLE("limits/body_ms", KIND_NUMBER, limits.body_ms),
    WHOLE("limits/idle_ms", KIND_NUMBER, limits.idle_ms),
    WHOLE("limits/deadline_ms", KIND_NUMBER, limits.deadline_ms),
    WHOLE("limits/drain_ms", KIND_NUMBER, limits.drain_ms),
    WHOLE("audit/enabled", KIND_FLAG, audit.enabled),
    WHOLE("audit/folder", KIND_TEXT, audit.folder),
    WHOLE("audit/segment_mib", KIND_NUMBER, audit.segment_mib),
    WHOLE("audit/segment_age_s", KIND_NUMBER, audit.segment_age_s),
};
static_assert(COUNT_OF(qseald_rows) <= CONFIG_MARKS_MAX, "room for every mark");

static const struct row tokend_rows[] = {
    TOKEN("socket", KIND_TEXT, socket),
    TOKEN("module", KIND_TEXT, module),
    TOKEN("uri", KIND_HIDDEN, uri), /* it says where the PIN is */
    TOKEN("pin", KIND_PIN, pin_typed),
    TOKEN("state", KIND_TEXT, state),
    TOKEN("sessions", KIND_NUMBER, sessions),
    TOKEN("deadline_ms", KIND_NUMBER, deadline_ms),
    TOKEN("mechanisms", KIND_MECHANISMS, mechanisms),
    TOKEN("session_copy", KIND_FLAG, session_copy),
    WHOLE("users/qseald", KIND_NUMBER, qseald_uid),
};
static_assert(COUNT_OF(tokend_rows) <= CONFIG_MARKS_MAX, "room for every mark");

static const char *mechanisms_name(enum mechanism_mode mode)
{
    static const char *const names[] = {[MECHANISMS_AUTO] = "auto",
                                        [MECHANISMS_PREHASH] = "prehash",
                                        [MECHANISMS_TOKEN_HASH] = "token-hash"};
    return names[mode];
}

static void put_value(const struct row *row, const struct config *config,
                      const struct config_token *token, struct buffer *out)
{
    const char *base = row->of_config ? (const char *)config : (const char *)token;
    const void *at = base + row->offset;
    switch (row->kind) {
    case KIND_HIDDEN:
    case KIND_TEXT: {
        const char *text = *(char *const *)at;
        buffer_put_text(out, text == NULL ? "none" : text);
        return;
    }
    case KIND_NUMBER:
        buffer_put_format(out, "%u", *(const uint32_t *)at);
        return;
    case KIND_FLAG:
        buffer_put_text(out, *(const bool *)at ? "true" : "false");
        return;
    case KIND_PIN:
        buffer_put_text(out, *(const bool *)at ? "typed" : "in the uri");
        return;
    case KIND_MECHANISMS:
        buffer_put_text(out, mechanisms_name(*(const enum mechanism_mode *)at));
        return;
    }
}

/* FNV-1a, 64 bits: it tells changes apart and guards nothing. */
static uint64_t mark_of(struct span text)
{
    uint64_t mark = 0xcbf29ce484222325U;
    for (size_t i = 0; i < text.len; i++) {
        mark = (mark ^ text.data[i]) * 0x100000001b3U;
    }
    return mark;
}

void config_mark_text(const struct config *config, const struct config_token *token, size_t index,
                      struct buffer *out)
{
    const struct row *row = token == NULL ? &qseald_rows[index] : &tokend_rows[index];
    buffer_put_text(out, row->key);
    if (row->kind != KIND_HIDDEN) {
        buffer_put_text(out, ": ");
        put_value(row, config, token, out);
    }
}

void config_marks(const struct config *config, const struct config_token *token,
                  struct config_marks *out)
{
    enum { TEXT_MAX = 8192 };
    *out =
        (struct config_marks){.n = token == NULL ? COUNT_OF(qseald_rows) : COUNT_OF(tokend_rows)};
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(TEXT_MAX);
    for (size_t i = 0; i < out->n; i++) {
        buffer_reset(&text);
        put_value(token == NULL ? &qseald_rows[i] : &tokend_rows[i], config, token, &text);
        out->values[i] = mark_of(buffer_span(&text));
    }
}
