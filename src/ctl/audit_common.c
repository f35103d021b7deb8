/* SPDX-License-Identifier: Apache-2.0
 * What the commands about the audit log share. */
#include "ctl/audit.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/utc.h"
#include "ctl/printable.h"
#include "pki/certificate_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { KEY_FILE_MAX = 64 * 1024, BAR_STEP_US = 100000, LINE_STEP_US = 1000000, BAR_WIDTH = 30 };

const char *audit_folder(const struct command_line *line)
{
    return line->n_words > 0 ? line->words[0] : AUDIT_FOLDER_DEFAULT;
}

/* --- times --- */

/* 2026-11-21T09:30:00Z, or back from now: -12h. */
static bool read_time(const char *text, int64_t *us)
{
    char ahead[16];
    int64_t now = clock_wall_s();
    int64_t seconds;
    if (text[0] != '-') {
        bool is_time = utc_read(span_of_text(text), &seconds);
        *us = is_time ? seconds * AUDIT_US : 0;
        return is_time;
    }
    if (snprintf(ahead, sizeof ahead, "+%s", text + 1) >= (int)sizeof ahead ||
        !utc_read_from(span_of_text(ahead), now, &seconds)) {
        return false;
    }
    *us = (now - (seconds - now)) * AUDIT_US;
    return true;
}

static bool take_time(const char *option, const char *text, int64_t *us)
{
    if (text == NULL || read_time(text, us)) {
        return true;
    }
    (void)fprintf(stderr,
                  "qsealctl: %s: not a time like 2026-11-21T09:30:00Z, or back from now like -12h "
                  "or -3d\n",
                  option);
    return false;
}

enum exit_code audit_period(const struct command_line *line, int64_t *since_us, int64_t *until_us)
{
    *since_us = INT64_MIN;
    *until_us = INT64_MAX;
    return take_time("--since", line->audit.since, since_us) &&
                   take_time("--until", line->audit.until, until_us)
               ? EXIT_DONE
               : EXIT_USAGE;
}

/* --- keys --- */

/* Of a certificate the key in it. */
static enum outcome key_of(const char *label, struct span der, struct public_key **out,
                           struct reason *why)
{
    struct certificate_key key;
    if (strcmp(label, PEM_STRING_PUBLIC) == 0) {
        return public_key_from_spki(der, out, why);
    }
    if (strcmp(label, PEM_STRING_X509) != 0) {
        return refuse(why, OUTCOME_RULE,
                      "a PEM block in it is neither PUBLIC KEY nor CERTIFICATE: qsealctl audit key "
                      "and openssl pkey -pubout write the first");
    }
    const char *fault = certificate_key_read(der, &key);
    return fault != NULL ? refuse(why, OUTCOME_RULE, "%s", fault)
                         : public_key_from_spki(key.spki, out, why);
}

/* Whether reading ended at a block that is none, and not for want of another one. */
static bool is_broken(void)
{
    bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return !is_end;
}

/* The next block; what stands between them is passed over. False: there is none. */
static bool take_key(BIO *bio, struct audit_keys *out, enum outcome *outcome, struct reason *why)
{
    char *label = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    if (PEM_read_bio(bio, &label, &header, &der, &len) != 1) {
        *outcome = is_broken()
                       ? refuse(why, OUTCOME_RULE, "a PEM block in it is torn, or no base64")
                       : OUTCOME_OK;
        return false;
    }
    *outcome = out->n == AUDIT_KEYS_READ_MAX
                   ? refuse(why, OUTCOME_RULE, "more than %d keys", AUDIT_KEYS_READ_MAX)
                   : key_of(label, span_of(der, (size_t)len), &out->keys[out->n], why);
    out->n += *outcome == OUTCOME_OK ? 1 : 0;
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(der);
    return *outcome == OUTCOME_OK;
}

