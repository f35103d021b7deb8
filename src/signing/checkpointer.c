/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints, from what is due to what is signed. */
#include "signing/checkpointer.h"

#include "audit/checkpoint.h"
#include "audit/listing.h"
#include "audit/record.h"
#include "base/base64url.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "signing/dispatch.h"
#include "signing/uses.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOK_MS = 200,
    RETRY_MS = 5000,
    DEADLINE_MS = 10000,
    LAST_DEADLINE_MS = 2000,
    FILE_MODE = 0640,
    FAULT_SIZE = 128,
    DAY_S = 86400,
};

struct checkpointer {
    struct view_cell *views;
    struct watch *watch;
    struct audit *audit;
    struct dispatcher *dispatcher;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    int64_t started_s;   /* of the host's clock, clock_boot_s() */
    int64_t time_before; /* audit_time_before(); 0: not known yet */
};

/* One checkpoint on its way. */
struct making {
    struct checkpointer *checkpointer;
    const struct view *view;
    const struct audit_head *head;
    struct deadline deadline;
    struct checkpoint checkpoint;
    char file_fault[FAULT_SIZE]; /* why its file is not there, or "" */
};

static void put_record(struct buffer *out, const struct making *making, const struct key *key,
                       enum alg alg, struct span note, struct span signature)
{
    BUFFER_CLEANUP struct buffer encoded = BUFFER_INIT(2 * SIGNATURE_MAX);
    base64url_encode(&encoded, signature);
    record_put_number(out, "covers", (int64_t)making->head->seq);
    record_put_text(out, "head", making->head->hash);
    record_put_text(out, "kid", public_key_thumbprint(key->public_key));
    record_put_text(out, "alg", alg_name(alg));
    record_put_long_text(out, "note", note);
    record_put_long_text(out, "signature", buffer_span(&encoded));
    out->failed = out->failed || !buffer_ok(&encoded);
}

/* What an outside witness copies. The log is sealed whether or not this succeeds, but nobody may
 * take the one before for it. */
static void put_file(struct making *making, const struct key *key, enum alg alg, struct span note,
                     struct span signature)
{
    char path[PATH_MAX];
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(CHECKPOINT_FILE_MAX);
    checkpoint_put_signed(note, alg, public_key_thumbprint(key->public_key), signature, &text);
    int len = snprintf(path, sizeof path, "%s/%s", audit_folder(making->checkpointer->audit),
                       AUDIT_CHECKPOINT_FILE);
    if (!buffer_ok(&text) || len >= (int)sizeof path ||
        file_replace(path, buffer_span(&text), FILE_MODE) != 0) {
        (void)snprintf(making->file_fault, sizeof making->file_fault,
                       "its file could not be written: %.60s; its record is in the log",
                       strerror(errno));
    }
}

