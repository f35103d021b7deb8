/* SPDX-License-Identifier: Apache-2.0
 * The fields of the token door's frames, each written and read once. */
#include "token/token.h"

#include <assert.h>
#include <string.h>

static const char *const state_names[] = {
    [TOKEN_READY] = "ready",
    [TOKEN_ABSENT] = "absent",
    [TOKEN_LOCKED] = "locked",
    [TOKEN_DOWN] = "down",
};
static_assert(COUNT_OF(state_names) == TOKEN_DOWN + 1, "a name for every state");

const char *token_state_name(enum token_state state)
{
    return state_names[state];
}

static const char *const attribute_names[] = {
    [ATTRIBUTE_PRIVATE] = "CKA_PRIVATE",
    [ATTRIBUTE_SENSITIVE] = "CKA_SENSITIVE",
    [ATTRIBUTE_ALWAYS_SENSITIVE] = "CKA_ALWAYS_SENSITIVE",
    [ATTRIBUTE_EXTRACTABLE] = "CKA_EXTRACTABLE",
    [ATTRIBUTE_NEVER_EXTRACTABLE] = "CKA_NEVER_EXTRACTABLE",
    [ATTRIBUTE_LOCAL] = "CKA_LOCAL",
    [ATTRIBUTE_MODIFIABLE] = "CKA_MODIFIABLE",
    [ATTRIBUTE_ALWAYS_AUTHENTICATE] = "CKA_ALWAYS_AUTHENTICATE",
    [ATTRIBUTE_SIGN] = "CKA_SIGN",
    [ATTRIBUTE_SIGN_RECOVER] = "CKA_SIGN_RECOVER",
    [ATTRIBUTE_DECRYPT] = "CKA_DECRYPT",
    [ATTRIBUTE_UNWRAP] = "CKA_UNWRAP",
    [ATTRIBUTE_DERIVE] = "CKA_DERIVE",
};
static_assert(COUNT_OF(attribute_names) == TOKEN_ATTRIBUTE_COUNT, "a name for every attribute");

const char *token_attribute_name(enum token_attribute attribute)
{
    return attribute_names[attribute];
}

static const char *const flag_names[] = {
    [TOKEN_LOGIN_REQUIRED] = "login-required",
    [TOKEN_PIN_INITIALIZED] = "pin-initialized",
    [TOKEN_PIN_COUNT_LOW] = "pin-count-low",
    [TOKEN_PIN_FINAL_TRY] = "pin-final-try",
    [TOKEN_PIN_LOCKED] = "pin-locked",
    [TOKEN_PIN_TO_BE_CHANGED] = "pin-to-be-changed",
    [TOKEN_PIN_PAD] = "pin-pad",
    [TOKEN_WRITE_PROTECTED] = "write-protected",
    [TOKEN_HAS_RANDOM] = "has-random",
};
static_assert(COUNT_OF(flag_names) == TOKEN_FLAG_COUNT, "a name for every flag");

const char *token_flag_name(enum token_flag flag)
{
    return flag_names[flag];
}

static bool get_exactly(struct reader *frame, uint8_t *out, size_t len)
{
    struct span bytes = reader_bytes(frame, len);
    if (bytes.len != len) {
        frame->failed = true;
        return false;
    }
    memcpy(out, bytes.data, len);
    return true;
}

static bool get_purpose(struct reader *frame, enum purpose *out)
{
    uint8_t number = reader_u8(frame);
    if (!purpose_is_known(number)) {
        return false;
    }
    *out = (enum purpose)number;
    return true;
}

void token_put_sign(struct buffer *frame, const struct token_sign_request *request)
{
    buffer_put_u8(frame, (uint8_t)request->purpose);
    buffer_put_u8(frame, (uint8_t)request->use);
    buffer_put_u8(frame, (uint8_t)request->alg);
    buffer_put_bytes(frame, span_of(request->key_id, sizeof request->key_id));
    buffer_put_bytes(frame, span_of(request->spki_digest, sizeof request->spki_digest));
    buffer_put_bytes(frame, request->input);
}

