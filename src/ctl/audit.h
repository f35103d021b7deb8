/* SPDX-License-Identifier: Apache-2.0
 * What the commands about the audit log share. None of them asks a service: they read the folder.
 */
#ifndef QSEAL_CTL_AUDIT_H
#define QSEAL_CTL_AUDIT_H

#include "audit/line.h"
#include "audit/reader.h"
#include "audit/report.h"
#include "audit/verify.h"
#include "base/attributes.h"
#include "ctl/command.h"
#include "jose/public_key.h"

#define AUDIT_FOLDER_DEFAULT "/var/log/qseal/audit"
#define AUDIT_US INT64_C(1000000)

/* --- what was given on the command line --- */

const char *audit_folder(const struct command_line *line);
/* The times of --since and --until in microseconds since 1970, those of the ages when they are not
 * given. EXIT_USAGE when one is no time, which has been said. */
enum exit_code audit_period(const struct command_line *line, int64_t *since_us,
                            int64_t *until_us) MUST_USE;

enum { AUDIT_KEYS_READ_MAX = 256 };

struct audit_keys {
    struct public_key *keys[AUDIT_KEYS_READ_MAX]; /* owned */
    size_t n;
};
/* Reads the files of --key: PEM, one or more SubjectPublicKeyInfos or certificates each. What
 * cannot be read has been said. To be freed in each case. */
enum exit_code audit_keys_read(const struct command_line *line, struct audit_keys *out) MUST_USE;
void audit_keys_free(struct audit_keys *keys);

/* --- on the terminal --- */

/* How far a long command is, on stderr. */
struct audit_bar {
    bool is_shown;
    bool is_terminal;
    int64_t began_us; /* monotonic */
    int64_t shown_us;
    uint64_t bytes_total;
};

/* Shown on a terminal, and where --progress asks for it. */
struct audit_bar audit_bar_begin(const struct command_line *line);
/* As struct audit_verify_options calls it, with the bar. */
void audit_bar_show(void *bar, const struct audit_progress *progress);
/* Takes it off the terminal. */
void audit_bar_end(struct audit_bar *bar);

/* Appends a record in words, as one line. */
void audit_words_put(const struct audit_line *line, struct buffer *out);
/* Says on stderr that a line is no record. */
void audit_say_no_record(const struct audit_reader *reader, const char *fault);
/* Says on stderr why reading ended. */
enum exit_code audit_say_ended(const struct audit_reader *reader, enum audit_read read);

#endif
