/* SPDX-License-Identifier: Apache-2.0
 * Questions and the order in which they are asked: first come first served within a uid, in turns
 * between uids, so that a caller who asks much delays only itself. */
#include "roles/httpd/httpd.h"

#include "wire/frame.h"

#include <stdlib.h>

enum {
    KEEP_ROOM = 64 * 1024, /* a pooled buffer above this is given back */
    POOL_MAX = 64,
    HELD_MAX = 96 * 1024 * 1024, /* bytes of bodies: of all users, and of one */
    HELD_MAX_OF_ONE = 64 * 1024 * 1024,
    ACTIVE_MS = 1000, /* who asked within this time may ask again at any moment */
};

struct queue *queue_of(struct httpd *httpd, uint32_t uid)
{
    for (struct queue *queue = httpd->queues; queue != NULL; queue = queue->next) {
        if (queue->uid == uid) {
            queue->users++;
            return queue;
        }
    }
    struct queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL) {
        return NULL;
    }
    *queue = (struct queue){.next = httpd->queues, .uid = uid, .users = 1};
    httpd->queues = queue;
    return queue;
}

void queue_release(struct httpd *httpd, struct queue *queue)
{
    if (queue == NULL || --queue->users > 0) {
        return;
    }
    struct queue **at = &httpd->queues;
    while (*at != queue) {
        at = &(*at)->next;
    }
    *at = queue->next;
    free(queue);
}

static void question_free(struct question *question)
{
    buffer_fini(&question->frame);
    buffer_fini(&question->reply);
    free(question);
}

static struct question *question_take(struct httpd *httpd)
{
    struct question *question = httpd->pool;
    if (question != NULL) {
        httpd->pool = question->next;
        httpd->n_pool--;
        question->next = NULL;
        return question;
    }
    question = calloc(1, sizeof *question);
    if (question == NULL) {
        return NULL;
    }
    question->frame = BUFFER_INIT(FRAME_HEADER_LEN + FRAME_PAYLOAD_MAX);
    question->reply = BUFFER_INIT(FRAME_HEADER_LEN + FRAME_PAYLOAD_MAX + 1);
    return question;
}

static void buffer_keep(struct buffer *buffer)
{
    buffer_trim(buffer, KEEP_ROOM);
    buffer_reset(buffer);
}

void question_give_back(struct httpd *httpd, struct question *question)
{
    if (httpd->n_pool >= POOL_MAX) {
        question_free(question);
        return;
    }
    buffer_keep(&question->frame);
    buffer_keep(&question->reply);
    question->peer = NULL;
    question->asked_again = false;
    question->next = httpd->pool;
    httpd->pool = question;
    httpd->n_pool++;
}

void questions_free(struct httpd *httpd)
{
    while (httpd->pool != NULL) {
        struct question *question = httpd->pool;
        httpd->pool = question->next;
        question_free(question);
    }
}

/* Whether so many bytes more may be held of this user's bodies. */
static enum outcome may_hold(const struct httpd *httpd, const struct queue *queue, size_t more,
                             const char **detail)
{
    if (more > HELD_MAX_OF_ONE - queue->held) {
        *detail = "too many bytes of this user at once";
        return OUTCOME_LIMIT;
    }
    if (more > HELD_MAX - httpd->held) {
        *detail = "too many bytes of requests at once";
        return OUTCOME_UNAVAILABLE;
    }
    return OUTCOME_OK;
}

static void hold(struct httpd *httpd, struct question *question, size_t more)
{
    question->held += more;
    question->queue->held += more;
    httpd->held += more;
}

/* The frame up to the body, which is its last field (signing_put_request), with room for that. */
static bool frame_start(struct question *question, const struct signing_request *request,
                        size_t length)
{
    struct buffer *frame = &question->frame;
    frame_begin(frame, SIGNING_KIND_ASK);
    signing_put_request(frame, request);
    question->body_at = frame->len;
    bool roomy = buffer_extend(frame, length) != NULL;
    buffer_cut(frame, question->body_at);
    return roomy;
}

enum outcome question_begin(struct httpd *httpd, struct peer *peer, size_t length,
                            const char **detail)
{
    struct queue *queue = peer->queue;
    if (queue->in_flight >= peer->in_flight_max) {
        *detail = "too many requests of this user at once";
        return OUTCOME_LIMIT;
    }
    enum outcome outcome = may_hold(httpd, queue, length, detail);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    struct question *question = question_take(httpd);
    *detail = "out of memory";
    if (question == NULL) {
        return OUTCOME_UNAVAILABLE;
    }
    if (!frame_start(question, &peer->request, length)) {
        question_give_back(httpd, question);
        return OUTCOME_UNAVAILABLE;
    }
    question->peer = peer;
    question->queue = queue;
    queue->users++;
    queue->in_flight++;
    hold(httpd, question, length);
    peer->question = question;
    return OUTCOME_OK;
}

size_t question_body_len(const struct question *question)
{
    return question->frame.len - question->body_at;
}

/* What Content-Length announced is held already. */
enum outcome question_put_body(struct httpd *httpd, struct question *question, struct span bytes,
                               const char **detail)
{
    size_t len = question_body_len(question) + bytes.len;
    size_t more = len > question->held ? len - question->held : 0;
    enum outcome outcome = may_hold(httpd, question->queue, more, detail);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    hold(httpd, question, more);
    buffer_put_span(&question->frame, bytes);
    *detail = "out of memory";
    return buffer_ok(&question->frame) ? OUTCOME_OK : OUTCOME_UNAVAILABLE;
}

