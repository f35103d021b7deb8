/* SPDX-License-Identifier: Apache-2.0
 * Records of the audit log as entries of the journal. */
#include "ctl/audit_journal.h"

#include "audit/kind.h"
#include "model/outcome.h"

#define SD_JOURNAL_SUPPRESS_LOCATION /* of a line in this program, which says nothing of a record  \
                                      */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

enum { FIELDS_MAX = 24 };

struct fields {
    struct buffer text; /* one behind the other */
    size_t ends[FIELDS_MAX];
    size_t n;
};

/* Members of a record that are fields of their own, where it has them. */
static const struct {
    const char *field;
    const char *member;
} members[] = {
    {"QSEAL_AUDIT_UID=", "uid"},         {"QSEAL_AUDIT_CALLER=", "caller"},
    {"QSEAL_AUDIT_VERB=", "verb"},       {"QSEAL_AUDIT_OPERATION=", "operation"},
    {"QSEAL_AUDIT_PROFILE=", "profile"}, {"QSEAL_AUDIT_ROLE=", "role"},
    {"QSEAL_AUDIT_KID=", "kid"},         {"QSEAL_AUDIT_TOKEN=", "token"},
    {"QSEAL_AUDIT_OF=", "of"},           {"QSEAL_AUDIT_OUTCOME=", "outcome"},
    {"QSEAL_AUDIT_REQUEST=", "request"},
};

static void put_field(struct fields *fields, const char *name, struct span value)
{
    buffer_put_text(&fields->text, name);
    buffer_put_span(&fields->text, value);
    fields->ends[fields->n++] = fields->text.len;
}

static struct span without_lf(struct span text)
{
    return span_part(text, 0, span_find(text, '\n'));
}

/* What is released, done, or has no outcome is the course of things. A caller who is refused is
 * worth a look; the service that could not, or did not trust itself, is a failure. */
static int priority_of_outcome(struct span outcome)
{
    if (span_is_text(outcome, "released") || span_is_text(outcome, "done")) {
        return LOG_INFO;
    }
    for (unsigned int i = 0; i < OUTCOME_COUNT; i++) {
        if (span_is_text(outcome, outcome_name((enum outcome)i))) {
            enum { STATUS_OF_FAILURES = 500 };
            return outcome_status((enum outcome)i) >= STATUS_OF_FAILURES ? LOG_ERR : LOG_WARNING;
        }
    }
    return LOG_WARNING;
}

/* Of records that have neither outcome nor fault. */
static const int priorities[AUDIT_KINDS] = {
    [AUDIT_KIND_SIGN] = LOG_INFO,      [AUDIT_KIND_DONE] = LOG_INFO,
    [AUDIT_KIND_REFUSED] = LOG_INFO,   [AUDIT_KIND_CHECKPOINT] = LOG_INFO,
    [AUDIT_KIND_SEGMENT] = LOG_INFO,   [AUDIT_KIND_END] = LOG_INFO,
    [AUDIT_KIND_START] = LOG_NOTICE,   [AUDIT_KIND_POLICY] = LOG_NOTICE,
    [AUDIT_KIND_REPAIR] = LOG_WARNING, [AUDIT_KIND_ADMIN] = LOG_NOTICE,
    [AUDIT_KIND_KEYRING] = LOG_NOTICE, [AUDIT_KIND_RETENTION] = LOG_NOTICE,
    [AUDIT_KIND_OTHER] = LOG_INFO,
};

static int priority_of(const struct audit_line *line)
{
    struct span value;
    if (audit_line_text(line, "outcome", &value)) {
        return priority_of_outcome(value);
    }
    if (audit_line_value(line, "fault", &value)) {
        return LOG_ERR;
    }
    return priorities[audit_kind_of(line->kind)];
}

static void put_number(struct fields *fields, const char *name, uint64_t number)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    put_field(fields, name, span_of_text(digits));
}

static void put_fields(const struct audit_entry *entry, struct fields *fields)
{
    const struct audit_line *line = entry->line;
    put_field(fields, "MESSAGE=", without_lf(entry->words));
    put_field(fields, "SYSLOG_IDENTIFIER=", span_of_text("qseal-audit"));
    put_number(fields, "PRIORITY=", (uint64_t)priority_of(line));
    if (entry->chain[0] != '\0') {
        put_field(fields, "QSEAL_AUDIT_CHAIN=", span_of_text(entry->chain));
    }
    put_number(fields, "QSEAL_AUDIT_SEQ=", line->seq);
    put_field(fields, "QSEAL_AUDIT_TIME=", line->time);
    put_field(fields, "QSEAL_AUDIT_KIND=", line->kind);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        struct span value;
        if (audit_line_text(line, members[i].member, &value) ||
            audit_line_value(line, members[i].member, &value)) {
            put_field(fields, members[i].field, value);
        }
    }
    put_field(fields, "QSEAL_AUDIT_RECORD=", without_lf(entry->text));
}

/* libsystemd calls it good when there is no journald: that would be a record lost without a word.
 */
static bool is_there(char why[AUDIT_JOURNAL_WHY_SIZE])
{
    bool is_good = access(JOURNAL_SOCKET, W_OK) == 0;
    if (!is_good) {
        (void)snprintf(why, AUDIT_JOURNAL_WHY_SIZE, "journald: " JOURNAL_SOCKET ": %s",
                       strerror(errno));
    }
    return is_good;
}

static int send_fields(const struct fields *fields)
{
    struct iovec vectors[FIELDS_MAX];
    size_t at = 0;
    for (size_t i = 0; i < fields->n; i++) {
        vectors[i] =
            (struct iovec){.iov_base = fields->text.data + at, .iov_len = fields->ends[i] - at};
        at = fields->ends[i];
    }
    return sd_journal_sendv(vectors, (int)fields->n);
}

bool audit_journal_put(const struct audit_entry *entry, char why[AUDIT_JOURNAL_WHY_SIZE])
{
    struct fields fields = {.text = BUFFER_INIT(4 * AUDIT_LINE_MAX)};
    if (!is_there(why)) {
        return false;
    }
    put_fields(entry, &fields);
    int result = buffer_ok(&fields.text) ? send_fields(&fields) : -ENOMEM;
    buffer_fini(&fields.text);
    if (result < 0) {
        (void)snprintf(why, AUDIT_JOURNAL_WHY_SIZE, "journald: %s", strerror(-result));
    }
    return result >= 0;
}
