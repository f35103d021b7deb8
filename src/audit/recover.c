/* SPDX-License-Identifier: Apache-2.0
 * The end of the log, found and made whole. */
#include "audit/recover.h"

#include "audit/recover_seal.h"
#include "audit/segment.h"
#include "base/fd.h"
#include "base/file.h"
#include "jose/sha256.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0640 };

/* A segment that is being looked at. */
struct scan {
    uint64_t number;
    char name[SEGMENT_NAME_SIZE];
    char path[PATH_MAX];
    struct span text; /* the whole file, in memory */
    size_t good;      /* bytes of its good records */
    bool ended;       /* the last of them is its end */
    uint64_t cut;     /* bytes that were set aside under its number, as it says itself; 0: none */
};

static enum outcome refuse_file(const struct scan *scan, const char *what, struct reason *why)
{
    return refuse(why, OUTCOME_UNAVAILABLE, "%s: %s: %s", scan->name, what, strerror(errno));
}

static enum outcome find_last(int folder, uint64_t *last, struct reason *why)
{
    int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    DIR *listing = copy < 0 ? NULL : fdopendir(copy);
    if (listing == NULL) {
        (void)refuse(why, OUTCOME_UNAVAILABLE, "the folder cannot be read: %s", strerror(errno));
        fd_close(&copy);
        return OUTCOME_UNAVAILABLE;
    }
    rewinddir(listing); /* the copy shares its place */
    *last = 0;
    const struct dirent *entry;
    uint64_t number;
    while ((entry = readdir(listing)) != NULL) {
        if (segment_name_read(entry->d_name, &number) && number > *last) {
            *last = number;
        }
    }
    (void)closedir(listing);
    return OUTCOME_OK;
}

static void release(struct scan *scan)
{
    free((void *)(uintptr_t)scan->text.data);
    scan->text = span_of(NULL, 0);
}

/* The whole file, in memory of its own: a disk that cannot be read is an error here, and no signal.
 */
static bool read_whole(int fd, uint8_t *at, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, at + done, len - done, (off_t)done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

static enum outcome load(int folder, struct scan *scan, struct reason *why)
{
    struct stat about;
    FD_CLEANUP int fd = openat(folder, scan->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &about) != 0) {
        return refuse_file(scan, "opening it", why);
    }
    scan->text = span_of(NULL, 0);
    if (about.st_size == 0) {
        return OUTCOME_OK;
    }
    size_t len = (size_t)about.st_size;
    uint8_t *at = malloc(len);
    if (at == NULL) {
        return refuse_file(scan, "memory for it", why);
    }
    scan->text = span_of(at, len);
    if (!read_whole(fd, at, len)) {
        release(scan);
        return refuse_file(scan, "reading it", why);
    }
    return OUTCOME_OK;
}

/* The line at the head of the text, with its LF; the whole text when there is no LF. */
static struct span line_of(struct span text)
{
    return span_part(text, 0, span_find(text, '\n') + 1);
}

static bool is_first(const struct scan *scan, const struct audit_line *line, struct recovered *out)
{
    uint64_t number;
    struct span chain;
    if (!span_is_text(line->kind, "segment") || !audit_line_number(line, "segment", &number) ||
        number != scan->number || !audit_line_text(line, "chain", &chain) ||
        !uuid_is_valid(chain)) {
        return false;
    }
    memcpy(out->chain, chain.data, UUID_TEXT_LEN);
    return true;
}

static bool is_next(const struct audit_line *line, const struct recovered *before)
{
    return line->seq == before->seq + 1 && span_is_text(line->prev, before->head) &&
           !span_is_text(line->kind, "segment");
}