bool token_get_sign(struct reader *frame, struct token_sign_request *out)
{
    if (!get_purpose(frame, &out->purpose)) {
        return false;
    }
    uint8_t use = reader_u8(frame);
    uint8_t alg = reader_u8(frame);
    if (use >= TOKEN_USE_COUNT || !alg_is_known(alg) ||
        !get_exactly(frame, out->key_id, sizeof out->key_id) ||
        !get_exactly(frame, out->spki_digest, sizeof out->spki_digest)) {
        return false;
    }
    out->use = (enum token_use)use;
    out->alg = (enum alg)alg;
    out->input = reader_bytes(frame, TOKEN_INPUT_MAX);
    return reader_done(frame);
}

void token_put_generate(struct buffer *frame, const struct token_generate_request *request)
{
    buffer_put_u8(frame, (uint8_t)request->purpose);
    buffer_put_u8(frame, (uint8_t)request->type);
    buffer_put_u32(frame, request->algs);
    buffer_put_bytes(frame, span_of_text(request->role));
    buffer_put_bytes(frame, span_of(request->key_id, sizeof request->key_id));
}

bool token_get_generate(struct reader *frame, struct token_generate_request *out)
{
    if (!get_purpose(frame, &out->purpose)) {
        return false;
    }
    uint8_t type = reader_u8(frame);
    if (!key_type_is_known(type)) {
        return false;
    }
    out->type = (enum key_type)type;
    out->algs = reader_u32(frame);
    reader_text(frame, out->role, sizeof out->role);
    return get_exactly(frame, out->key_id, sizeof out->key_id) && reader_done(frame);
}

void token_put_destroy(struct buffer *frame, const struct token_destroy_request *request)
{
    buffer_put_u8(frame, (uint8_t)request->purpose);
    buffer_put_bytes(frame, span_of(request->key_id, sizeof request->key_id));
    buffer_put_bytes(frame, span_of(request->spki_digest, sizeof request->spki_digest));
}

bool token_get_destroy(struct reader *frame, struct token_destroy_request *out)
{
    return get_purpose(frame, &out->purpose) &&
           get_exactly(frame, out->key_id, sizeof out->key_id) &&
           get_exactly(frame, out->spki_digest, sizeof out->spki_digest) && reader_done(frame);
}

void token_put_show(struct buffer *frame, const struct token_show_request *request)
{
    buffer_put_bytes(frame, span_of(request->key_id, sizeof request->key_id));
    buffer_put_bytes(frame, span_of(request->spki_digest, sizeof request->spki_digest));
}

bool token_get_show(struct reader *frame, struct token_show_request *out)
{
    return get_exactly(frame, out->key_id, sizeof out->key_id) &&
           get_exactly(frame, out->spki_digest, sizeof out->spki_digest) && reader_done(frame);
}

void token_make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~') {
            *text = '?';
        }
    }
}

static void get_printable(struct reader *frame, char *out, size_t size)
{
    reader_text(frame, out, size);
    token_make_printable(out);
}

static void put_facts(struct buffer *frame, const struct token_facts *facts)
{
    buffer_put_bytes(frame, span_of_text(facts->manufacturer));
    buffer_put_bytes(frame, span_of_text(facts->hardware));
    buffer_put_bytes(frame, span_of_text(facts->firmware));
    buffer_put_u32(frame, facts->flags);
    for (size_t i = 0; i < COUNT_OF(facts->numbers); i++) {
        buffer_put_u64(frame, facts->numbers[i]);
    }
    buffer_put_u32(frame, facts->quirks_looked);
    buffer_put_u32(frame, facts->quirks_found);
}

static void get_facts(struct reader *frame, struct token_facts *out)
{
    get_printable(frame, out->manufacturer, sizeof out->manufacturer);
    get_printable(frame, out->hardware, sizeof out->hardware);
    get_printable(frame, out->firmware, sizeof out->firmware);
    out->flags = reader_u32(frame);
    for (size_t i = 0; i < COUNT_OF(out->numbers); i++) {
        out->numbers[i] = reader_u64(frame);
    }
    out->quirks_looked = reader_u32(frame);
    out->quirks_found = reader_u32(frame);
}

