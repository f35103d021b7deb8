/* SPDX-License-Identifier: Apache-2.0
 * A log in a folder of its own, and records of no service. */
#ifndef QSEAL_TESTS_UNIT_AUDIT_LOG_SUPPORT_H
#define QSEAL_TESTS_UNIT_AUDIT_LOG_SUPPORT_H

#include "audit/audit.h"
#include "audit/line.h"
#include "audit/record.h"
#include "base/file.h"
#include "folder.h"

#include <errno.h>
#include <poll.h>

enum { WAIT_MS = 20000, LOG_MAX = 64 * 1024 * 1024, BIG = 1024 * 1024 * 1024 };

static inline struct audit *open_log(const struct folder *folder, uint64_t segment_bytes)
{
    struct audit *audit = NULL;
    struct reason why = {0};
    const struct audit_options options = {
        .folder = folder->path, .segment_bytes = segment_bytes, .segment_age_s = 86400};
    assert_done(audit_open(&options, &audit, &why), why);
    return audit;
}

static inline struct audit_status status_of(struct audit *audit)
{
    struct audit_status status;
    audit_get_status(audit, &status);
    return status;
}

static inline enum outcome append(struct audit *audit, const char *text,
                                  struct audit_ticket *ticket, struct reason *why)
{
    BUFFER_CLEANUP struct buffer members = BUFFER_INIT(AUDIT_MEMBERS_MAX);
    record_put_text(&members, "text", text);
    return audit_append_durable(audit, "test", &members, deadline_in_ms(WAIT_MS), ticket, why);
}

static inline struct audit_ticket must_append(struct audit *audit, const char *text)
{
    struct audit_ticket ticket;
    struct reason why = {0};
    assert_done(append(audit, text, &ticket, &why), why);
    return ticket;
}

static inline void read_segment(const struct folder *folder, uint64_t number, struct buffer *text)
{
    char name[32];
    char path[128];
    (void)snprintf(name, sizeof name, "audit-%010llu.jsonl", (unsigned long long)number);
    folder_path(folder, name, path);
    if (file_read(path, text) != 0) {
        assert_int_equal(errno, ENOENT);
    }
}

/* Until the log is in that state. */
static inline void until(struct audit *audit, bool ok)
{
    struct deadline end = deadline_in_ms(WAIT_MS);
    while (status_of(audit).ok != ok) {
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 1);
    }
}

/* Until the log says that. */
static inline void until_detail(struct audit *audit, const char *detail)
{
    struct deadline end = deadline_in_ms(WAIT_MS);
    while (strcmp(status_of(audit).detail, detail) != 0) {
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 1);
    }
}

/* A checkpoint over all that is on the disk, without a note. */
static inline uint64_t must_seal(struct audit *audit)
{
    const struct audit_rhythm rare = {.records = 1000000, .seconds = 86400};
    struct audit_head head;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer none = BUFFER_INIT(16);
    audit_ask_checkpoint(audit);
    assert_true(audit_checkpoint_due(audit, &rare, WAIT_MS, &head));
    assert_done(audit_append_checkpoint(audit, &head, &none, deadline_in_ms(WAIT_MS), &why), why);
    return head.seq;
}

#endif
