/* SPDX-License-Identifier: Apache-2.0
 * The token service by frames. */
#include "token/remote.h"

#include "wire/channel.h"

#include <stdio.h>
#include <stdlib.h>

enum { PEER_SIZE = 80 };

/* Which refusals of a tokend are passed on, as in token/token.h. */
#define MAY(outcome) (1U << (outcome))
enum {
    MAY_ALL = MAY(OUTCOME_TOKEN_UNAVAILABLE) | MAY(OUTCOME_DEADLINE),
    MAY_SIGN = MAY_ALL | MAY(OUTCOME_SHAPE) | MAY(OUTCOME_KEY_MISMATCH) | MAY(OUTCOME_NO_KEY) |
               MAY(OUTCOME_PIN) | MAY(OUTCOME_VERIFY),
    MAY_GENERATE = MAY_ALL | MAY(OUTCOME_RULE) | MAY(OUTCOME_KEY_MISMATCH) | MAY(OUTCOME_PIN),
    MAY_DESTROY = MAY_ALL | MAY(OUTCOME_RULE) | MAY(OUTCOME_KEY_MISMATCH) | MAY(OUTCOME_NO_KEY) |
                  MAY(OUTCOME_PIN),
    MAY_STATUS = MAY_ALL,
    MAY_SHOW = MAY_ALL | MAY(OUTCOME_NO_KEY) | MAY(OUTCOME_KEY_MISMATCH) | MAY(OUTCOME_PIN),
    MAY_UNLOCK = MAY_ALL | MAY(OUTCOME_PIN) | MAY(OUTCOME_RULE),
};

struct token {
    struct channel channel;
    const char *path;     /* borrowed */
    char peer[PEER_SIZE]; /* what the channel's messages call it */
};

struct token *token_remote_new(const char *name, const char *socket_path)
{
    struct token *token = calloc(1, sizeof *token);
    if (token == NULL) {
        return NULL;
    }
    (void)snprintf(token->peer, sizeof token->peer, "tokend %s", name);
    token->path = socket_path;
    channel_init(&token->channel, socket_path, token->peer);
    return token;
}

void token_remote_free(struct token *token)
{
    if (token == NULL) {
        return;
    }
    channel_fini(&token->channel);
    free(token);
}

static enum outcome no_sense(const struct token *token, struct reason *why)
{
    return refuse(why, OUTCOME_TOKEN_UNAVAILABLE, "%s: the answer makes no sense", token->peer);
}

/* The tokend holds a vendor's module, so its word is doubted: it may be captured. Nobody at the
 * socket means for this service: the token cannot be used now. */
static enum outcome ask(struct token *token, struct deadline deadline, unsigned int may,
                        struct reader *answer, struct reason *why)
{
    *answer = (struct reader){.at = NULL};
    enum outcome outcome = channel_call(&token->channel, deadline, answer, why);
    why->claim[0] = '\0'; /* it knows no claims */
    if (outcome == OUTCOME_OK) {
        why->detail[0] = '\0';
        return OUTCOME_OK;
    }
    if (answer->failed) {
        return no_sense(token, why);
    }
    if (answer->at == NULL) { /* nothing came: these are the channel's words */
        return outcome == OUTCOME_UNAVAILABLE || outcome == OUTCOME_INTERNAL
                   ? OUTCOME_TOKEN_UNAVAILABLE
                   : outcome;
    }
    if ((may & MAY(outcome)) == 0) {
        return refuse(why, OUTCOME_TOKEN_UNAVAILABLE, "%s: not its answer to give: %s", token->peer,
                      outcome_name(outcome));
    }
    token_make_printable(why->detail);
    return outcome;
}

/* A channel asks again over a new connection when an old one turns out to be dead. A key is not
 * made twice and a PIN not tried twice for one question, so these start with a new one. */
static struct buffer *begin_once(struct token *token, uint8_t kind)
{
    channel_fini(&token->channel);
    channel_init(&token->channel, token->path, token->peer);
    return channel_begin(&token->channel, kind);
}

static enum outcome take_bytes(const struct token *token, struct reader *answer, size_t max,
                               struct buffer *out, struct reason *why)
{
    struct span bytes = reader_bytes(answer, max);
    if (!reader_done(answer) || bytes.len == 0) {
        return no_sense(token, why);
    }
    buffer_put_span(out, bytes);
    return buffer_ok(out) ? OUTCOME_OK : refuse(why, OUTCOME_INTERNAL, "no room for the answer");
}

enum outcome token_sign(struct token *token, const struct token_sign_request *request,
                        struct deadline deadline, struct buffer *signature, struct reason *why)
{
    token_put_sign(channel_begin(&token->channel, TOKEN_KIND_SIGN), request);
    struct reader answer;
    enum outcome outcome = ask(token, deadline, MAY_SIGN, &answer, why);
    return outcome == OUTCOME_OK ? take_bytes(token, &answer, SIGNATURE_MAX, signature, why)
                                 : outcome;
}

enum outcome token_generate(struct token *token, const struct token_generate_request *request,
                            struct deadline deadline, struct buffer *spki, struct reason *why)
{
    token_put_generate(begin_once(token, TOKEN_KIND_GENERATE), request);
    struct reader answer;
    enum outcome outcome = ask(token, deadline, MAY_GENERATE, &answer, why);
    return outcome == OUTCOME_OK ? take_bytes(token, &answer, SPKI_MAX, spki, why) : outcome;
}

enum outcome token_destroy(struct token *token, const struct token_destroy_request *request,
                           struct deadline deadline, struct reason *why)
{
    token_put_destroy(begin_once(token, TOKEN_KIND_DESTROY), request);
    struct reader answer;
    enum outcome outcome = ask(token, deadline, MAY_DESTROY, &answer, why);
    return outcome == OUTCOME_OK && !reader_done(&answer) ? no_sense(token, why) : outcome;
}

enum outcome token_status(struct token *token, struct deadline deadline, struct token_status *out,
                          struct reason *why)
{
    (void)channel_begin(&token->channel, TOKEN_KIND_STATUS);
    struct reader answer;
    enum outcome outcome = ask(token, deadline, MAY_STATUS, &answer, why);
    if (outcome == OUTCOME_OK && !token_get_status(&answer, out)) {
        return no_sense(token, why);
    }
    return outcome;
}

enum outcome token_show(struct token *token, const struct token_show_request *request,
                        struct deadline deadline, struct token_key *out, struct reason *why)
{
    token_put_show(channel_begin(&token->channel, TOKEN_KIND_SHOW), request);
    struct reader answer;
    enum outcome outcome = ask(token, deadline, MAY_SHOW, &answer, why);
    return outcome == OUTCOME_OK && !token_get_key(&answer, out) ? no_sense(token, why) : outcome;
}

enum outcome token_unlock(struct token *token, int pin, struct deadline deadline,
                          struct reason *why)
{
    (void)begin_once(token, TOKEN_KIND_UNLOCK);
    channel_pass(&token->channel, pin);
    struct reader answer;
    enum outcome outcome = ask(token, deadline, MAY_UNLOCK, &answer, why);
    return outcome == OUTCOME_OK && !reader_done(&answer) ? no_sense(token, why) : outcome;
}
