/* SPDX-License-Identifier: Apache-2.0
 * Answers: qseald's, passed on, and httpd's own. */
#include "roles/httpd/httpd.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "http/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_MAX = 4096 };

static bool put_header(struct MHD_Response *response, const char *name, const char *value)
{
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

/* What every answer carries. */
static bool put_headers(const struct httpd *httpd, const struct peer *peer,
                        struct MHD_Response *response, const struct signing_answer *answer)
{
    char text[CACHE_CONTROL_SIZE];
    const char *type = answer_media_type(answer->media);
    int retry_after_s = outcome_retry_after_s(answer->outcome);
    bool good = put_header(response, "Qseal-Request-Id", answer->request_id) &&
                put_header(response, "X-Content-Type-Options", "nosniff");
    if (answer->peer[0] != '\0') {
        good = good && put_header(response, "Qseal-Peer", answer->peer);
    }
    answer_cache_control(answer->max_age_s, text);
    good = good && put_header(response, "Cache-Control", text);
    if (type != NULL) {
        good = good && put_header(response, "Content-Type", type);
    }
    if (retry_after_s > 0) {
        (void)snprintf(text, sizeof text, "%d", retry_after_s);
        good = good && put_header(response, "Retry-After", text);
    }
    if (answer->outcome == OUTCOME_METHOD) {
        good = good && put_header(response, "Allow", peer->allow);
    }
    if (peer_is_closing(httpd, peer)) {
        good = good && put_header(response, "Connection", "close");
    }
    return good;
}

static bool give(struct httpd *httpd, struct peer *peer, const struct signing_answer *answer,
                 enum MHD_ResponseMemoryMode mode)
{
    /* The library takes a pointer to changeable bytes and changes nothing in these modes. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body.len, (void *)(uintptr_t)answer->body.data, mode);
    if (response == NULL) {
        return false;
    }
    bool asked = peer->state == PEER_ASKED;
    unsigned int status = (unsigned int)outcome_status(answer->outcome);
    bool queued = put_headers(httpd, peer, response, answer) &&
                  MHD_queue_response(peer->connection, status, response) == MHD_YES;
    MHD_destroy_response(response); /* our share of it */
    if (!queued) {
        return false;
    }
    /* The time for sending a body is also the time for taking one. */
    peer_enter(httpd, peer, PEER_REPLYING, httpd->settings.body_ms);
    if (asked) {
        MHD_resume_connection(peer->connection);
    }
    httpd->engine_pending = true;
    return true;
}

void answers_give(struct httpd *httpd, struct peer *peer, const struct signing_answer *answer)
{
    if (!give(httpd, peer, answer, MHD_RESPMEM_PERSISTENT)) {
        peer_refuse_asked(httpd, peer, OUTCOME_INTERNAL, "the answer could not be formed");
    }
}

static void say(struct httpd *httpd, const struct peer *peer, enum outcome outcome,
                const char *detail)
{
    if (outcome == OUTCOME_LIMIT) { /* what a greedy caller could fill the log with */
        log_debug("uid %u: %s: %s", peer->queue->uid, outcome_name(outcome), detail);
        return;
    }
    if (log_limit_allows(&httpd->said)) {
        log_info("uid %u: %s: %s", peer->queue->uid, outcome_name(outcome), detail);
    }
}

bool answers_refuse(struct httpd *httpd, struct peer *peer, enum outcome outcome,
                    const char *detail)
{
    BUFFER_CLEANUP struct buffer body = BUFFER_INIT(ANSWER_MAX);
    struct signing_answer answer = {.outcome = outcome, .media = MEDIA_PROBLEM};
    random_uuid(answer.request_id);
    answer_put_problem(&body, outcome, detail, answer.request_id);
    answer.body = buffer_span(&body);
    say(httpd, peer, outcome, detail);
    return buffer_ok(&body) && give(httpd, peer, &answer, MHD_RESPMEM_MUST_COPY);
}

void answers_last_word(struct httpd *httpd, const struct peer *peer, enum outcome outcome,
                       const char *detail)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(ANSWER_MAX);
    char id[UUID_TEXT_SIZE];
    char date[HTTP_DATE_SIZE];
    random_uuid(id);
    answer_date(clock_wall_s(), date);
    answer_put_closing(&text, outcome, detail, id, date);
    say(httpd, peer, outcome, detail);
    /* Earlier answers on this connection have been written whole, so this one is in its place. If
     * it does not fit, the caller has not been reading, and the closing is all it gets. */
    if (!buffer_ok(&text) || send(peer->fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        log_debug("uid %u: the refusal could not be sent: %s", peer->queue->uid, strerror(errno));
    }
    (void)shutdown(peer->fd, SHUT_WR);
}
