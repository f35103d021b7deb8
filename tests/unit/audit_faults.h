/* SPDX-License-Identifier: Apache-2.0
 * A disk that fails or hangs under the audit log, for a program that is linked with
 * --wrap=pwrite,--wrap=fdatasync. Once per program. */
#ifndef QSEAL_TESTS_UNIT_AUDIT_FAULTS_H
#define QSEAL_TESTS_UNIT_AUDIT_FAULTS_H

#include "audit_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

/* Once disk_break() has returned; and for whose record was lost with the first segment. */
#define WHY_NOT "the audit log cannot be written: audit-0000000002.jsonl: No space left on device"
#define WHY_LOST                                                                                   \
    "the audit log cannot be written: audit-0000000001.jsonl: writing it: Input/output error"

static atomic_int disk_fault; /* errno of each write, 0: none */
static atomic_bool disk_hangs;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    int error = atomic_load(&disk_fault);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return __real_pwrite(fd, data, len, at);
}

int __wrap_fdatasync(int fd)
{
    while (atomic_load(&disk_hangs)) {
        (void)poll(NULL, 0, 1);
    }
    return __real_fdatasync(fd);
}

/* Until the log has tried to begin its next segment, and says so. */
static inline void audit_wait_tried(struct instance *instance)
{
    char want[100];
    struct deadline end = deadline_in_ms(AUDIT_PATIENCE_MS);
    (void)snprintf(want, sizeof want, "audit-%010llu.jsonl: No space left on device",
                   (unsigned long long)audit_status_of(instance).segment + 1);
    while (strcmp(audit_status_of(instance).detail, want) != 0) {
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 1);
    }
}

/* Nothing can be written any more, and the log knows it. What was noted before is on the disk, and
 * one note is lost. */
static inline void disk_break(struct instance *instance)
{
    BUFFER_CLEANUP struct buffer none = BUFFER_INIT(16);
    struct audit_ticket ticket;
    struct reason why = {0};
    assert_done(
        audit_append_durable(instance->audit, "kept", &none, deadline_in_ms(10000), &ticket, &why),
        why);
    atomic_store(&disk_fault, ENOSPC);
    audit_note(instance->audit, "lost", &none);
    audit_wait_tried(instance);
}

static inline void disk_mend(struct instance *instance)
{
    atomic_store(&disk_fault, 0);
    audit_wait_ok(instance, true);
}

static inline struct instance *disk_instance(const char *rights)
{
    atomic_store(&disk_fault, 0);
    atomic_store(&disk_hangs, false);
    return audited_instance(rights);
}

static inline int disk_teardown(void **state)
{
    atomic_store(&disk_fault, 0);
    atomic_store(&disk_hangs, false);
    transport_instance_free(*state);
    return 0;
}

/* What this segment's first record says is missing, and what came too late for it. */
static inline uint64_t unrecorded_of(struct instance *instance, const json_t *segment)
{
    struct audit_status status;
    audit_get_status(instance->audit, &status);
    return (uint64_t)json_integer_value(json_object_get(segment, "unrecorded")) + status.unrecorded;
}

#endif