/* What the records tell the next start. */
static void note_record(struct scan *scan, const struct audit_line *line, struct recovered *out)
{
    uint64_t number;
    if (span_is_text(line->kind, "checkpoint") && audit_line_number(line, "covers", &number)) {
        out->covered = number;
    }
    if (span_is_text(line->kind, "repair") && audit_line_number(line, "segment", &number) &&
        number == scan->number && audit_line_number(line, "cut_bytes", &number)) {
        scan->cut = number;
    }
    scan->ended = span_is_text(line->kind, "end");
}

/* The good records from the file's beginning on. */
static void scan_good(struct scan *scan, struct recovered *out)
{
    scan->good = 0;
    scan->ended = false;
    out->covered = 0;
    while (scan->good < scan->text.len && !scan->ended) {
        struct span text = line_of(span_part(scan->text, scan->good, AUDIT_LINE_MAX));
        struct audit_line line;
        char hash[AUDIT_HASH_SIZE];
        if (audit_line_read(text, &line) != NULL || !sha256_text(text, hash) ||
            !(scan->good == 0 ? is_first(scan, &line, out) : is_next(&line, out))) {
            return;
        }
        out->seq = line.seq;
        memcpy(out->head, hash, sizeof hash);
        note_record(scan, &line, out);
        scan->good += text.len;
    }
}

/* What stands behind the good records, without the NULs that were filled in. */
static struct span rest_of(const struct scan *scan)
{
    struct span rest = span_part(scan->text, scan->good, scan->text.len);
    while (rest.len > 0 && rest.data[rest.len - 1] == '\0') {
        rest.len--;
    }
    return rest;
}

/* A record that is only made when those up to `seq` are on the disk. What releases nothing waits
 * for no disk: its completion may stand in one batch with it, and of a batch any page may be lost.
 */
static bool is_witness(const struct audit_line *line, uint64_t seq)
{
    uint64_t of;
    struct span outcome;
    if (span_is_text(line->kind, "done")) {
        return audit_line_text(line, "outcome", &outcome) && span_is_text(outcome, "released") &&
               audit_line_number(line, "of", &of) && of >= seq;
    }
    return span_is_text(line->kind, "checkpoint") && audit_line_number(line, "covers", &of) &&
           of >= seq;
}

/* A crash tears what was not acknowledged: at most one batch. More than that, or a later record
 * that says otherwise, is damage. */
static bool is_damage(struct span rest, uint64_t first_lost)
{
    if (rest.len > AUDIT_BATCH_MAX) {
        return true;
    }
    while (rest.len > 0) {
        struct span text = line_of(rest);
        struct audit_line line;
        if (audit_line_read(text, &line) == NULL && is_witness(&line, first_lost)) {
            return true;
        }
        rest = span_part(rest, text.len, rest.len);
    }
    return false;
}

static enum outcome set_aside(const char *folder, const struct scan *scan, struct span rest,
                              struct reason *why)
{
    char path[PATH_MAX];
    char name[SEGMENT_NAME_SIZE];
    segment_name(scan->number, ".torn", name);
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        file_replace(path, rest, FILE_MODE) != 0) {
        return refuse_file(scan, "setting aside what was torn", why);
    }
    return OUTCOME_OK;
}

static enum outcome check_damage(const struct scan *scan, struct span rest, uint64_t seq,
                                 struct reason *why)
{
    if (!is_damage(rest, seq + 1)) {
        return OUTCOME_OK;
    }
    return refuse(why, OUTCOME_RULE,
                  "%s is damaged at byte %zu, after record %llu, where records had been "
                  "acknowledged; nothing was cut. See qsealctl audit verify, keep the folder's "
                  "files in another place, and a new chain begins",
                  scan->name, scan->good, (unsigned long long)seq);
}

/* The last record of a segment; 0 when there is none, or it cannot be read. */
static uint64_t last_seq_of(int fd, uint64_t number)
{
    struct recovered found = {.seq = 0};
    struct reason unused;
    struct scan scan = {.number = number};
    segment_name(number, ".jsonl", scan.name);
    if (number == 0 || load(fd, &scan, &unused) != OUTCOME_OK) {
        return 0;
    }
    scan_good(&scan, &found);
    release(&scan);
    return found.seq;
}