bool question_end(struct question *question)
{
    size_t len = question_body_len(question);
    uint8_t *field = question->frame.data + question->body_at - sizeof(uint32_t);
    for (size_t i = 0; i < sizeof(uint32_t); i++) { /* big-endian, as in base/buffer.h */
        field[i] = (uint8_t)(len >> (24 - 8 * i));
    }
    return frame_end(&question->frame);
}

static void take_turn(struct httpd *httpd, struct queue *queue)
{
    queue->turn = NULL;
    if (httpd->turn_last != NULL) {
        httpd->turn_last->turn = queue;
    } else {
        httpd->turn_first = queue;
    }
    httpd->turn_last = queue;
}

static void note_asker(struct httpd *httpd, uint32_t uid)
{
    if (httpd->last_asker.uid != uid) {
        httpd->other_asker = httpd->last_asker;
    }
    httpd->last_asker = (struct asker){.uid = uid, .at_ms = httpd->now_ms};
}

void question_wait(struct httpd *httpd, struct question *question)
{
    struct queue *queue = question->queue;
    question->next = NULL;
    question->waits = true;
    note_asker(httpd, queue->uid);
    httpd->dispatch_pending = true;
    if (queue->last != NULL) {
        queue->last->next = question;
        queue->last = question;
        return;
    }
    queue->first = queue->last = question;
    take_turn(httpd, queue);
}

static void lane_leaves(struct question *question)
{
    question->queue->lanes -= question->lane != NULL ? 1 : 0;
    question->lane = NULL;
}

void question_carried(struct question *question, struct lane *lane)
{
    question->lane = lane;
    question->queue->lanes++;
}

void question_wait_again(struct httpd *httpd, struct question *question)
{
    struct queue *queue = question->queue;
    bool has_turn = queue->first != NULL;
    lane_leaves(question);
    question->waits = true;
    question->next = queue->first;
    queue->first = question;
    httpd->dispatch_pending = true;
    if (!has_turn) {
        queue->last = question;
        take_turn(httpd, queue);
    }
}

/* The time of the last question of another uid. */
static int64_t others_asked_at(const struct httpd *httpd, const struct queue *queue)
{
    bool is_last = httpd->last_asker.uid == queue->uid;
    return is_last ? httpd->other_asker.at_ms : httpd->last_asker.at_ms;
}

/* Turns alone are not enough where each answer takes long: whoever has all lanes is not kept from
 * it by whose turn is next. So beside others one user gets three quarters of them. */
static bool may_take_lane(struct httpd *httpd, const struct queue *queue)
{
    unsigned int lanes = httpd->settings.channels;
    unsigned int share = (lanes < LANES_MAX ? lanes : LANES_MAX) * 3 / 4;
    if (queue->lanes < share || queue->lanes == 0) {
        return true;
    }
    if (httpd->turn_first != httpd->turn_last) {
        return false;
    }
    int64_t alone_at_ms = others_asked_at(httpd, queue) + ACTIVE_MS;
    if (httpd->now_ms >= alone_at_ms) {
        return true;
    }
    httpd->dispatch_pending = true;
    loop_arm(httpd, alone_at_ms);
    return false;
}

static void end_turn(struct httpd *httpd)
{
    struct queue *queue = httpd->turn_first;
    httpd->turn_first = queue->turn;
    if (httpd->turn_first == NULL) {
        httpd->turn_last = NULL;
    }
}

bool questions_turn(struct httpd *httpd)
{
    const struct queue *last = httpd->turn_last;
    while (httpd->turn_first != NULL) {
        struct queue *queue = httpd->turn_first;
        if (may_take_lane(httpd, queue)) {
            return true;
        }
        end_turn(httpd);
        take_turn(httpd, queue);
        if (queue == last) {
            return false;
        }
    }
    return false;
}

struct question *question_next(struct httpd *httpd)
{
    struct queue *queue = httpd->turn_first;
    if (queue == NULL) {
        return NULL;
    }
    struct question *question = queue->first;
    queue->first = question->next;
    question->next = NULL;
    question->waits = false;
    end_turn(httpd);
    if (queue->first == NULL) {
        queue->last = NULL;
        return question;
    }
    take_turn(httpd, queue);
    return question;
}

static void leave_turns(struct httpd *httpd, struct queue *queue)
{
    struct queue *before = NULL;
    struct queue **at = &httpd->turn_first;
    while (*at != queue) {
        before = *at;
        at = &before->turn;
    }
    *at = queue->turn;
    if (httpd->turn_last == queue) {
        httpd->turn_last = before;
    }
}

void question_withdraw(struct httpd *httpd, struct question *question)
{
    struct queue *queue = question->queue;
    if (!question->waits) {
        return;
    }
    question->waits = false;
    struct question *before = NULL;
    struct question **at = &queue->first;
    while (*at != question) {
        before = *at;
        at = &before->next;
    }
    *at = question->next;
    question->next = NULL;
    if (queue->last == question) {
        queue->last = before;
    }
    if (queue->first == NULL) {
        leave_turns(httpd, queue);
    }
}

void question_done(struct httpd *httpd, struct question *question)
{
    struct queue *queue = question->queue;
    lane_leaves(question);
    queue->in_flight--;
    queue->held -= question->held;
    httpd->held -= question->held;
    question->held = 0;
    question->queue = NULL;
    buffer_keep(&question->frame); /* the answer may be a long time on its way */
    queue_release(httpd, queue);
    if (question->peer == NULL) {
        question_give_back(httpd, question);
    }
}
