/* SPDX-License-Identifier: Apache-2.0
 * Reading the audit log of an instance: its records as JSON, and what they hold. */
#ifndef QSEAL_TESTS_UNIT_AUDIT_SUPPORT_H
#define QSEAL_TESTS_UNIT_AUDIT_SUPPORT_H

#include "audit/audit.h"
#include "audit/record.h"
#include "base/file.h"
#include "custody_support.h"

#include <poll.h>
#include <unistd.h>

enum { AUDIT_PATIENCE_MS = 20000, AUDIT_SEGMENT_MAX = 128 * 1024 * 1024 };

static inline struct instance *audited_instance(const char *rights)
{
    struct instance *instance = calloc(1, sizeof *instance);
    assert_non_null(instance);
    instance_init_audited(instance, "[\"*\"]", rights);
    return instance;
}

/* A record of the test's own, on the disk when this returns: so is all before it. */
static inline uint64_t audit_mark(struct instance *instance)
{
    struct audit_ticket ticket;
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer none = BUFFER_INIT(16);
    assert_done(audit_append_durable(instance->audit, "mark", &none,
                                     deadline_in_ms(AUDIT_PATIENCE_MS), &ticket, &why),
                why);
    return ticket.seq;
}

static inline void audit_wait_ok(struct instance *instance, bool ok)
{
    struct deadline end = deadline_in_ms(AUDIT_PATIENCE_MS);
    while (audit_is_ok(instance->audit) != ok) {
        assert_false(deadline_passed(end));
        (void)poll(NULL, 0, 1);
    }
}

static inline struct audit_status audit_status_of(struct instance *instance)
{
    struct audit_status status;
    audit_get_status(instance->audit, &status);
    return status;
}

/* The records of one segment, up to its NULs. */
static inline bool audit_read_segment(const struct instance *instance, unsigned int number,
                                      json_t *records)
{
    char path[200];
    struct reason why = {0};
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(AUDIT_SEGMENT_MAX);
    (void)snprintf(path, sizeof path, "%s/audit-%010u.jsonl", instance->audit_folder, number);
    if (file_read(path, &text) != 0) {
        return false;
    }
    struct span rest = buffer_span(&text);
    while (rest.len > 0 && rest.data[0] != '\0') {
        size_t len = span_find(rest, '\n');
        json_t *record = NULL;
        assert_done(json_parse_object(span_part(rest, 0, len), &record, &why), why);
        assert_int_equal(json_array_append_new(records, record), 0);
        rest = span_part(rest, len + 1, rest.len);
    }
    return true;
}

/* Those of that kind after the record of this number, in order; owned by the caller. */
static inline json_t *audit_records(struct instance *instance, uint64_t after, const char *kind)
{
    size_t i;
    json_t *record;
    JSON_CLEANUP json_t *all = json_array();
    json_t *found = json_array();
    if (audit_is_ok(instance->audit)) {
        (void)audit_mark(instance);
    }
    for (unsigned int number = 1; audit_read_segment(instance, number, all); number++) {
    }
    json_array_foreach (all, i, record) {
        if ((uint64_t)json_integer_value(json_object_get(record, "seq")) > after &&
            strcmp(text_of(record, "kind"), kind) == 0) {
            assert_int_equal(json_array_append(found, record), 0);
        }
    }
    return found;
}

/* The only one of that kind since then. */
static inline json_t *audit_record(struct instance *instance, uint64_t after, const char *kind)
{
    JSON_CLEANUP json_t *found = audit_records(instance, after, kind);
    if (json_array_size(found) != 1) {
        print_error("%zu records of kind %s\n", json_array_size(found), kind);
    }
    assert_int_equal(json_array_size(found), 1);
    return json_incref(json_array_get(found, 0));
}

/* The names of all members, in their order, with a blank between them. */
static inline void expect_members(const json_t *object, const char *names)
{
    const char *name;
    json_t *value;
    BUFFER_CLEANUP struct buffer found = BUFFER_INIT(4096);
    json_object_foreach ((json_t *)object, name, value) {
        buffer_put_format(&found, "%s%s", found.len == 0 ? "" : " ", name);
    }
    assert_string_equal(buffer_text(&found), names);
}

static inline void expect_text(const json_t *record, const char *name, const char *value)
{
    assert_string_equal(text_of(record, name), value);
}

static inline int64_t number_of(const json_t *record, const char *name)
{
    assert_true(json_is_integer(json_object_get(record, name)));
    return json_integer_value(json_object_get(record, name));
}

static inline void expect_digest(const json_t *record, const char *name, struct span bytes)
{
    char digest[AUDIT_HASH_SIZE];
    assert_true(sha256_text(bytes, digest));
    expect_text(record, name, digest);
}

/* This process: the caller, and the administrator, of instances. */
static inline void expect_self(const json_t *record)
{
    assert_int_equal(number_of(record, "uid"), geteuid());
    assert_int_equal(number_of(record, "gid"), getegid());
    assert_int_equal(number_of(record, "pid"), getpid());
}

/* The completion of that record. */
static inline json_t *audit_done_of(struct instance *instance, const json_t *record)
{
    size_t i;
    json_t *done;
    uint64_t seq = (uint64_t)number_of(record, "seq");
    JSON_CLEANUP json_t *all = audit_records(instance, seq, "done");
    json_array_foreach (all, i, done) {
        if ((uint64_t)number_of(done, "of") == seq) {
            return json_incref(done);
        }
    }
    fail_msg("record %llu has no completion", (unsigned long long)seq);
    return NULL;
}

static inline void expect_done(struct instance *instance, const json_t *record, const char *outcome)
{
    JSON_CLEANUP json_t *done = audit_done_of(instance, record);
    expect_members(done, "seq prev time kind of outcome us");
    expect_text(done, "outcome", outcome);
    assert_true(number_of(done, "us") >= 0);
}

#endif