/* A segment without one good record: it was made, and nothing in it was acknowledged. Its first
 * batch may well complete records of the segment before. */
static enum outcome drop(const char *folder, int fd, const struct scan *scan, struct reason *why)
{
    struct span rest = rest_of(scan);
    uint64_t before = rest.len == 0 ? 0 : last_seq_of(fd, scan->number - 1);
    enum outcome outcome = check_damage(scan, rest, before, why);
    if (outcome == OUTCOME_OK && rest.len > 0) {
        outcome = set_aside(folder, scan, rest, why);
    }
    if (outcome == OUTCOME_OK && (unlinkat(fd, scan->name, 0) != 0 || fsync(fd) != 0)) {
        outcome = refuse_file(scan, "removing it", why);
    }
    return outcome;
}

static enum outcome make_whole(const char *folder, const struct scan *scan, uint64_t seq,
                               struct reason *why)
{
    struct span rest = rest_of(scan);
    if (scan->ended && scan->good == scan->text.len) {
        return OUTCOME_OK;
    }
    enum outcome outcome = check_damage(scan, rest, seq, why);
    if (outcome == OUTCOME_OK && rest.len > 0) {
        outcome = set_aside(folder, scan, rest, why);
    }
    if (outcome == OUTCOME_OK &&
        file_replace(scan->path, span_of(scan->text.data, scan->good), FILE_MODE) != 0) {
        outcome = refuse_file(scan, "writing it anew", why);
    }
    return outcome;
}

static enum outcome recover_one(const char *folder, int fd, struct scan *scan,
                                struct recovered *out, struct reason *why)
{
    segment_name(scan->number, ".jsonl", scan->name);
    if (snprintf(scan->path, sizeof scan->path, "%s/%s", folder, scan->name) >=
        (int)sizeof scan->path) {
        return refuse(why, OUTCOME_UNAVAILABLE, "the folder's path is too long");
    }
    enum outcome outcome = load(fd, scan, why);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    scan_good(scan, out);
    outcome =
        scan->good == 0 ? drop(folder, fd, scan, why) : make_whole(folder, scan, out->seq, why);
    release(scan);
    return outcome;
}

/* Of what stands in the folder, not of what was done just now: a start before this one may have set
 * it aside, and ended before it could say so. */
static void find_cut(int fd, uint64_t number, uint64_t kept, uint64_t said, struct recovered *out)
{
    char name[SEGMENT_NAME_SIZE];
    struct stat about;
    segment_name(number, ".torn", name);
    if (fstatat(fd, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && (uint64_t)about.st_size != said) {
        out->cuts[out->n_cuts++] =
            (struct audit_cut){.number = number, .kept = kept, .bytes = (uint64_t)about.st_size};
    }
}

static enum outcome find_end(const char *folder, int fd, struct recovered *out, struct reason *why)
{
    *out = (struct recovered){.next = 1};
    for (;;) {
        struct scan scan = {.number = 0};
        enum outcome outcome = find_last(fd, &scan.number, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        if (scan.number == 0) {
            find_cut(fd, out->next, 0, 0, out);
            return OUTCOME_OK;
        }
        outcome = recover_one(folder, fd, &scan, out, why);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        if (scan.good > 0) {
            out->any = true;
            out->bytes = scan.good;
            out->next = scan.number + 1;
            find_cut(fd, scan.number, scan.good, scan.cut, out);
            find_cut(fd, out->next, 0, 0, out);
            return OUTCOME_OK;
        }
    }
}

enum outcome recover(const char *folder, int fd, struct recovered *out, struct reason *why)
{
    enum outcome outcome = find_end(folder, fd, out, why);
    return outcome == OUTCOME_OK ? recover_check_seal(fd, out, why) : outcome;
}