static void get_marks(struct reader *frame, struct token_status *out)
{
    out->n_marks = reader_u32(frame);
    if (out->n_marks > COUNT_OF(out->marks)) {
        frame->failed = true;
        out->n_marks = 0;
    }
    for (size_t i = 0; i < COUNT_OF(out->marks); i++) {
        out->marks[i] = i < out->n_marks ? reader_u64(frame) : 0;
    }
}

void token_put_status(struct buffer *frame, const struct token_status *status)
{
    buffer_put_u8(frame, (uint8_t)status->state);
    buffer_put_bytes(frame, span_of_text(status->label));
    buffer_put_bytes(frame, span_of_text(status->serial));
    buffer_put_bytes(frame, span_of_text(status->model));
    buffer_put_bytes(frame, span_of_text(status->module));
    buffer_put_bytes(frame, span_of_text(status->detail));
    buffer_put_u32(frame, status->prehash_algs);
    buffer_put_u32(frame, status->token_hash_algs);
    buffer_put_u32(frame, status->sessions);
    buffer_put_u64(frame, status->signatures);
    buffer_put_u64(frame, (uint64_t)status->started);
    buffer_put_bytes(frame, span_of_text(status->version));
    buffer_put_u32(frame, status->n_marks);
    for (size_t i = 0; i < status->n_marks; i++) {
        buffer_put_u64(frame, status->marks[i]);
    }
    put_facts(frame, &status->facts);
}

bool token_get_status(struct reader *frame, struct token_status *out)
{
    uint8_t state = reader_u8(frame);
    if (state > TOKEN_DOWN) {
        return false;
    }
    out->state = (enum token_state)state;
    get_printable(frame, out->label, sizeof out->label);
    get_printable(frame, out->serial, sizeof out->serial);
    get_printable(frame, out->model, sizeof out->model);
    get_printable(frame, out->module, sizeof out->module);
    get_printable(frame, out->detail, sizeof out->detail);
    out->prehash_algs = reader_u32(frame);
    out->token_hash_algs = reader_u32(frame);
    out->sessions = reader_u32(frame);
    out->signatures = reader_u64(frame);
    out->started = (int64_t)reader_u64(frame);
    get_printable(frame, out->version, sizeof out->version);
    get_marks(frame, out);
    get_facts(frame, &out->facts);
    return reader_done(frame);
}

void token_put_key(struct buffer *frame, const struct token_key *key)
{
    for (size_t i = 0; i < COUNT_OF(key->attributes); i++) {
        buffer_put_u8(frame, (uint8_t)key->attributes[i]);
    }
    buffer_put_bytes(frame, span_of_text(key->label));
    buffer_put_u8(frame, key->has_mechanisms ? 1 : 0);
    buffer_put_bytes(frame, span_of_text(key->mechanisms));
    buffer_put_u8(frame, key->is_pinned ? 1 : 0);
    buffer_put_u64(frame, key->signatures);
    buffer_put_u64(frame, (uint64_t)key->started);
}

static bool get_flag(struct reader *frame)
{
    uint8_t number = reader_u8(frame);
    frame->failed = frame->failed || number > 1;
    return number == 1;
}

bool token_get_key(struct reader *frame, struct token_key *out)
{
    for (size_t i = 0; i < COUNT_OF(out->attributes); i++) {
        uint8_t number = reader_u8(frame);
        if (number > ANSWER_NONE) {
            return false;
        }
        out->attributes[i] = (enum token_answer)number;
    }
    get_printable(frame, out->label, sizeof out->label);
    out->has_mechanisms = get_flag(frame);
    get_printable(frame, out->mechanisms, sizeof out->mechanisms);
    out->is_pinned = get_flag(frame);
    out->signatures = reader_u64(frame);
    out->started = (int64_t)reader_u64(frame);
    return reader_done(frame);
}