static enum outcome sign_note(void *context, const struct attempt *attempt, struct reason *why)
{
    struct making *making = context;
    const struct key *key = attempt->key;
    BUFFER_CLEANUP struct buffer note = BUFFER_INIT(CHECKPOINT_NOTE_MAX);
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    struct dispatch_content content = {.alg = alg_first(key->algs)};
    struct span signature;
    checkpoint_put(&making->checkpoint, &note);
    if (!buffer_ok(&note)) {
        return refuse(why, OUTCOME_INTERNAL, "out of memory");
    }
    content.input = content.payload = buffer_span(&note);
    enum outcome outcome = dispatch_sign(attempt, &content, &signature, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    put_record(&members, making, key, content.alg, content.input, signature);
    outcome = audit_append_checkpoint(making->checkpointer->audit, making->head, &members,
                                      making->deadline, why);
    if (outcome == OUTCOME_OK) {
        put_file(making, key, content.alg, content.input, signature);
        log_info("audit log: sealed up to record %llu, %s", (unsigned long long)making->head->seq,
                 making->head->hash);
    }
    return outcome;
}

static void fill(struct making *making)
{
    struct checkpoint *checkpoint = &making->checkpoint;
    checkpoint->seq = making->head->seq;
    checkpoint->time = clock_wall_s();
    memcpy(checkpoint->chain, making->head->chain, sizeof checkpoint->chain);
    memcpy(checkpoint->head, making->head->hash, sizeof checkpoint->head);
    uses_take(making->view, making->checkpointer->watch, making->deadline, checkpoint);
    checkpoint_sort(checkpoint);
}

static enum outcome make(struct checkpointer *checkpointer, struct view *view,
                         const struct audit_head *head, int64_t ms, char file_fault[FAULT_SIZE],
                         struct reason *why)
{
    const struct caller self = {.uid = getuid(), .gid = getgid(), .pid = getpid()};
    const struct dispatch_subject subject = {
        .audit = checkpointer->audit, .caller = &self, .request_id = "", .operation = "checkpoint"};
    const struct dispatch dispatch = {
        .subject = &subject,
        .view = view,
        .views = checkpointer->views,
        .watch = checkpointer->watch,
        .role = config_audit_role(view->policy->config),
        .kid = "",
        .deadline = deadline_in_ms(ms),
    };
    struct making making = {
        .checkpointer = checkpointer, .view = view, .head = head, .deadline = dispatch.deadline};
    if (dispatch.role == NULL) {
        return refuse(why, OUTCOME_NO_KEY, "the configuration has no role of purpose audit");
    }
    fill(&making);
    enum outcome outcome =
        dispatch_to_tokens(checkpointer->dispatcher, &dispatch, sign_note, &making, why);
    dispatch_finish(checkpointer->dispatcher, checkpointer->audit, outcome, span_of(NULL, 0));
    memcpy(file_fault, making.file_fault, sizeof making.file_fault);
    return outcome;
}

/* A clock that was set wrong while the service was down would make all segments old. So it is
 * believed only up to what the run before has seen, and as long as this one has lasted. */
static int64_t believed_now(struct checkpointer *checkpointer)
{
    if (checkpointer->time_before == 0) {
        checkpointer->time_before = audit_time_before(checkpointer->audit);
    }
    int64_t now = clock_wall_s();
    int64_t known = checkpointer->time_before + clock_boot_s() - checkpointer->started_s;
    return now < known ? now : known;
}

static void expire(struct checkpointer *checkpointer, const struct config *config)
{
    if (config->audit.retention_days > 0) {
        audit_expire(checkpointer->audit,
                     believed_now(checkpointer) - (int64_t)config->audit.retention_days * DAY_S);
    }
}

static struct audit_rhythm rhythm_of(const struct checkpointer *checkpointer)
{
    struct view *view = view_cell_get(checkpointer->views);
    const struct config_audit *config = &view->policy->config->audit;
    const struct audit_rhythm rhythm = {.records = config->checkpoint_records,
                                        .seconds = config->checkpoint_s};
    view_unref(view);
    return rhythm;
}

/* Whether it must wait before the next try. What is in force is looked at when one is due: it may
 * have changed since the wait began. */
static bool look(struct checkpointer *checkpointer, int64_t look_ms, int64_t ms)
{
    struct audit_head head;
    struct reason why = {0};
    char file_fault[FAULT_SIZE] = "";
    const struct audit_rhythm rhythm = rhythm_of(checkpointer);
    if (!audit_checkpoint_due(checkpointer->audit, &rhythm, look_ms, &head)) {
        return false;
    }
    struct view *view = view_cell_get(checkpointer->views);
    bool failed = make(checkpointer, view, &head, ms, file_fault, &why) != OUTCOME_OK;
    /* What one token refused is nothing, when another has signed. */
    audit_note_checkpoint(checkpointer->audit, failed ? why.detail : file_fault);
    if (!failed) {
        expire(checkpointer, view->policy->config);
    }
    view_unref(view);
    return failed;
}

static bool rest(struct checkpointer *checkpointer, int64_t ms)
{
    struct deadline end = deadline_in_ms(ms);
    const struct timespec until = deadline_timespec(end);
    pthread_mutex_lock(&checkpointer->lock);
    while (ms > 0 && !checkpointer->stopping && !deadline_passed(end)) {
        (void)pthread_cond_timedwait(&checkpointer->wake, &checkpointer->lock, &until);
    }
    bool stopping = checkpointer->stopping;
    pthread_mutex_unlock(&checkpointer->lock);
    return !stopping;
}

static void *run(void *context)
{
    struct checkpointer *checkpointer = context;
    bool failed = false;
    while (rest(checkpointer, failed ? RETRY_MS : 0)) {
        failed = look(checkpointer, LOOK_MS, DEADLINE_MS);
    }
    if (audit_has_news(checkpointer->audit)) {
        audit_ask_checkpoint(checkpointer->audit);
        (void)look(checkpointer, 0, LAST_DEADLINE_MS);
    }
    return NULL;
}

static void release(struct checkpointer *checkpointer)
{
    dispatcher_free(checkpointer->dispatcher);
    pthread_cond_destroy(&checkpointer->wake);
    pthread_mutex_destroy(&checkpointer->lock);
    free(checkpointer);
}

struct checkpointer *checkpointer_new(struct view_cell *views, struct watch *watch,
                                      struct audit *audit, struct reason *why)
{
    pthread_condattr_t monotonic;
    struct checkpointer *checkpointer = calloc(1, sizeof *checkpointer);
    if (checkpointer == NULL) {
        (void)refuse(why, OUTCOME_INTERNAL, "out of memory");
        return NULL;
    }
    checkpointer->views = views;
    checkpointer->watch = watch;
    checkpointer->audit = audit;
    checkpointer->started_s = clock_boot_s();
    checkpointer->dispatcher = dispatcher_new();
    pthread_mutex_init(&checkpointer->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&checkpointer->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (checkpointer->dispatcher == NULL ||
        pthread_create(&checkpointer->thread, NULL, run, checkpointer) != 0) {
        release(checkpointer);
        (void)refuse(why, OUTCOME_INTERNAL, "no thread, or no memory, for checkpoints");
        return NULL;
    }
    return checkpointer;
}

void checkpointer_free(struct checkpointer *checkpointer)
{
    if (checkpointer == NULL) {
        return;
    }
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->stopping = true;
    pthread_cond_signal(&checkpointer->wake);
    pthread_mutex_unlock(&checkpointer->lock);
    (void)pthread_join(checkpointer->thread, NULL);
    release(checkpointer);
}