static enum outcome read_keys(const char *path, struct audit_keys *out, struct reason *why)
{
    BUFFER_CLEANUP struct buffer text = BUFFER_INIT(KEY_FILE_MAX);
    enum outcome outcome = OUTCOME_OK;
    size_t before = out->n;
    if (file_read(path, &text) != 0) {
        return refuse(why, OUTCOME_UNAVAILABLE, "%s", strerror(errno));
    }
    BIO *bio = BIO_new_mem_buf(buffer_text(&text), (int)text.len);
    while (bio != NULL && take_key(bio, out, &outcome, why)) {
    }
    BIO_free(bio);
    if (outcome == OUTCOME_OK && out->n == before) {
        return refuse(why, OUTCOME_RULE, "there is no PEM block in it: a public key is wanted");
    }
    return outcome;
}

enum exit_code audit_keys_read(const struct command_line *line, struct audit_keys *out)
{
    *out = (struct audit_keys){.n = 0};
    for (size_t i = 0; i < line->audit.n_keys; i++) {
        struct reason why = {0};
        const char *path = line->audit.keys[i];
        enum outcome outcome = read_keys(path, out, &why);
        if (outcome != OUTCOME_OK) {
            (void)fprintf(stderr, "qsealctl: --key %s: %s\n", path, why.detail);
            return outcome == OUTCOME_RULE ? EXIT_USAGE : EXIT_UNAVAILABLE;
        }
    }
    return EXIT_DONE;
}

void audit_keys_free(struct audit_keys *keys)
{
    for (size_t i = 0; i < keys->n; i++) {
        public_key_free(keys->keys[i]);
    }
}

/* --- the bar --- */

struct audit_bar audit_bar_begin(const struct command_line *line)
{
    int64_t now = clock_monotonic_us();
    bool is_terminal = isatty(STDERR_FILENO) == 1;
    return (struct audit_bar){.is_terminal = is_terminal,
                              .is_shown = is_terminal || line->audit.progress,
                              .began_us = now,
                              .shown_us = now};
}

void audit_bar_show(void *context, const struct audit_progress *progress)
{
    static const char full[] = "##############################";
    struct audit_bar *bar = context;
    int64_t now = clock_monotonic_us();
    int64_t step = bar->is_terminal ? BAR_STEP_US : LINE_STEP_US;
    if (!bar->is_shown || now - bar->shown_us < step) {
        return;
    }
    bar->shown_us = now;
    uint64_t total = progress->bytes_total == 0 ? 1 : progress->bytes_total;
    uint64_t bytes = progress->bytes < total ? progress->bytes : total;
    double seconds = (double)(now - bar->began_us) / 1e6;
    (void)fprintf(stderr, "%s[%-*.*s] %3d %%, %llu records, %.0f MiB/s%s",
                  bar->is_terminal ? "\r" : "", BAR_WIDTH,
                  (int)((double)bytes / (double)total * BAR_WIDTH), full,
                  (int)((double)bytes / (double)total * 100), (unsigned long long)progress->records,
                  (double)progress->bytes / (1024 * 1024) / seconds, bar->is_terminal ? "" : "\n");
}

void audit_bar_end(struct audit_bar *bar)
{
    if (bar->is_terminal && bar->shown_us != bar->began_us) {
        (void)fputs("\r\033[K", stderr);
    }
    bar->is_shown = false;
}

/* --- what was read --- */

void audit_say_no_record(const struct audit_reader *reader, const char *fault)
{
    char name[SEGMENT_NAME_SIZE];
    (void)fprintf(
        stderr, "qsealctl: %s:%llu: is not a record: %s; qsealctl audit verify says more\n",
        audit_segment_name(reader->segment, name), (unsigned long long)reader->line_number, fault);
}

enum exit_code audit_say_ended(const struct audit_reader *reader, enum audit_read read)
{
    BUFFER_CLEANUP struct buffer why = BUFFER_INIT(16 * AUDIT_READER_WHY_SIZE);
    printable_put(&why, reader->why);
    (void)fprintf(stderr, "qsealctl: %s\n", buffer_text(&why));
    return read == AUDIT_READ_MISSING ? EXIT_NOT_VERIFIED : EXIT_UNAVAILABLE;
}
